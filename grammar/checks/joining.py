"""Does the fusion of a model join its streams, each once, and streams that can be joined?"""

from collections.abc import Mapping, Sequence

from renaissance.grammar.checks.model_findings import ModelFindings
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Label
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.source import Detected, SourceBlock, modality, reads_pixels
from renaissance.grammar.names import listing, suggestion
from renaissance.grammar.source import Span
from renaissance.grammar.spelling import call_text


def _fusions_that_fit(found: ModelFindings) -> tuple[str, ...]:
    from renaissance.grammar.checks.published import as_published

    published = as_published(found)
    if published is None:
        return ("add `fusion cross = cross_attention(text, vision) { … }`",)
    fusion = f"fusion {published.fusion_name} = {published.fusion.word}(text, vision) {{ … }}"
    whole = f"`renaissance specs --from {published.folder}` writes the whole model"
    return (f"add `{fusion}`", whole)


def check_joined(found: ModelFindings) -> None:
    """Report a fusion that does not join each stream once, one of texts and one of images."""
    parts = found.parts
    if not parts.fusion_name:
        found.error(
            "VL311",
            f"model `{parts.name}` has no fusion",
            parts.span,
            "nothing joins its streams",
            *_fusions_that_fit(found),
        )
        return
    if parts.fusion_name in parts.streams:
        found.error(
            "VL105",
            f"`{parts.fusion_name}` is a stream and the fusion",
            found.value((*parts.path, "fusion_name")),
            "defined again",
            related=(
                Label(
                    span=found.value((*parts.path, "streams", parts.fusion_name)),
                    text="first defined here",
                ),
            ),
        )
        return
    if not parts.inputs or not _each_once(found):
        return
    _modalities(found)
    if parts.fusion is not None:
        _towers(found, parts.fusion)


def _each_once(found: ModelFindings) -> bool:
    """Tell whether a fusion names every stream once, and nothing else."""
    parts = found.parts
    seen: set[str] = set()
    sound = True
    for index, name in enumerate(parts.inputs):
        span = found.value((*parts.path, "fusion", "inputs", index))
        if name in seen:
            sound = False
            found.error("VL301", f"`{name}` is joined twice", span, "joined again")
        elif name not in parts.streams:
            sound = False
            _no_stream(found, name, span)
        seen.add(name)
    left = next((name for name in parts.streams if name not in seen), None)
    if left is None or not sound:
        return sound
    found.error(
        "VL302",
        f"stream `{left}` is not part of the fusion",
        found.value((*parts.path, "streams", left)),
        "read by nothing",
        "leave it out, or name it between the parentheses of the fusion",
        related=(Label(span=_fusion_span(found), text="joins other streams"),),
    )
    return False


def _no_stream(found: ModelFindings, name: str, span: Span) -> None:
    parts = found.parts
    left = [stream for stream in parts.streams if stream not in parts.inputs]
    meant = suggestion(name, parts.streams, "a stream")
    if not meant and len(left) == 1:
        meant = (f"write `{left[0]}`",)
    found.error(
        "VL301",
        f"there is no stream named `{name}`",
        span,
        "",
        *meant,
        notes=(f"streams of `{parts.name}` are {listing(parts.streams)}",),
    )


def _fusion_span(found: ModelFindings) -> Span:
    return found.places.key((*found.parts.path, "fusion")) or found.parts.span


def _modalities(found: ModelFindings) -> None:
    parts = found.parts
    streams = [parts.streams[name] for name in parts.inputs]
    if any(stream is None for stream in streams):
        return
    read = [modality(stream) for stream in streams if stream is not None]
    several = parts.fusion is not None and parts.fusion.joins_several
    texts, images = read.count("text"), read.count("vision")
    if texts != 1 or not (images == 1 or (several and images > 1)):
        wanted = "one vision stream or more" if several else "one vision stream"
        found.error(
            "VL301",
            f"`{parts.fusion_name}` joins {_counted(read)}",
            _fusion_span(found),
            f"one text stream and {wanted} are wanted",
        )
        return
    _shown_together(
        found, {name: stream for name, stream in zip(parts.inputs, streams, strict=True) if stream}
    )


def _shown_together(found: ModelFindings, streams: Mapping[str, SourceBlock]) -> None:
    """Streams of pixels read them alike, and there are regions of each image or of none."""
    pixels = [name for name, stream in streams.items() if reads_pixels(stream)]
    regions = [name for name, stream in streams.items() if isinstance(stream, Detected)]
    if pixels and regions and len(pixels) != len(regions):
        found.error(
            "VL301",
            f"`{found.parts.fusion_name}` joins {len(pixels)} streams of pixels and "
            f"{len(regions)} of regions",
            _fusion_span(found),
            "each reads the images of a row in order",
            "take as many of one as of the other, or one of the two alone",
        )
    for name in pixels[1:]:
        for key in ("image_size", "resize"):
            first, other = (getattr(streams[one], key, None) for one in (pixels[0], name))
            if first != other:
                found.error(
                    "VL301",
                    f"`{pixels[0]}` and `{name}` read images of different `{key}`",
                    found.value((*found.parts.path, "streams", name, key)),
                    f"is {_said(other)} here and {_said(first)} there",
                    "images are decoded once for all streams: write the same in both",
                )


def _towers(found: ModelFindings, fusion: FusionBlock) -> None:
    """A fusion joins towers or embeddings, whichever it takes."""
    parts, other = found.parts, fusion.accepts
    for name in parts.inputs:
        word = "embed" if name in parts.embedded else "backbone"
        first = name == parts.inputs[0] and fusion.embeds_first
        if word == other or first:
            continue
        found.error(
            "VL310",
            f"`{fusion.word()}` cannot join `{name}`",
            found.value((*parts.path, "streams", name)),
            f"is declared as `{word}`",
            f"declare it as `{other} {name} = …`",
            related=(Label(span=_fusion_span(found), text="joins it"),),
        )


def _said(value: object) -> str:
    """Return the spelling of what a stream says of its images."""
    return f"`{call_text(value) if isinstance(value, Block) else value}`"


def _counted(read: Sequence[str]) -> str:
    texts, images = read.count("text"), read.count("vision")
    return f"{texts} text and {images} vision streams"
