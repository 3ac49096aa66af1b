"""What is known of a model before it is built: parts, numbers, operations, as data."""

from dataclasses import dataclass
from typing import Literal

from renaissance.compiler.lowering.implementations import AttentionPlan
from renaissance.compiler.lowering.lowerings import Lowered
from renaissance.compiler.planning.benefit import Caching
from renaissance.grammar.kinds.head import Reads

Gradient = Literal["none", "input", "weights", "both"]
"""What the backward pass gives for a component: nothing (a constant subgraph), the gradient to its
input only (frozen below something that learns), to its weights only, or both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flops:
    """Floating-point operations for one sample, two for a multiply-add.

    Attributes:
        forward: of the forward pass.
        to_inputs: of the gradients that the backward pass hands on to what came before.
        to_weights: of the gradients of weights.
        backward: of the backward pass, both kinds.
        recomputed: of what the backward pass computes once more, because it was not kept.
        training: of both passes, all of these.
    """

    forward: int
    to_inputs: int
    to_weights: int
    backward: int
    recomputed: int
    training: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of a model.

    Attributes:
        address: its name in specs, such as `text.layers[3].attention`.
        kind: what it is, such as `attention`.
        input: shape of what goes in, without rows; None where nothing passes through it.
        output: shape of what comes out, without rows.
        parameters: numbers it holds.
        trainable: those of them that learn in the first step.
        gradient: what the backward pass gives for it.
        flops: what it computes for one sample.
    """

    address: str
    kind: str
    input: tuple[int, ...] | None
    output: tuple[int, ...] | None
    parameters: int
    trainable: int
    gradient: Gradient
    flops: Flops


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How many numbers a model holds.

    Attributes:
        total: all of them, shared ones once.
        trainable: those that learn in the first step.
        frozen: those that a directive holds, or that their library never trains.
        unread: those that no head of the job reads; they are held too, and not computed.
        tied: those counted once that stand in more than one place.
    """

    total: int
    trainable: int
    frozen: int
    unread: int
    tied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPart:
    """A freeze directive and how much it holds.

    Attributes:
        selectors: as written.
        excluded: as written.
        until: when it starts to learn, as written; None for never.
        parameters: numbers that it freezes.
        rank: of the adapters beside them; None where there are none.
        adapters: numbers that these hold.
    """

    selectors: tuple[str, ...]
    excluded: tuple[str, ...]
    until: str | int | None
    parameters: int
    rank: int | None = None
    adapters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """A model, alone or with the heads of a job.

    Attributes:
        name: of the model.
        streams: names of what is joined, in order.
        fusion: root address of what joins them.
        heads: what each head reads, by name.
        components: in the order of their parameters.
        parameters: of the whole.
        flops_per_sample: for one text and one image; of a job, see `JobPlan`.
        freeze: directives, resolved.
        caching: what keeping the features of each frozen tower costs and saves.
        attention: which implementation runs, by root address.
        lowered: what makes it faster, in the order in which it is applied.
        notes: what was done to fit parts together, a sentence each.
    """

    name: str
    streams: tuple[str, ...]
    fusion: str
    heads: dict[str, Reads]
    components: tuple[Component, ...]
    parameters: Parameters
    flops_per_sample: Flops
    freeze: tuple[FrozenPart, ...]
    caching: tuple[Caching, ...]
    attention: dict[str, AttentionPlan]
    lowered: tuple[Lowered, ...]
    notes: tuple[str, ...]
