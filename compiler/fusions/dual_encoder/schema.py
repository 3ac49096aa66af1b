"""Keys of `dual_encoder`."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.kinds.source import Modality


class DualEncoder(FusionBlock):
    """Two towers that never meet, projected to one space. Source: Radford et al. 2021, CLIP.

    Text and image are compared by the cosine of their vectors: of each stream what the model pools,
    projected. A head that reads pairs gets both behind the maps of the pool, one behind the other;
    `mlm` reads the projected tokens of the text, which know nothing of the image.
    """

    called: ClassVar[tuple[str, ...]] = ("two_tower", "siamese", "bi_encoder")
    accepts: ClassVar[Literal["backbone", "embed"]] = "backbone"
    joins: ClassVar[bool] = False

    topology: Literal["dual_encoder"] = "dual_encoder"
    inputs: tuple[str, ...] = key(
        doc="a text stream and a vision stream", impact="weights", positional=True
    )
    width: int = key(
        512,
        doc="channels of the space in which texts and images are compared",
        impact="weights",
        unit="channels",
        ge=1,
        le=65_536,
    )

    projection: Literal["both", "text"] = key(
        "both",
        doc="which streams a linear map brings to the space: `both`, as in CLIP, or `text`, as in "
        "SigLIP, where images are as wide as the space",
        impact="weights",
    )
    bias: bool = key(False, doc="these maps have a bias, as in SigLIP", impact="weights")

    def projects(self, reads: Modality) -> bool:
        """Tell whether a stream that reads texts, or images, is projected."""
        return self.projection == "both" or reads == "text"

    def remarks_on(self, stream: str, reads: Modality, width: int | None) -> Iterable[Remark]:
        """A stream that is not projected is as wide as the space."""
        if width in (None, self.width) or self.projects(reads):
            return
        yield Remark(
            code="VL315",
            message=f"`{stream}` is not projected, and has {width} channels",
            label=f"the space has {self.width}",
            key="projection",
            help=(f"write `width = {width}`, or `projection = both`",),
            related=(("width", f"{self.width} channels"),),
        )

    @property
    def space(self) -> int:
        """Channels of that space."""
        return self.width
