"""Fusions: how streams are joined."""

from collections.abc import Iterable
from typing import ClassVar, Literal, Self

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.kinds.source import Activation, Modality, SourceBlock


class FusionBlock(KindBlock):
    """How the streams of a model are joined.

    Facets: `anatomy.py` says what it consists of, `module.py` is its mathematics, `lowered.py`, if
    there is one, computes the same on packed rows and only what is read.

    Behind it every stream has the rows that it had in front of it and the tokens, each in its
    place: heads read tokens by these places. Of a stream that it brings back with other tokens,
    such as learned queries, `keeps` says so. Whatever comes back otherwise is a KindError.
    """

    family: ClassVar[str] = "fusion"
    accepts: ClassVar[Literal["backbone", "embed"]]
    """How the streams that it joins are declared."""
    embeds_first: ClassVar[bool] = False
    """The first of them may be embeddings alone: its layers are the fusion's."""
    joins: ClassVar[bool] = True
    """What stands behind it of one stream depends on the other."""

    joins_several: ClassVar[bool] = False
    """It takes more than one stream of images beside the text."""

    to_encode: ClassVar[str | None] = None
    """What lets its layers encode a stream by itself, as it is written; None if nothing does."""

    inputs: tuple[str, ...]

    def encodes(self, stream: str) -> bool:
        """Tell whether its layers encode a stream by itself too, beside joining it with others.

        Where they do, what reads the stream before the fusion reads that. The module has three
        methods then: `encodes` says the same, `alone(stream, features, queries)` encodes it and
        returns what is read of it, and `joining(stream)` names the parts, by address, that serve
        the stream only where it is joined.
        """
        return False

    def reaches(self, stream: str) -> bool:
        """Tell whether what stands behind it of a stream depends on the others that it joins."""
        return self.joins

    def keeps(self, stream: str) -> bool:
        """Tell whether the tokens of a stream stand behind it where they stood in front of it.

        Objectives that read single tokens or patches cannot read a stream of which they do not.
        """
        return True

    def turned(self, stream: str) -> str | None:
        """Return how it is written so that it reaches a stream; None where nothing helps."""
        return None

    def takes(self, streams: int) -> bool:
        """Tell whether it joins so many streams."""
        return streams == 2 or (streams > 2 and self.joins_several)

    @property
    def space(self) -> int | None:
        """Channels of the space that it brings one vector of each stream to before it joins them.

        None where it has no such space. Where it has one, the method `vectors` of its module maps
        what is pooled of streams, by name, to `[rows, space]` each, and that is what heads read
        that read streams before the fusion.
        """
        return None

    @property
    def weights_of(self) -> str | None:
        """The hub id or folder whose weights its own layers start from; None: random ones.

        Where there is one, `load` in `module.py` lets them start from it.
        """
        return None

    @property
    def stack(self) -> SourceBlock | None:
        """The stack of layers that all streams run through together; None where there is none."""
        return None

    def with_stack(self, stack: SourceBlock) -> Self:
        """Return the same fusion over another stack."""
        return self

    def remarks_on(self, stream: str, reads: Modality, width: int | None) -> Iterable[Remark]:
        """Say what is wrong with one of the streams that it joins.

        Args:
            stream: its name.
            reads: what it reads.
            width: channels of its tokens; None where only the built model tells.
        """
        return ()


class FusionLayers(FusionBlock):
    """A fusion with layers of its own, defined by their dimensions."""

    layers: int = key(6, doc="fusion layers", impact="weights", ge=1, le=1000)
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


class TypedStreams(FusionBlock):
    """A fusion that may tell its layers which stream a token comes from."""

    type_embedding: bool = key(
        True,
        doc="a learned vector for each stream is added to all of its tokens; LXMERT has none",
        impact="weights",
    )


class ProjectedStreams(FusionBlock):
    """A fusion with linear maps from its towers to its hidden size."""

    projection: Literal["always", "needed"] = key(
        "always",
        doc="a linear map in front of each stream: `always`, or where its width is another one "
        "(`needed`, as in LXMERT)",
        impact="weights",
    )

    def projects(self, width: int | None, own: int) -> bool:
        """Tell whether a stream of a width is projected to that of the fusion."""
        return self.projection == "always" or width != own
