"""What the streams of a model ask of texts and images."""

from dataclasses import dataclass

from renaissance.compiler.backbones import normalisation
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.timm.schema import Timm
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.kinds.source import Resize, SourceBlock, modality
from renaissance.grammar.schema.model import Model
from renaissance.runtime.data.errors import DataError

LEARNED_VOCABULARY: int = PlainText.model_fields["vocabulary"].default
Channels = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNeeds:
    """What the text stream reads.

    Attributes:
        max_tokens: longest text, special tokens included.
        tokenizer: hub id or folder of its tokenizer; None if one is learned.
        revision: branch, tag or commit on the hub.
        vocabulary: most pieces of a learned tokenizer.
        rows: of the word embedding; None where only its library knows.
    """

    max_tokens: int
    tokenizer: str | None
    revision: str
    vocabulary: int
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageNeeds:
    """What the vision stream reads.

    Attributes:
        size: height and width in pixels.
        resize: how images become square.
        mean: of each channel, on a scale from 0 to 1.
        std: of each channel, on the same scale.
    """

    size: int
    resize: Resize
    mean: Channels
    std: Channels


def text_needs(model: Model) -> TextNeeds:
    """Return what the first text stream of a model reads; DataError if there is none."""
    stream = _first(model, "text")
    if isinstance(stream, Timm | PlainVision | Patches) or stream.max_tokens is None:
        raise DataError(f"the text stream of model `{model.name}` has no `max_tokens`")
    learned = stream.vocabulary if isinstance(stream, PlainText | Wordpiece) else None
    known = None if isinstance(stream, PlainText) else architecture_of(stream)
    return TextNeeds(
        max_tokens=stream.max_tokens,
        tokenizer=None if isinstance(stream, PlainText) else stream.id,
        revision=stream.revision if isinstance(stream, HuggingFace) else "main",
        vocabulary=LEARNED_VOCABULARY if learned is None else learned,
        rows=known.vocabulary if known is not None else None,
    )


def image_needs(model: Model) -> ImageNeeds:
    """Return what the first vision stream of a model reads; DataError if there is none."""
    stream = _first(model, "vision")
    if isinstance(stream, PlainText | Wordpiece) or stream.image_size is None:
        raise DataError(f"the vision stream of model `{model.name}` has no `image_size`")
    mean, std = normalisation(stream)
    return ImageNeeds(size=stream.image_size, resize=stream.resize, mean=mean, std=std)


def _first(model: Model, kind: str) -> SourceBlock:
    for stream in model.streams.values():
        if modality(stream) == kind:
            return stream
    raise DataError(f"model `{model.name}` has no {kind} stream, which the data need")
