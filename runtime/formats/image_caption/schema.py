"""Keys of `image_caption`."""

from pathlib import Path
from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.paths import resolved, same_content


class ImageCaption(FormatBlock):
    """A CSV, JSON Lines or Parquet table with a column of image paths and one of captions."""

    format: Literal["image_caption"] = "image_caption"
    table: str = key(doc="path of the table", impact="training", path="file")
    root: str | None = key(
        None,
        doc="folder that image paths start from; the table's own if absent",
        impact="training",
        path="folder",
    )
    image: str = key("image", doc="column of image paths", impact="training")
    caption: str = key(
        "caption",
        doc="column of captions: a string, or a list of strings in JSON Lines and Parquet",
        impact="training",
    )

    def same_pairs(self, other: FormatBlock) -> bool:
        """Tell whether another block names an equal table of the same images."""
        return (
            isinstance(other, ImageCaption)
            and (self.image, self.caption) == (other.image, other.caption)
            and self._images == other._images
            and (
                resolved(self.table) == resolved(other.table)
                or same_content(self.table, other.table)
            )
        )

    @property
    def _images(self) -> str:
        return resolved(Path(self.table).parent if self.root is None else self.root)
