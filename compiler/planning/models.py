"""A model on torch's meta device: no memory, no weights, no network for known architectures."""

from collections.abc import Iterator

import torch

from renaissance.compiler import freeze
from renaissance.compiler.assembly import assemble
from renaissance.compiler.demand import unread_parts
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.implementations import Place, planned_attention
from renaissance.compiler.lowering.lowerings import explained, is_lowered
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.benefit import Caching
from renaissance.compiler.planning.caching import Known, caching
from renaissance.compiler.planning.components import components, flops_of
from renaissance.compiler.planning.machines import Device, Machine
from renaissance.compiler.planning.model_plan import FrozenPart, ModelPlan, Parameters
from renaissance.compiler.planning.passes import sample_pass
from renaissance.compiler.planning.substitution import Substitution
from renaissance.compiler.planning.tracing import Trace, trace
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Adapt, Model


def drafted(
    declared: Model, training: Pretrain | Finetune | None
) -> tuple[VisionLanguageModel, freeze.FreezePlan]:
    """Return a model without contents, frozen as for the first step, and what is frozen when.

    Args:
        declared: its declaration.
        training: the job whose heads it gets.

    Raises:
        CompileError: if it cannot be built as declared.
    """
    with torch.device("meta"):
        model = assemble(declared, training, weights=False)
    resolved = freeze.resolve(model, declared.frozen)
    model.train()
    resolved.apply(model, 0, 1)
    return model, resolved


def plan_model(
    declared: Model,
    device: Device,
    machine: Machine | None,
    tokens: int | None,
    known: Known | None = None,
) -> ModelPlan:
    """Plan a model alone, with one text and one image.

    Args:
        declared: its declaration.
        device: that it runs on.
        machine: the same, where a certain one is meant.
        tokens: of the text; as many as the tower takes if None.
        known: what `caching` found of towers before.

    Raises:
        CompileError: if it cannot be built as declared.
    """
    model, resolved = drafted(declared, None)
    step = sample_pass(model, tokens)
    traced = trace(model, step.run, backward=False, substitution=Substitution(device, "fp32"))
    kept = caching(model, declared, tokens=tokens, known=known)
    place = place_of(device, machine)
    context = context_of(declared, place)
    return described(model, resolved, traced, step.texts, kept, place, None, context)


def place_of(device: Device, machine: Machine | None) -> Place:
    """Return where attention is chosen."""
    if machine is None:
        return Place(device=device)
    return Place(device=device, certain=True, kernels=machine.kernels)


def context_of(declared: Model, place: Place) -> Context:
    """Return what a model is lowered for, whatever the job."""
    return Context(attention=declared.attention, device=place.device if place.certain else None)


def described(
    model: VisionLanguageModel,
    resolved: freeze.FreezePlan,
    traced: Trace,
    texts: int,
    kept: tuple[Caching, ...],
    place: Place,
    products: torch.dtype | None,
    context: Context,
) -> ModelPlan:
    """Return what is known about a model after a pass over some texts was traced.

    Args:
        model: as drafted.
        resolved: what is frozen.
        traced: the pass.
        texts: of the pass.
        kept: what keeping features would cost and save.
        place: where it runs.
        products: type of the products; None where no job says it.
        context: what the model is lowered for.
    """
    return ModelPlan(
        name=model.name,
        streams=model.anatomy.inputs,
        fusion=model.anatomy.fusion_name,
        heads={head.name: head.reads for head in model.anatomy.heads or ()},
        components=components(model, traced, texts),
        parameters=_parameters(model),
        flops_per_sample=flops_of(traced.operations, texts),
        freeze=tuple(_frozen(selection) for selection in resolved.selections),
        caching=kept,
        attention=planned_attention(model, place, products),
        lowered=explained(model, context) if is_lowered(model) else (),
        notes=tuple(_notes(model)),
    )


def _notes(model: VisionLanguageModel) -> Iterator[str]:
    """Yield what was done to fit parts together, where weights are from, and sizes of images."""
    for name, tower in model.towers.items():
        yield from tower.facts.notes
        if tower.facts.fit is not None:
            height, width = tower.facts.largest
            yield (
                f"images of `{name}` keep their shape; all are counted as the largest, "
                f"{height} × {width} pixels"
            )
    fusion = model.anatomy.fusion
    weights = None if fusion is None else fusion.weights_of
    if weights is not None:
        yield f"`{model.fusion_name}` starts from the last layers of `{weights}`"
    if model.started is not None:
        yield from model.started.sentences


def _parameters(model: VisionLanguageModel) -> Parameters:
    own = dict(model.named_parameters())
    total = sum(part.numel() for part in own.values())
    trainable = sum(part.numel() for part in own.values() if part.requires_grad)
    unread = sum(own[name].numel() for names in unread_parts(model).values() for name in names)
    named = model.named_parameters(remove_duplicate=False)
    return Parameters(
        total=total,
        trainable=trainable,
        frozen=total - trainable - unread,
        unread=unread,
        tied=sum(part.numel() for _, part in named) - total,
    )


def _frozen(selection: freeze.FrozenSelection) -> FrozenPart:
    directive = selection.directive
    until = directive.until
    return FrozenPart(
        selectors=directive.selectors,
        excluded=directive.excluded,
        until=str(until) if isinstance(until, float) else until,
        parameters=selection.parameters,
        rank=directive.rank if isinstance(directive, Adapt) else None,
        adapters=selection.adapters,
    )
