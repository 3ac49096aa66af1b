"""Keys of the format `datasets`."""

from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.paths import resolved


class HuggingFaceDatasets(FormatBlock):
    """A folder of Hugging Face's package `datasets`: one that `save_to_disk` wrote, or an
    `imagefolder` with `metadata.csv`, `.jsonl` or `.parquet`.
    """

    format: Literal["datasets"] = "datasets"
    root: str = key(doc="the folder", impact="training", path="folder")
    split: str | None = key(
        None, doc="which part, where there are several", impact="training", name=True
    )
    image: str = key("image", doc="column of images", impact="training", name=True)
    caption: str | None = key(
        None,
        doc="column of captions, texts or lists of them; `caption`, `captions` or `text` if absent",
        impact="training",
        name=True,
    )

    def same_pairs(self, other: FormatBlock) -> bool:
        """Tell whether another block reads the same columns of the same part."""
        return (
            isinstance(other, HuggingFaceDatasets)
            and resolved(self.root) == resolved(other.root)
            and (self.split, self.image, self.caption) == (other.split, other.image, other.caption)
        )
