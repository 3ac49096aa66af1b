"""What the heads of a job read of a model, and which parts nothing reads.

A fusion may have parts that serve one stream alone, as the last co-attention layer has: its method
`serving` names them by address. Where no head reads that stream, they have no effect in the job.
Neither has a tower on which nothing that is read depends: the method `reached` says on which
streams one depends behind the fusion, on all without it. What has no effect stays in the model,
where a later job finds it, and is held constant.
"""

from collections.abc import Iterable

from torch import nn

from renaissance.compiler.model import VisionLanguageModel


def read_streams(model: VisionLanguageModel) -> frozenset[str]:
    """Return the streams of which a head reads tokens behind the fusion.

    A model without heads hands all of them on.
    """
    found: set[str] = set()
    for head in model.heads:
        if _reads_text(model, head):
            continue
        found |= _text_streams(model) if _reads_tokens(model, head) else set(model.pool.queries)
    return frozenset(found) if len(model.heads) else frozenset(model.towers)


def readings(model: VisionLanguageModel) -> tuple[str, ...]:
    """Say of each head what it reads."""
    tokens = {"all": "all tokens", "first": "the first token"}
    said = []
    for head in model.heads:
        if _reads_tokens(model, head):
            parts = [f"{name} at masked positions" for name in sorted(_text_streams(model))]
        elif _reads_text(model, head):
            wanted = "all" if model.pool.pooling == "mean" else "first"
            parts = [f"{tokens[wanted]} of {name} alone" for name in sorted(_text_streams(model))]
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
    parts: list[tuple[str, nn.Module]] = []
    if all(_reads_text(model, head) for head in model.heads):
        others = sorted(model.towers.keys() - _text_streams(model))
        parts += [(name, model.streams[name]) for name in others]
        return _named(model, [*parts, (model.fusion_name, model.fusion), ("pool", model.pool)])
    read = read_streams(model)
    reached = getattr(model.fusion, "reached", None)
    if reached is not None:
        alone = (
            _text_streams(model) if any(_reads_text(model, head) for head in model.heads) else ()
        )
        needed = frozenset[str]().union(alone, *map(reached, read))
        parts += [(name, tower) for name, tower in model.towers.items() if name not in needed]
    serving = getattr(model.fusion, "serving", None)
    if serving is not None:
        for stream in sorted(model.towers.keys() - read):
            parts += [
                (f"{model.fusion_name}.{part}", module) for part, module in serving(stream).items()
            ]
    if all(_reads_tokens(model, head) for head in model.heads):
        parts.append(("pool", model.pool))
    return _named(model, parts)


def _named(
    model: VisionLanguageModel, parts: Iterable[tuple[str, nn.Module]]
) -> dict[str, tuple[str, ...]]:
    """Return the names of the parameters of parts, by address."""
    names = {id(part): name for name, part in model.named_parameters()}
    return {
        address: tuple(names[id(part)] for part in module.parameters()) for address, module in parts
    }


def _text_streams(model: VisionLanguageModel) -> set[str]:
    return {name for name, tower in model.towers.items() if tower.facts.modality == "text"}


def _reads_text(model: VisionLanguageModel, head: str) -> bool:
    return model.heads.declared[head].reads == "text"


def _reads_tokens(model: VisionLanguageModel, head: str) -> bool:
    return model.heads.declared[head].reads == "tokens"
