"""What the heads of a job read of a model, and which parts nothing reads.

A fusion may have parts that serve one stream alone, as the last co-attention layer has: its method
`serving` names them by address. Where no head reads that stream, they have no effect in the job.
Neither has a tower on which nothing that is read depends: the method `reached` says on which
streams one depends behind the fusion, on all without it. Where its layers encode a stream by itself
too, and a head reads that, only its `joining` parts may have none. What has no effect stays in the
model, where a later job finds it, and is held constant.
"""

from collections.abc import Iterable, Iterator

from torch import nn

from renaissance.compiler.model import VisionLanguageModel

_TOKENS = {"all": "all tokens", "first": "the first token", "last": "the last token"}


def read_streams(model: VisionLanguageModel) -> frozenset[str]:
    """Return the streams of which a head reads tokens behind the fusion.

    A model without heads hands all of them on.
    """
    found: set[str] = set()
    for head in model.heads:
        if _reads_before(model, head):
            continue
        if _reads_patches(model, head):
            found |= _vision_streams(model)
        elif _reads_tokens(model, head):
            found |= _text_streams(model)
        else:
            found |= set(model.pool.queries)
    return frozenset(found) if len(model.heads) else frozenset(model.towers)


def readings(model: VisionLanguageModel) -> tuple[str, ...]:
    """Say of each head what it reads."""
    said = []
    for head in model.heads:
        if _reads_tokens(model, head):
            parts = [f"{name} at masked positions" for name in sorted(_text_streams(model))]
        elif _reads_patches(model, head):
            regions = model.heads.declared[head].predicts == "regions"
            hidden = "regions" if regions else "patches"
            parts = [f"{name} at hidden {hidden}" for name in sorted(_vision_streams(model))]
        elif _reads_before(model, head):
            parts = [_vector(model, name) for name in sorted(_read_before(model, head))]
        else:
            parts = [f"{_TOKENS[model.pool.query(name)]} of {name}" for name in model.pool.streams]
        tied = ", and scores with the word embeddings" if _is_tied(model, head) else ""
        said.append(f"{head} reads {' and '.join(parts)}{tied}")
    return tuple(said)


def unread_parts(model: VisionLanguageModel) -> dict[str, tuple[str, ...]]:
    """Return the parameters that no head reads, by the address of the part that they belong to."""
    if not len(model.heads):
        return {}
    if all(_reads_before(model, head) for head in model.heads):
        return _named(model, _unread_without_fusion(model))
    return _named(model, _unread_beside_fusion(model))


def _unread_without_fusion(model: VisionLanguageModel) -> Iterator[tuple[str, nn.Module]]:
    """Yield what no head reads where all of them read streams before these are joined."""
    alone = _read_alone(model)
    for name in sorted(model.towers.keys() - alone):
        yield name, model.streams[name]
    encoded = [name for name in sorted(alone) if model.encoded_by_fusion(name)]
    for name in encoded:
        yield from model.joining_parts(name).items()
    if not encoded and not _reads_space(model):
        yield model.fusion_name, model.fusion
    yield "pool", model.pool


def _unread_beside_fusion(model: VisionLanguageModel) -> Iterator[tuple[str, nn.Module]]:
    """Yield what no head reads where some of them read streams that were joined."""
    alone, read = _read_alone(model), read_streams(model)
    reached = getattr(model.fusion, "reached", None)
    if reached is not None:
        needed = alone.union(*map(reached, read))
        yield from ((name, tower) for name, tower in model.towers.items() if name not in needed)
    serving = getattr(model.fusion, "serving", None)
    if serving is not None:
        spared = alone if _reads_space(model) else frozenset()
        for stream in sorted(model.towers.keys() - read - spared):
            if stream in alone and model.encoded_by_fusion(stream):
                yield from model.joining_parts(stream).items()
                continue
            for part, module in serving(stream).items():
                yield f"{model.fusion_name}.{part}", module
    if not any(model.heads.declared[head].reads == "pooled" for head in model.heads):
        yield "pool", model.pool


def _read_alone(model: VisionLanguageModel) -> frozenset[str]:
    """Return the streams that some head reads before they are joined."""
    return frozenset[str]().union(*(_read_before(model, head) for head in model.heads))


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


def _vision_streams(model: VisionLanguageModel) -> set[str]:
    return model.towers.keys() - _text_streams(model)


def _reads_before(model: VisionLanguageModel, head: str) -> bool:
    """Tell whether a head reads streams before the fusion."""
    return model.heads.declared[head].reads in ("text", "streams")


def _reads_streams(model: VisionLanguageModel, head: str) -> bool:
    return model.heads.declared[head].reads == "streams"


def _read_before(model: VisionLanguageModel, head: str) -> set[str]:
    """Return the streams that a head reads before the fusion."""
    if _reads_streams(model, head):
        return set(model.compared)
    return _text_streams(model) if _reads_before(model, head) else set()


def _reads_space(model: VisionLanguageModel) -> bool:
    """Tell whether a head reads what the fusion makes of each stream before it joins them."""
    return hasattr(model.fusion, "vectors") and any(
        _reads_streams(model, head) for head in model.heads
    )


def _vector(model: VisionLanguageModel, stream: str) -> str:
    """Say which vector of a stream is read before the fusion."""
    if _reads_space(model):
        return f"{stream} in the space of {model.fusion_name}"
    facts = model.towers[stream].facts
    query = model.pool.query(stream)
    if facts.modality == "vision" and not facts.class_token:
        query = "all"
    by = f", encoded by {model.fusion_name} alone" if model.encoded_by_fusion(stream) else " alone"
    return f"{_TOKENS[query]} of {stream}{by}"


def _is_tied(model: VisionLanguageModel, head: str) -> bool:
    return model.heads.declared[head].tied


def _reads_patches(model: VisionLanguageModel, head: str) -> bool:
    return model.heads.declared[head].reads == "patches"


def _reads_tokens(model: VisionLanguageModel, head: str) -> bool:
    return model.heads.declared[head].reads == "tokens"
