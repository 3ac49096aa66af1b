"""Everything about a spec's models that is worth knowing before time is spent on them.

Models are put together on torch's meta device: no memory, no weights, and for published
architectures no network.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from renaissance.compiler import freeze
from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.assembly import assemble
from renaissance.compiler.attention import PRODUCTS
from renaissance.compiler.caching import Caching, caching
from renaissance.compiler.errors import CompileError
from renaissance.compiler.implementations import AttentionPlan, planned_attention
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.passes import Pass, job_pass, sample_pass
from renaissance.compiler.tracing import Operation, Passage, Trace, trace
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec

if TYPE_CHECKING:
    from rich.console import RenderableType

Gradient = Literal["none", "input", "weights", "both"]
"""What the backward pass gives for a component: nothing (a constant subgraph), the gradient to its
input only (frozen below something that learns), to its weights only, or both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flops:
    """Floating-point operations for one sample, two for a multiply-add.

    Attributes:
        forward: of the forward pass.
        backward: of the backward pass.
        training: of both.
    """

    forward: int
    backward: int
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
        frozen: those that do not.
        tied: those counted once that stand in more than one place.
    """

    total: int
    trainable: int
    frozen: int
    tied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPart:
    """A freeze directive and how much it holds.

    Attributes:
        selectors: as written.
        excluded: as written.
        until: when it starts to learn, as written; None for never.
        parameters: numbers that it freezes.
    """

    selectors: tuple[str, ...]
    excluded: tuple[str, ...]
    until: str | int | None
    parameters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """A model, alone or with the heads of a job.

    Attributes:
        name: of the model.
        components: in the order of their parameters.
        parameters: of the whole.
        flops_per_sample: for one text of full length and one image; of a job, see `JobPlan`.
        freeze: directives, resolved.
        caching: what keeping the features of a frozen tower costs and saves; None without one.
        attention: which implementation runs, by root address.
        notes: what was done to fit parts together, a sentence each.
    """

    name: str
    components: tuple[Component, ...]
    parameters: Parameters
    flops_per_sample: Flops
    freeze: tuple[FrozenPart, ...]
    caching: Caching | None
    attention: dict[str, AttentionPlan]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A job and its model with heads.

    `model.flops_per_sample` counts what a step really does for one text: images that texts share
    are encoded once, texts once masked and once plain, the head of `mlm` at masked positions.

    Attributes:
        name: of the job.
        kind: what is done.
        model: with the heads and the freeze directives of the job.
    """

    name: str
    kind: Literal["pretrain", "finetune", "evaluate"]
    model: ModelPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All models of a spec, and its jobs."""

    models: tuple[ModelPlan, ...]
    jobs: tuple[JobPlan, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as nested dictionaries and lists, ready for JSON."""
        return _plain(asdict(self))  # type: ignore[no-any-return]

    def __rich__(self) -> "RenderableType":
        """Return the tree that rich prints."""
        from renaissance.compiler.drawing import draw

        return draw(self)

    def __str__(self) -> str:
        """Return the tree as text."""
        from rich.console import Console

        console = Console(width=200, no_color=True, highlight=False)
        with console.capture() as captured:
            console.print(self)
        return "\n".join(line.rstrip() for line in captured.get().splitlines())


def plan(spec: Spec, model: str | None = None) -> Plan:
    """Plan the models and jobs of a spec.

    Args:
        spec: a resolved spec.
        model: leaves out all models but this one, and the jobs of others.

    Raises:
        CompileError: if a model cannot be built as declared, or there is none of this name.
    """
    if model is not None and model not in spec.models:
        known = ", ".join(f"`{name}`" for name in spec.models) or "none"
        raise CompileError(f"there is no model `{model}`; models are {known}")
    models = tuple(
        plan_model(declared, None, None)
        for name, declared in spec.models.items()
        if model in (None, name)
    )
    jobs = tuple(
        JobPlan(
            name=name,
            kind=job.job,
            model=plan_model(spec.model_of(name), job, spec.training_job(name)),
        )
        for name, job in spec.jobs.items()
        if model in (None, spec.training_job(name).on)
    )
    return Plan(models=models, jobs=jobs)


def plan_model(declared: Model, job: Job | None, training: Pretrain | Finetune | None) -> ModelPlan:
    """Plan one model.

    Args:
        declared: its declaration.
        job: whose passes are counted; None for one plain pass.
        training: the job whose heads it gets.

    Raises:
        CompileError: if it cannot be built as declared.
    """
    with torch.device("meta"):
        model = assemble(declared, training, weights=False)
    resolved = freeze.resolve(model, declared.freeze)
    resolved.apply(model, 0, 1)
    step = sample_pass(model)
    if job is not None and training is not None:
        step = job_pass(model, job, training)
    if isinstance(job, Evaluate):
        model.requires_grad_(False)
    traced = trace(model, step.run)
    components = _components(model, traced, step)
    evaluates = isinstance(job, Evaluate)
    kept = caching(
        model,
        declared,
        precision=training.precision if training else "fp32",
        augmented=training is not None and training.augment != "none" and not evaluates,
    )
    return ModelPlan(
        name=declared.name,
        components=components,
        parameters=_parameters(model),
        flops_per_sample=_flops(traced.operations, step.texts),
        freeze=tuple(_frozen(selection) for selection in resolved.selections),
        caching=kept,
        attention=planned_attention(model, _device(), _products(training)),
        notes=tuple(note for tower in model.towers.values() for note in tower.facts.notes),
    )


def _components(model: VisionLanguageModel, traced: Trace, step: Pass) -> tuple[Component, ...]:
    parameters = dict(model.named_parameters())
    held: dict[str, list[nn.Parameter]] = {}
    for name, entry in parameter_addresses(model).items():
        held.setdefault(entry.address, []).append(parameters[name])
    computed: dict[str, list[Operation]] = {address: [] for address in held}
    for operation in traced.operations:
        computed[_owner(operation.address, held)].append(operation)
    return tuple(
        _component(address, group, computed[address], traced.passages, step.texts)
        for address, group in held.items()
    )


def _owner(address: str, held: Iterable[str]) -> str:
    """Return the component that an operation is counted for; a container's go to its first."""
    return next(known for known in held if known == address or known.startswith(f"{address}."))


def _component(
    address: str,
    parameters: list[nn.Parameter],
    operations: list[Operation],
    passages: dict[str, Passage] | Any,
    texts: int,
) -> Component:
    passage = passages.get(address)
    output = passage.output if passage else None
    root, _, last = address.rpartition(".")
    if last == "embeddings" and f"{root}.layers[0]" in passages:
        # Class tokens and positions may join patches outside any module of their own.
        output = passages[f"{root}.layers[0]"].input
    learning = sum(part.numel() for part in parameters if part.requires_grad)
    return Component(
        address=address,
        kind=_kind(address),
        input=passage.input if passage else None,
        output=output,
        parameters=sum(part.numel() for part in parameters),
        trainable=learning,
        gradient=_gradient(upstream=bool(passage and passage.gradient), learns=learning > 0),
        flops=_flops(operations, texts),
    )


def _gradient(*, upstream: bool, learns: bool) -> Gradient:
    if upstream:
        return "both" if learns else "input"
    return "weights" if learns else "none"


def _kind(address: str) -> str:
    parts = address.split(".")
    if parts[0] == "heads":
        return "head"
    if parts[0] == "pool" or parts[-2] == "projection":
        return parts[-2]
    return {"cross": "cross_attention"}.get(parts[-1], parts[-1].partition("[")[0])


def _flops(operations: Iterable[Operation], texts: int) -> Flops:
    forward = backward = 0
    for operation in operations:
        forward += operation.forward
        backward += operation.backward
    forward, backward = round(forward / texts), round(backward / texts)
    return Flops(forward=forward, backward=backward, training=forward + backward)


def _parameters(model: nn.Module) -> Parameters:
    own = list(model.parameters())
    total = sum(part.numel() for part in own)
    trainable = sum(part.numel() for part in own if part.requires_grad)
    named = model.named_parameters(remove_duplicate=False)
    return Parameters(
        total=total,
        trainable=trainable,
        frozen=total - trainable,
        tied=sum(part.numel() for _, part in named) - total,
    )


def _frozen(selection: freeze.FrozenSelection) -> FrozenPart:
    directive: Freeze = selection.directive
    until = directive.until
    return FrozenPart(
        selectors=directive.selectors,
        excluded=directive.excluded,
        until=str(until) if isinstance(until, float) else until,
        parameters=selection.parameters,
    )


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _products(training: Pretrain | Finetune | None) -> torch.dtype | None:
    return None if training is None else PRODUCTS[training.precision]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return value
