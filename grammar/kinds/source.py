"""Sources: where a stream of tokens, or a stack of layers, comes from."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import Block, WordBlock, key
from renaissance.grammar.encoder_halves import Half
from renaissance.grammar.kinds.block import KindBlock

Modality = Literal["text", "vision"]
Activation = Literal["gelu", "relu", "silu"]
Normalise = Literal["encoder", "half", "imagenet", "clip"]
OF_IMAGES = ("resize", "normalise", "pooling")
"""Keys that say something about images alone."""
OF_TEXTS = ("padding",)
"""Keys that say something about texts alone, nothing if absent."""
Position = Literal["backbone", "embed", "encoder"]
"""Where a source can stand: `backbone x = …`, `embed x = …`, or as the `encoder` of a fusion."""


class Fit(WordBlock):
    """Images keep their shape, but for the rest that patches leave; those of a batch differ.

    The shorter side is scaled to `shorter`; where the longer one would then be more than `longer`,
    it is scaled to that. Both are rounded down to `multiple`. Each image is encoded as it is,
    without padding; position embeddings are interpolated from the grid of `image_size`.

    Source: Kim et al. 2021, ViLT, section 4.1.
    """

    resize: Literal["fit"] = "fit"
    shorter: int = key(
        doc="shorter side of an image", impact="numerics", unit="pixels", ge=8, le=2048
    )
    longer: int = key(
        doc="most that the longer side may have", impact="numerics", unit="pixels", ge=8, le=4096
    )
    multiple: int = key(
        doc="both sides are rounded down to a multiple of this, which is one of the patch",
        impact="numerics",
        unit="pixels",
        ge=1,
        le=2048,
    )

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width that an image of such a height and width gets, pixels."""
        scale = self.shorter / min(height, width)
        if scale * max(height, width) > self.longer:
            scale = self.longer / max(height, width)
        # A very long image would have no shorter side left.
        high, wide = (
            max(self._rounded(int(scale * side + 0.5)), self.multiple) for side in (height, width)
        )
        return high, wide

    @property
    def largest(self) -> tuple[int, int]:
        """Height and width of an image with as many pixels as any gets."""
        return self._rounded(self.shorter), self._rounded(self.longer)

    def _rounded(self, side: int) -> int:
        return side // self.multiple * self.multiple


Resize = Literal["crop", "squash"] | Fit


class SourceBlock(KindBlock):
    """Where a stream of tokens, or a stack of layers, comes from.

    Facets: `anatomy.py` says what it consists of, `module.py` builds it.
    """

    family: ClassVar[str] = "source"
    positions: ClassVar[frozenset[Position]]
    library: ClassVar[str | None] = None
    """The library whose names it takes; None where it takes names of several, or none."""
    loads_weights: ClassVar[bool] = False
    """It starts from published weights, which fix its dimensions."""

    @property
    def identifier(self) -> str | None:
        """The hub id, timm name or folder that it names, if any."""
        return None

    @property
    def weights_of(self) -> str | None:
        """The hub id, timm name or folder whose weights it starts from; None: random ones."""
        return self.identifier if self.loads_weights else None

    @property
    def tokenizer(self) -> str | None:
        """The hub id or folder whose tokenizer its texts are read with; None: one is learned."""
        return self.identifier

    @property
    def learned_vocabulary(self) -> int | None:
        """Most word pieces of a vocabulary that it learns; None where its default counts."""
        return None

    @property
    def hub_revision(self) -> str:
        """Branch, tag or commit on the hub."""
        return "main"


class NamedArchitecture(SourceBlock):
    """A source that names an architecture, which fills in lengths and image sizes."""

    @property
    def identifier(self) -> str:
        """The hub id, timm name or folder that it names."""
        raise NotImplementedError


class TextLength(Block):
    """What every text stream has."""

    max_tokens: int | None = key(
        None,
        doc="longest text, special tokens included; longer texts are cut; the longest that the "
        "architecture allows if absent",
        impact="weights",
        unit="tokens",
        ge=3,
        le=8192,
    )


class ImageSize(Block):
    """What every vision stream has."""

    image_size: int | None = key(
        None,
        doc="height and width of the square image that the model sees; the architecture's own if "
        "absent",
        impact="weights",
        unit="pixels",
        ge=8,
        le=2048,
    )
    resize: Resize = key(
        "crop",
        doc="`crop`: scale the shorter side, cut out the centre; `squash`: scale both sides; "
        "`fit`: keep the shape",
        impact="numerics",
    )
    normalise: Normalise = key(
        "encoder",
        doc="mean and standard deviation of each colour that pixels are normalised with: those "
        "that the encoder states, 0.5 for all, or those of ImageNet's or of CLIP's images",
        impact="numerics",
    )


class ImageEncoder(NamedArchitecture, ImageSize):
    """An encoder of a library that reads images."""


class LibraryEncoder(TextLength, ImageEncoder):
    """An encoder of a library that reads images or texts."""

    half: Half = key(
        "vision",
        doc="which encoder of a model that has one for images and one for texts, such as CLIP",
        impact="weights",
    )
    pooling: Literal["none", "attention"] = key(
        "none",
        doc="`attention`: what SigLIP's encoder of images pools by attention stands in front of "
        "its patches, as a class token",
        impact="numerics",
    )
    padding: Literal["attended"] | None = key(
        None,
        doc="`attended`: texts are filled up to `max_tokens` with padding, which is attended to, "
        "as SigLIP was trained; nothing attends to padding if absent",
        impact="numerics",
    )


def pools_itself(stream: SourceBlock) -> bool:
    """Tell whether what an encoder pools by attention stands in front of its tokens."""
    return getattr(stream, "pooling", "none") == "attention"


class Shortened(Block):
    """An encoder with published weights, of which the first layers may be all that is taken."""

    layers: int | None = key(
        None,
        doc="how many of its first layers are taken, with the norm behind the last one; all of "
        "them if absent",
        impact="weights",
        ge=1,
        le=1000,
    )


def first_layers(block: SourceBlock) -> int | None:
    """Return how many layers are taken of published ones; None for all, or of random ones."""
    return block.layers if isinstance(block, Shortened) else None


class Dimensions(Block):
    """Sizes of a known architecture that starts from random weights; its own where absent."""

    layers: int | None = key(None, doc="transformer layers", impact="weights", ge=1, le=1000)
    width: int | None = key(
        None, doc="hidden size", impact="weights", unit="channels", ge=1, le=65_536
    )
    heads: int | None = key(
        None, doc="attention heads; divides the width", impact="numerics", ge=1, le=4096
    )
    mlp_ratio: float | None = key(
        None,
        doc="width of the feed-forward part over the hidden size",
        impact="weights",
        gt=0,
        le=256,
    )
    dropout: float | None = key(
        None, doc="probability of dropping an activation", impact="numerics", ge=0, lt=1
    )
    embedding_size: int | None = key(
        None,
        doc="channels of the word embeddings of a family that maps them to its hidden size, such "
        "as ELECTRA",
        impact="weights",
        unit="channels",
        ge=1,
        le=65_536,
    )


class StackDimensions(SourceBlock):
    """A pre-norm transformer stack, defined by its dimensions alone."""

    layers: int = key(doc="transformer layers", impact="weights", ge=1, le=1000)
    width: int = key(doc="hidden size", impact="weights", unit="channels", ge=1, le=65_536)
    heads: int = key(doc="attention heads; divides the width", impact="numerics", ge=1, le=4096)
    mlp_ratio: float = key(
        4.0,
        doc="width of the feed-forward part over the hidden size",
        impact="weights",
        gt=0,
        le=256,
    )
    dropout: float = key(
        0.1, doc="probability of dropping an activation", impact="numerics", ge=0, lt=1
    )
    activation: Activation = key("gelu", doc="of the feed-forward part", impact="numerics")
    eps: float = key(
        1e-5,
        doc="added to the variance that a norm divides by; BERT, ViT and ViLT have 1e-12",
        impact="numerics",
        gt=0,
        le=0.1,
    )


class Patched(Block):
    """Images that are cut into patches."""

    image_size: int = key(
        224,
        doc="height and width of the square image that the model sees",
        impact="weights",
        unit="pixels",
        ge=8,
        le=2048,
    )
    resize: Resize = key(
        "crop",
        doc="`crop`: scale the shorter side, cut out the centre; `squash`: scale both sides; "
        "`fit`: keep the shape",
        impact="numerics",
    )
    normalise: Normalise = key(
        "encoder",
        doc="mean and standard deviation of each colour that pixels are normalised with: those "
        "that the encoder states, 0.5 for all, or those of ImageNet's or of CLIP's images",
        impact="numerics",
    )
    patch: int = key(
        16, doc="height and width of a patch", impact="weights", unit="pixels", ge=1, le=2048
    )
    stem: Literal["linear", "convolutional"] = key(
        "linear",
        doc="how a patch becomes a token: one linear map, or 3 × 3 convolutions of stride 2",
        impact="weights",
    )


class Detected(Block):
    """Images of which a detector has found regions and kept what it made of them.

    What is read is a file `NAME.npz` for each image, where NAME is that of the image's file without
    its ending, with `features` `[regions, channels]`, and for `boxes = true` `boxes` `[regions, 4]`
    (left, top, right, bottom in pixels) and the image's `width` and `height`. An objective may ask
    for `classes` `[regions, classes]` too, the probability of each class.
    """

    features: str = key(
        doc="folder of the detector's files, `NAME.npz` for each image",
        impact="training",
        positional=True,
        path="folder",
    )
    channels: int = key(
        2048, doc="numbers that stand for a region", impact="weights", ge=1, le=65_536
    )
    regions: int = key(
        36,
        doc="most regions of an image that are read, the first of its file",
        impact="numerics",
        ge=1,
        le=1024,
    )
    boxes: bool = key(
        True,
        doc="where a region lies is embedded too, and averaged with what it shows",
        impact="weights",
    )


def modality(stream: SourceBlock) -> Modality:
    """Return what a resolved stream reads.

    Resolution fills in `max_tokens` of a text stream and `image_size` of one that reads pixels;
    exactly one of them is then set.
    """
    if isinstance(stream, Detected):
        return "vision"
    return "vision" if getattr(stream, "image_size", None) is not None else "text"


def reads_pixels(stream: SourceBlock) -> bool:
    """Tell whether a stream opens image files, and no features of regions."""
    return modality(stream) == "vision" and not isinstance(stream, Detected)


def fit_of(stream: SourceBlock) -> Fit | None:
    """Return how the images of a stream keep their shape; None where they become square."""
    resize = getattr(stream, "resize", None)
    return resize if isinstance(resize, Fit) else None


def half_of(block: Block) -> Half:
    """Return which encoder is meant of a model that has one for images and one for texts."""
    half: Half = getattr(block, "half", "vision")
    return half


def is_embedding(stream: SourceBlock) -> bool:
    """Tell whether a stream is declared as `embed`: it has no layers of its own."""
    return "embed" in stream.positions
