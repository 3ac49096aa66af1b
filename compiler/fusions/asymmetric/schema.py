"""Keys of `asymmetric`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionLayers


class Asymmetric(FusionLayers):
    """One tower attends to the other, which stays as it is. Source: Li et al. 2021, ALBEF.

    The stream that attends may be embeddings alone, as in BLIP: then all of its layers attend, and
    with `unimodal` encode it by itself too. Source: Li et al. 2022, BLIP.
    """

    called: ClassVar[tuple[str, ...]] = ("albef", "blip")
    accepts: ClassVar[Literal["backbone", "embed"]] = "backbone"
    embeds_first: ClassVar[bool] = True
    to_encode: ClassVar[str | None] = "unimodal = true"

    topology: Literal["asymmetric"] = "asymmetric"
    inputs: tuple[str, ...] = key(
        doc="the stream that attends to itself and to the other, and the one that stays",
        impact="weights",
        positional=True,
    )
    unimodal: bool = key(
        False,
        doc="what reads the stream that attends by itself, as `itc` does, reads it behind these "
        "layers, without attention to the other one (BLIP's unimodal encoder), and not as its "
        "tower gives it (ALBEF)",
        impact="numerics",
    )
    weights: str | None = key(
        None,
        doc="hub id or folder of a BERT whose last layers its own start from, as many as it has; "
        "attention to the other stream starts at random, and so does all else if absent",
        impact="training",
    )

    def reaches(self, stream: str) -> bool:
        """Tell whether a stream depends on the other: the one that attends does."""
        return stream == self.inputs[0]

    def turned(self, stream: str) -> str:
        """Return the fusion in which a stream attends to the other one."""
        other = next(name for name in self.inputs if name != stream)
        return f"{self.word()}({stream}, {other})"

    def encodes(self, stream: str) -> bool:
        """Tell whether its layers encode a stream by itself too: the one that attends."""
        return self.unimodal and stream == self.inputs[0]

    @property
    def weights_of(self) -> str | None:
        """The hub id or folder whose last layers its own start from."""
        return self.weights
