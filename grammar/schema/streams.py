"""Where a stream of tokens comes from: backbones (two towers) and embeddings (one tower)."""

from typing import Annotated, Literal

from pydantic import Field

from renaissance.grammar.schema.declaration import Block, key

Modality = Literal["text", "vision"]
Activation = Literal["gelu", "relu", "silu"]
Resize = Literal["crop", "squash"]


class TextLength(Block):
    """What every text stream has."""

    max_tokens: int | None = key(
        None,
        doc="longest text, special tokens included; longer texts are cut; the longest that the "
        "architecture allows if absent",
        impact="weights",
        unit="tokens",
        ge=2,
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
        doc="`crop`: scale the shorter side, cut out the centre; `squash`: scale both sides",
        impact="numerics",
    )


class HuggingFace(TextLength, ImageSize):
    """An encoder that transformers' AutoModel makes, with its weights."""

    source: Literal["huggingface"] = "huggingface"
    id: str = key(doc="hub id, or path of a local folder", impact="weights", positional=True)
    revision: str = key("main", doc="branch, tag or commit on the hub", impact="training")


class Timm(ImageSize):
    """A vision encoder of timm, with its weights."""

    source: Literal["timm"] = "timm"
    name: str = key(
        doc="timm model name, `hf-hub:` id, or path of a local folder",
        impact="weights",
        positional=True,
    )


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


class RandomArchitecture(Dimensions, TextLength, ImageSize):
    """The architecture of a known model without its weights; dimensions may differ from it."""

    source: Literal["random"] = "random"
    id: str = key(
        doc="hub id, timm name or path of a local folder", impact="weights", positional=True
    )


class PlainStack(Block):
    """A pre-norm transformer stack, defined by its dimensions alone."""

    source: Literal["plain"] = "plain"
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


class PlainText(PlainStack):
    """A text encoder with a word-piece vocabulary learned from the data of the first job."""

    source: Literal["plain_text"] = "plain_text"  # type: ignore[assignment]
    max_tokens: int = key(
        50,
        doc="longest text, special tokens included; longer texts are cut",
        impact="weights",
        unit="tokens",
        ge=2,
        le=8192,
    )
    vocabulary: int = key(
        8192,
        doc="most word pieces that the learned vocabulary may hold",
        impact="weights",
        unit="word pieces",
        ge=64,
        le=1_000_000,
    )


class PlainVision(PlainStack):
    """A vision transformer over patches, with a class token."""

    source: Literal["plain_vision"] = "plain_vision"  # type: ignore[assignment]
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
        doc="`crop`: scale the shorter side, cut out the centre; `squash`: scale both sides",
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


class Wordpiece(Block):
    """Word and position embeddings of a one-tower model."""

    source: Literal["wordpiece"] = "wordpiece"
    id: str | None = key(
        None,
        doc="hub id or folder whose tokenizer is used; without it a vocabulary is learned",
        impact="weights",
        positional=True,
    )
    max_tokens: int = key(
        40,
        doc="longest text, special tokens included; longer texts are cut",
        impact="weights",
        unit="tokens",
        ge=2,
        le=8192,
    )
    vocabulary: int | None = key(
        None,
        doc="most word pieces of a learned vocabulary",
        impact="weights",
        unit="word pieces",
        ge=64,
        le=1_000_000,
    )
    width: int | None = key(
        None,
        doc="embedding size; projected where it differs from the stack's width",
        impact="weights",
        unit="channels",
        ge=1,
        le=65_536,
    )


class Patches(Block):
    """Patch and position embeddings of a one-tower model, with a class token."""

    source: Literal["patches"] = "patches"
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
        doc="`crop`: scale the shorter side, cut out the centre; `squash`: scale both sides",
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
    width: int | None = key(
        None,
        doc="embedding size; projected where it differs from the stack's width",
        impact="weights",
        unit="channels",
        ge=1,
        le=65_536,
    )


Backbone = Annotated[
    HuggingFace | Timm | RandomArchitecture | PlainText | PlainVision,
    Field(discriminator="source"),
]
Embedding = Annotated[Wordpiece | Patches, Field(discriminator="source")]
Stream = Annotated[
    HuggingFace | Timm | RandomArchitecture | PlainText | PlainVision | Wordpiece | Patches,
    Field(discriminator="source"),
]
Stack = Annotated[
    HuggingFace | Timm | RandomArchitecture | PlainStack, Field(discriminator="source")
]


def modality(stream: Stream) -> Modality:
    """Return what a resolved stream reads.

    Resolution fills in `max_tokens` of a text stream and `image_size` of a vision stream; exactly
    one of them is then set.
    """
    return "vision" if getattr(stream, "image_size", None) is not None else "text"
