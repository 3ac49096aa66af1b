"""From a traced pass to what each component of a model costs."""

from collections.abc import Iterable, Mapping

from torch import nn

from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.model_plan import Component, Flops, Gradient
from renaissance.compiler.planning.tracing import Operation, Passage, Trace


def components(model: VisionLanguageModel, traced: Trace, texts: int) -> tuple[Component, ...]:
    """Return every component of a model, with FLOPs for one of the texts of a pass."""
    parameters = dict(model.named_parameters())
    held: dict[str, list[nn.Parameter]] = {}
    kinds: dict[str, str] = {}
    for name, entry in parameter_addresses(model).items():
        held.setdefault(entry.address, []).append(parameters[name])
        kinds[entry.address] = entry.component
    computed: dict[str, list[Operation]] = {address: [] for address in held}
    for operation in traced.operations:
        computed[_owner(operation.address, held)].append(operation)
    return tuple(
        _component(address, kinds[address], group, computed[address], traced.passages, texts)
        for address, group in held.items()
    )


def _owner(address: str, held: Iterable[str]) -> str:
    """Return the component that an operation is counted for; a container's go to its first."""
    return next(known for known in held if known == address or known.startswith(f"{address}."))


def _component(
    address: str,
    kind: str,
    parameters: list[nn.Parameter],
    operations: list[Operation],
    passages: Mapping[str, Passage],
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
        kind=kind,
        input=passage.input if passage else None,
        output=output,
        parameters=sum(part.numel() for part in parameters),
        trainable=learning,
        gradient=_gradient(upstream=bool(passage and passage.gradient), learns=learning > 0),
        flops=flops_of(operations, texts),
    )


def _gradient(*, upstream: bool, learns: bool) -> Gradient:
    if upstream:
        return "both" if learns else "input"
    return "weights" if learns else "none"


def flops_of(operations: Iterable[Operation], texts: int) -> Flops:
    """Return what operations cost for one of the texts of a pass."""
    forward = to_inputs = to_weights = recomputed = 0
    for operation in operations:
        recomputed += operation.recomputed
        forward += operation.forward
        to_inputs += operation.to_inputs
        to_weights += operation.to_weights
    recomputed = round(recomputed / texts)
    forward, backward = round(forward / texts), round((to_inputs + to_weights) / texts)
    to_weights = min(round(to_weights / texts), backward)
    return Flops(
        forward=forward,
        to_inputs=backward - to_weights,
        to_weights=to_weights,
        backward=backward,
        recomputed=recomputed,
        training=forward + backward + recomputed,
    )
