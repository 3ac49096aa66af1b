"""A model: named streams, how they are fused and pooled, what is frozen."""

from typing import Annotated, Literal

from pydantic import Field

from renaissance.grammar.schema.declaration import Block, Share, key
from renaissance.grammar.schema.streams import Activation, Stack, Stream

Pooling = Literal["cls", "mean", "first"]
Attention = Literal["auto", "triton", "sdpa", "eager"]


class CrossAttention(Block):
    """Two towers joined by co-attention layers. Source: Tan & Bansal 2019, LXMERT, section 3.1."""

    topology: Literal["cross_attention"] = "cross_attention"
    inputs: tuple[str, ...] = key(
        doc="a text stream and a vision stream", impact="weights", positional=True
    )
    layers: int = key(6, doc="co-attention layers", impact="weights", ge=1, le=1000)
    width: int = key(256, doc="hidden size", impact="weights", unit="channels", ge=1, le=65_536)
    heads: int = key(4, doc="attention heads; divides the width", impact="numerics", ge=1, le=4096)
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


class SingleStream(Block):
    """One tower: one stack over the joint sequence of all embedded inputs."""

    topology: Literal["single_stream"] = "single_stream"
    inputs: tuple[str, ...] = key(
        doc="the embedded streams, in the order of the joint sequence",
        impact="weights",
        positional=True,
    )
    encoder: Stack = key(doc="the stack, taken from a text or a vision model", impact="weights")


Fusion = Annotated[CrossAttention | SingleStream, Field(discriminator="topology")]


class Freeze(Block):
    """What does not learn. Directives add up; `freeze nothing` is an empty list of directives."""

    selectors: tuple[str, ...] = key(
        doc="addresses: a component, layers of it (`text.layers[:4]`) or a kind of parameter",
        impact="training",
    )
    excluded: tuple[str, ...] = key(
        (), doc="addresses or kinds that keep learning", impact="training"
    )
    until: Share | Annotated[int, Field(ge=0, le=1_000_000_000)] | None = key(
        None,
        doc="when it starts to learn: a share of the steps or a number of steps; never if absent",
        impact="training",
        unit="steps",
    )
    cache: bool | Literal["auto"] = key(
        "auto",
        doc="keep what a wholly frozen tower makes of images, or of unmasked texts, on disk and "
        "read it instead of computing it again; `auto` where reading is predicted to be faster, "
        "they are seen more than once and all of them fit",
        impact="cosmetic",
    )
    cache_limit: float = key(
        20.0,
        doc="most space that kept features may take on disk, those of other towers included",
        impact="cosmetic",
        unit="GiB",
        gt=0,
        le=1_000_000,
    )


class Model(Block):
    """A vision-language encoder. Names of streams and of the fusion are the roots of addresses."""

    name: str = key(doc="what jobs call it", impact="cosmetic")
    streams: dict[str, Stream] = key(doc="inputs by name, in order", impact="weights")
    fusion_name: str = key(doc="root address of the fusion layers", impact="weights")
    fusion: Fusion = key(doc="how the streams are joined", impact="weights")
    pool: Pooling = key(
        "cls",
        doc="`cls`: first token of each stream, `mean`: mean of each stream's tokens, both joined; "
        "`first`: first token of the first stream",
        impact="weights",
    )
    attention: Attention = key(
        "auto",
        doc="implementation of attention; `auto` takes the fastest that fits",
        impact="cosmetic",
    )
    freeze: tuple[Freeze, ...] = key((), doc="what does not learn", impact="training")
