"""What the streams of a model ask of texts and images."""

from dataclasses import dataclass
from importlib.metadata import version

from renaissance.compiler.backbones import normalisation
from renaissance.grammar.anatomy.architecture import vocabulary_named
from renaissance.grammar.kinds.source import Detected, Fit, Resize, SourceBlock, modality
from renaissance.grammar.schema.model import Model
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.resize import METHOD

LEARNED_VOCABULARY = 8192
"""Word pieces of a vocabulary that is learned, where a stream does not say."""
Channels = tuple[float, float, float]

DECODING = ("pillow", "torch", "torchvision")
"""Packages that turn a file into pixels. What decodes JPEG gives the pixels that Pillow gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNeeds:
    """What the text stream reads.

    Attributes:
        max_tokens: longest text, special tokens included.
        tokenizer: hub id or folder of its tokenizer; None if one is learned.
        revision: branch, tag or commit on the hub.
        vocabulary: most pieces of a learned tokenizer.
        rows: of the word embedding; None where only its library knows.
        fill: texts are filled up to `max_tokens` with padding that is attended to.
    """

    max_tokens: int
    tokenizer: str | None
    revision: str
    vocabulary: int
    rows: int | None
    fill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageNeeds:
    """What the vision stream reads.

    Attributes:
        size: height and width of square ones in pixels.
        resize: how they become square, or keep their shape.
        mean: of each channel, on a scale from 0 to 1.
        std: of each channel, on the same scale.
    """

    size: int
    resize: Resize
    mean: Channels
    std: Channels

    @property
    def largest(self) -> tuple[int, int]:
        """Height and width of an image with as many pixels as any has."""
        return self.resize.largest if isinstance(self.resize, Fit) else (self.size, self.size)

    @property
    def nbytes(self) -> int:
        """How large its pixels are, a byte a channel."""
        height, width = self.largest
        return 3 * height * width

    @property
    def blank(self) -> bytes:
        """The file of an image of one colour, the mean one: nothing is left of it normalised."""
        return b"P6 1 1 255\n" + bytes(round(255 * share) for share in self.mean)

    @property
    def origin(self) -> tuple[object, ...]:
        """What pixels depend on besides the file: how they are made, and by what."""
        made = (METHOD, self.size, self.resize, self.mean, self.std)
        return (made, *(f"{package} {version(package)}" for package in DECODING))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionNeeds:
    """What a stream of regions reads.

    Attributes:
        folder: of the detector's files, one for each image.
        channels: numbers that stand for a region.
        regions: most regions of an image that are read.
        boxes: whether it reads where regions lie.
        classes: that a region may be of, whose probabilities are read too; 0 for none.
    """

    folder: str
    channels: int
    regions: int
    boxes: bool
    classes: int = 0

    @property
    def numbers(self) -> int:
        """Numbers that are read of a region: features, a box and classes."""
        return self.channels + 4 + self.classes

    @property
    def nbytes(self) -> int:
        """How large its regions are, as float32."""
        return 4 * self.regions * self.numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What a stream reads of the images of a row.

    Attributes:
        needs: what it reads of an image.
        image: which of the images of a pair.
    """

    needs: ImageNeeds | RegionNeeds
    image: int


def text_needs(model: Model) -> TextNeeds:
    """Return what the first text stream of a model reads; DataError if there is none."""
    stream = _first(model, "text")
    max_tokens: int | None = getattr(stream, "max_tokens", None)
    if max_tokens is None:
        raise DataError(f"the text stream of model `{model.name}` has no `max_tokens`")
    name = stream.tokenizer
    return TextNeeds(
        max_tokens=max_tokens,
        tokenizer=name,
        revision=stream.hub_revision,
        vocabulary=stream.learned_vocabulary or LEARNED_VOCABULARY,
        rows=None if name is None else vocabulary_named(name),
        fill=getattr(stream, "padding", None) == "attended",
    )


def image_needs(model: Model) -> ImageNeeds:
    """Return what the first stream reads that reads pixels; DataError if there is none."""
    for showing in vision_needs(model).values():
        if isinstance(showing.needs, ImageNeeds):
            return showing.needs
    raise DataError(f"no stream of model `{model.name}` reads pixels")


def vision_needs(model: Model, classes: int = 0) -> dict[str, Showing]:
    """Return what each vision stream of a model reads, in order.

    Args:
        model: a resolved one.
        classes: of regions that are read beside their features, for an objective.

    Raises:
        DataError: if there is no such stream.
    """
    if not model.vision:
        raise DataError(f"model `{model.name}` has no vision stream, which the data need")
    return {
        name: Showing(needs=_needs(model, model.streams[name], classes), image=image)
        for name, image in model.vision.items()
    }


def _needs(model: Model, stream: SourceBlock, classes: int) -> ImageNeeds | RegionNeeds:
    if isinstance(stream, Detected):
        return RegionNeeds(
            folder=stream.features,
            channels=stream.channels,
            regions=stream.regions,
            boxes=stream.boxes,
            classes=classes,
        )
    size: int | None = getattr(stream, "image_size", None)
    if size is None:
        raise DataError(f"the vision stream of model `{model.name}` has no `image_size`")
    mean, std = normalisation(stream)
    resize: Resize = getattr(stream, "resize", "crop")
    return ImageNeeds(size=size, resize=resize, mean=mean, std=std)


def _first(model: Model, kind: str) -> SourceBlock:
    for stream in model.streams.values():
        if modality(stream) == kind:
            return stream
    raise DataError(f"model `{model.name}` has no {kind} stream, which the data need")
