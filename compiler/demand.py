"""What the heads of a job read of a model, and which parts nothing reads.

The last co-attention layer computes a stream only where a head reads it, so the weights that serve
the other stream alone have no effect in that job. They stay in the model, where a later job finds
them, and are held constant.
"""

from collections.abc import Iterable, Sequence

from torch import nn

from renaissance.compiler.fusions.cross_attention.module import CoAttention
from renaissance.compiler.model import VisionLanguageModel


def read_streams(model: VisionLanguageModel) -> frozenset[str]:
    """Return the streams of which a head reads tokens behind the fusion.

    A model without heads hands all of them on.
    """
    found: set[str] = set()
    for head in model.heads:
        found |= _text_streams(model) if _reads_tokens(model, head) else set(model.pool.queries)
    return frozenset(found) if len(model.heads) else frozenset(model.towers)


def readings(model: VisionLanguageModel) -> tuple[str, ...]:
    """Say of each head what it reads."""
    tokens = {"all": "all tokens", "first": "the first token"}
    said = []
    for head in model.heads:
        if _reads_tokens(model, head):
            parts = [f"{name} at masked positions" for name in sorted(_text_streams(model))]
        else:
            parts = [
                f"{tokens[str(wanted)]} of {name}" for name, wanted in model.pool.queries.items()
            ]
        said.append(f"{head} reads {' and '.join(parts)}")
    return tuple(said)


def unread_parts(model: VisionLanguageModel) -> dict[str, tuple[str, ...]]:
    """Return the parameters that no head reads, by the address of the part that they belong to."""
    if not len(model.heads):
        return {}
    parts: list[tuple[str, Sequence[nn.Module]]] = []
    if isinstance(model.fusion, CoAttention):
        last = model.fusion.layers[-1]
        address = f"{model.fusion_name}.layers[{len(model.fusion.layers) - 1}]"
        parts += [
            (f"{address}.{name}", [last.get_submodule(f"streams.{name}")])
            for name in model.fusion.inputs
            if name not in read_streams(model)
        ]
    if all(_reads_tokens(model, head) for head in model.heads):
        parts.append(("pool", [model.pool]))
    names = {id(part): name for name, part in model.named_parameters()}
    return {address: tuple(_names(modules, names)) for address, modules in parts}


def _names(modules: Iterable[nn.Module], names: dict[int, str]) -> Iterable[str]:
    return (names[id(part)] for module in modules for part in module.parameters())


def _text_streams(model: VisionLanguageModel) -> set[str]:
    return {name for name, tower in model.towers.items() if tower.facts.modality == "text"}


def _reads_tokens(model: VisionLanguageModel, head: str) -> bool:
    return model.heads.declared[head].reads == "tokens"
