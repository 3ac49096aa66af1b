"""Keys of the format `vilt_arrow`."""

from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.paths import resolved


class ViltArrow(FormatBlock):
    """Arrow files as the converters of ViLT and METER write them: an image and its captions a row.
    Source: Kim et al. 2021.
    """

    format: Literal["vilt_arrow"] = "vilt_arrow"
    root: str = key(doc="folder that holds the files", impact="training", path="folder")
    names: tuple[str, ...] = key(
        doc="names of files without `.arrow`, such as `coco_caption_karpathy_train`; one that they "
        "have in common stands for `sbu_0`, `sbu_1` and so on",
        impact="training",
        name=True,
        min_length=1,
    )

    def same_pairs(self, other: FormatBlock) -> bool:
        """Tell whether another block reads the same files."""
        return (
            isinstance(other, ViltArrow)
            and resolved(self.root) == resolved(other.root)
            and set(self.names) == set(other.names)
        )
