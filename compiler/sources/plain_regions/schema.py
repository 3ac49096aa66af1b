"""Keys of `plain_regions`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.source import Detected, Position, StackDimensions


class PlainRegions(Detected, StackDimensions):
    """A transformer over features of detected regions. Source: Tan & Bansal 2019, LXMERT."""

    called: ClassVar[tuple[str, ...]] = (
        "detector",
        "regions",
        "boxes",
        "faster_rcnn",
        "fasterrcnn",
        "vinvl",
    )
    positions: ClassVar[frozenset[Position]] = frozenset({"backbone"})

    source: Literal["plain_regions"] = "plain_regions"
    eps: float = key(
        1e-12,
        doc="added to the variance that a norm divides by",
        impact="numerics",
        gt=0,
        le=0.1,
    )
    norm: Literal["post", "pre"] = key(
        "post",
        doc="`post`: each part of a layer is normalised behind its sum, as in BERT and LXMERT; "
        "`pre`: in front of it",
        impact="weights",
    )
