"""Keys of `image_caption`."""

from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.paths import resolved, same_content


class ImageCaption(FormatBlock):
    """CSV, JSON Lines or Parquet tables with a column of image paths and one of captions.

    In Parquet images may lie in the column themselves, as those of Hugging Face do.
    """

    called: ClassVar[tuple[str, ...]] = (
        "csv",
        "json",
        "jsonl",
        "tsv",
        "parquet",
        "table",
        "webdataset",
        "image_text",
        "pairs",
    )

    format: Literal["image_caption"] = "image_caption"
    table: str | tuple[str, ...] = key(
        doc="path of the table, or a list of paths", impact="training", path="file"
    )
    root: str | None = key(
        None,
        doc="folder that image paths start from; each table's own if absent",
        impact="training",
        path="folder",
    )
    image: str = key("image", doc="column of image paths", impact="training")
    caption: str = key(
        "caption",
        doc="column of captions: a string, or a list of strings in JSON Lines and Parquet",
        impact="training",
    )
    separator: str | None = key(
        None,
        doc="what stands between the values of a CSV, one character; a comma if absent, in `.tsv` "
        "a tab",
        impact="training",
        min_length=1,
        max_length=1,
    )
    split: str | None = key(
        None,
        doc="rows to take: those whose `split_column` says this; all if absent",
        impact="training",
        name=True,
    )
    split_column: str = key("split", doc="column of splits, for `split`", impact="training")
    weight_column: str | None = key(
        None,
        doc="column of numbers: how often a row comes in an epoch, 0 for never; each comes once if "
        "absent",
        impact="training",
    )

    @property
    def tables(self) -> tuple[str, ...]:
        """The paths of all tables."""
        return (self.table,) if isinstance(self.table, str) else self.table

    def same_pairs(self, other: FormatBlock) -> bool:
        """Tell whether another block names an equal table of the same images."""
        return (
            isinstance(other, ImageCaption)
            and self._columns == other._columns
            and len(self.tables) == len(other.tables)
            and self._images == other._images
            and all(
                resolved(mine) == resolved(theirs) or same_content(mine, theirs)
                for mine, theirs in zip(self.tables, other.tables, strict=True)
            )
        )

    @property
    def _columns(self) -> tuple[str | None, ...]:
        return (self.image, self.caption, self.separator, self.split, self.split_column)

    @property
    def _images(self) -> tuple[str, ...]:
        if self.root is not None:
            return (resolved(self.root),) * len(self.tables)
        return tuple(resolved(Path(table).parent) for table in self.tables)
