"""What follows for an encoder from the architecture that it names: its length, its dimensions."""

from renaissance.grammar.composition.embeddings import complete_embedding
from renaissance.grammar.composition.encoder_mistakes import (
    DIMENSIONS,
    has_layers,
    is_a_stack,
    pools_as_said,
    reads_only,
    takes_dimensions,
    warn_of_half,
)
from renaissance.grammar.composition.encoder_names import (
    NamedEncoder,
    is_of_its_library,
    length_unknown,
    named_encoder,
    warn_if_misspelt,
)
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.source import (
    OF_IMAGES,
    OF_TEXTS,
    Dimensions,
    NamedArchitecture,
    SourceBlock,
    is_embedding,
)
from renaissance.grammar.places import Path, Places
from renaissance.grammar.record import replace
from renaissance.grammar.schema.vocabulary import default_of


def complete_stream(
    stream: SourceBlock, path: Path, places: Places, findings: Findings
) -> SourceBlock | None:
    """Return a backbone or embedding with everything set that its architecture determines.

    Afterwards exactly one of `max_tokens` and `image_size` is set. None if a finding says why not.
    """
    if is_embedding(stream):
        return complete_embedding(stream, path, places, findings)
    if not isinstance(stream, NamedArchitecture):
        return stream
    encoder = named_encoder(stream, path, places, findings, reads=True)
    if encoder is None or not is_of_its_library(encoder):
        return None
    modality = _modality(encoder)
    if modality is None:
        return None
    wanted, other = "max_tokens", "image_size"
    if modality == "vision":
        wanted, other = other, wanted
    if not reads_only(encoder, modality, other):
        return None
    warn_of_half(encoder)
    _warn_of_foreign_keys(encoder, modality)
    if modality == "vision" and not pools_as_said(encoder):
        return None
    if getattr(stream, wanted) is None:
        default = getattr(encoder.known, wanted, None)
        if default is None:
            findings.add(length_unknown(encoder, wanted))
            return None
        encoder.derive(wanted)
        encoder = replace(encoder, block=stream.model_copy(update={wanted: default}))
    warn_if_misspelt(encoder)
    return _with_dimensions(encoder)


def complete_stack(
    stack: SourceBlock, path: Path, places: Places, findings: Findings
) -> SourceBlock | None:
    """Return the encoder of a one-tower model with its dimensions filled in."""
    if not isinstance(stack, NamedArchitecture):
        return stack
    encoder = named_encoder(stack, path, places, findings, reads=False)
    if encoder is None:
        return None
    warn_if_misspelt(encoder)
    neutral = {}
    for key in ("max_tokens", "image_size", "embedding_size", *OF_IMAGES, *OF_TEXTS):
        if encoder.says(key):
            encoder.has_no_effect(key, "the embeddings decide what the stack reads")
            neutral[key] = default_of(type(stack).model_fields[key])
    if not is_of_its_library(encoder) or not is_a_stack(encoder):
        return None
    return _with_dimensions(replace(encoder, block=stack.model_copy(update=neutral)))


def _modality(encoder: NamedEncoder) -> str | None:
    """Return `text` or `vision`, as known or by the length or size that is set; None if neither."""
    if encoder.known is not None:
        return encoder.known.modality
    if "max_tokens" not in type(encoder.block).model_fields:
        return "vision"
    text, vision = (
        getattr(encoder.block, key, None) is not None for key in ("max_tokens", "image_size")
    )
    if text and vision:
        encoder.findings.add(
            Diagnostic(
                code="VL306",
                message="a stream reads text or images, not both",
                span=encoder.key("image_size"),
                label="`max_tokens` is set as well",
            )
        )
        return None
    if not text and not vision:
        encoder.findings.add(length_unknown(encoder, "max_tokens` or `image_size"))
        return None
    return "text" if text else "vision"


def _warn_of_foreign_keys(encoder: NamedEncoder, modality: str) -> None:
    """Warn about keys that only matter to what the stream does not read."""
    foreign: tuple[str, ...] = OF_IMAGES if modality == "text" else OF_TEXTS
    reason = {"text": "a text stream has no images", "vision": "a stream of images has no texts"}
    for key in foreign:
        if encoder.says(key):
            encoder.has_no_effect(key, reason[modality])


def _with_dimensions(encoder: NamedEncoder) -> SourceBlock | None:
    """Return the block with the dimensions that its file leaves to the architecture."""
    block, known = encoder.block, encoder.known
    if not isinstance(block, Dimensions):
        return block if has_layers(encoder) else None
    if known is None:
        return block
    if not takes_dimensions(encoder, known):
        return None
    updates: dict[str, object] = {}
    if known.sequence and known.described:
        for key in DIMENSIONS:
            own = getattr(known, key)
            if getattr(block, key) is None and own is not None:
                updates[key] = own
                encoder.derive(key)
    return block.model_copy(update=updates)
