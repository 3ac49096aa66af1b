"""A model: named streams, how they are fused and pooled, what is frozen."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.declaration import Block, Share, key
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.head import Head
from renaissance.grammar.kinds.source import SourceBlock, modality, reads_pixels

Pooling = Literal["cls", "mean", "first", "last"]
Pooler = Literal["tanh", "none"]
Attention = Literal["auto", "triton", "sdpa", "eager"]
Lower = Literal["auto", "none"]

FUSED_HEADS = range(16, 129, 8)
"""Widths of the heads that `attention = triton` can take, channels."""


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


class Adapt(Block):
    """What learns through low-rank adapters alone: it is frozen, and each of its linear maps adds
    `alpha / rank · B A` of its input, where `A` maps to `rank` channels and `B`, zero at the start,
    back. Source: Hu et al. 2021, LoRA, section 4.1."""

    until: ClassVar[None] = None
    """What is under adapters never learns."""

    selectors: tuple[str, ...] = key(
        doc="addresses or kinds, as `freeze` takes them; what is found there is frozen",
        impact="weights",
    )
    excluded: tuple[str, ...] = key(
        (), doc="addresses or kinds that are neither frozen nor adapted", impact="weights"
    )
    rank: int = key(
        8, doc="channels of each adapter", impact="weights", unit="channels", ge=1, le=65_536
    )
    alpha: float = key(
        16.0,
        doc="factor on what adapters add, divided by their rank",
        impact="numerics",
        gt=0,
        le=1_000_000,
    )
    dropout: float = key(
        0.0,
        doc="probability of leaving out a channel of an adapter's input",
        impact="training",
        ge=0,
        lt=1,
    )


class Model(Block):
    """A vision-language encoder. Names of streams and of the fusion are the roots of addresses."""

    name: str = key(doc="what jobs call it", impact="cosmetic")
    streams: dict[str, SourceBlock] = key(doc="inputs by name, in order", impact="weights")
    fusion_name: str = key(doc="root address of the fusion layers", impact="weights")
    fusion: FusionBlock = key(doc="how the streams are joined", impact="weights")
    pool: Pooling = key(
        "cls",
        doc="`cls`: first token of each stream, `mean`: mean of each stream's tokens, both joined; "
        "`first`: first token of the first stream; `last`: last token of a text, as in CLIP, and "
        "first token of images, joined",
        impact="weights",
    )
    pooler: Pooler = key(
        "tanh",
        doc="what each pooled vector goes through: `tanh`, a linear map and tanh, as in BERT, ViLT "
        "and LXMERT, or `none`, as in ALBEF",
        impact="weights",
    )
    weights: str | None = key(
        None,
        doc="local folder of a published BLIP, CLIP, LXMERT, SigLIP, ViLT or VisualBERT, in "
        "transformers' format, from whose weights it starts; what has no counterpart there starts "
        "at random",
        impact="training",
        path="folder",
    )
    attention: Attention = key(
        "auto",
        doc="implementation of attention; `auto` takes the fastest that fits",
        impact="cosmetic",
    )
    lower: Lower = key(
        "auto",
        doc="`auto`: whatever computes the same faster; `none`: the plain modules as they are "
        "written, on padded rows and by torch's own operations, whatever `attention` says",
        impact="cosmetic",
    )
    freeze: tuple[Freeze, ...] = key((), doc="what does not learn", impact="training")
    adapt: tuple[Adapt, ...] = key((), doc="what learns through adapters alone", impact="weights")

    def anatomy(self, heads: tuple[Head, ...] | None = None) -> Anatomy:
        """Return the parts of the model with some heads, or with any that a job could add."""
        return Anatomy(
            dict(self.streams),
            self.fusion.inputs,
            self.fusion_name,
            self.fusion,
            self.pool,
            self.pooler,
            heads,
            tuple((one.selectors, one.excluded) for one in self.adapt),
        )

    @property
    def frozen(self) -> tuple[Freeze | Adapt, ...]:
        """Everything that does not learn: what `freeze` says, and what lies under adapters."""
        return (*self.freeze, *self.adapt)

    @property
    def sources(self) -> tuple[SourceBlock, ...]:
        """The sources of all streams, and that of the fusion's stack where it has one."""
        stack = self.fusion.stack
        return (*self.streams.values(), *(() if stack is None else (stack,)))

    @property
    def vision(self) -> dict[str, int]:
        """Streams that read images, in the order of the fusion, and which of a row's images.

        Those that read pixels take the images of a row in order, and so do those of regions.
        """
        found: dict[str, int] = {}
        counts = {True: 0, False: 0}
        # In a file with mistakes a fusion may join what is not there.
        for name in filter(self.streams.__contains__, self.fusion.inputs):
            stream = self.streams[name]
            if modality(stream) == "vision":
                found[name] = counts[reads_pixels(stream)]
                counts[reads_pixels(stream)] += 1
        return found

    @property
    def images_a_pair(self) -> int:
        """Images of a row that are read at once, beside its text."""
        return 1 + max(self.vision.values(), default=0)

    @property
    def lowers(self) -> bool:
        """Whether lowerings are applied."""
        return self.lower == "auto"

    @property
    def attention_taken(self) -> Attention:
        """Implementation that is taken: plain operations where nothing is lowered."""
        return self.attention if self.lowers else "eager"
