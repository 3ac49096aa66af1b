"""What tests of readers look at."""

from pathlib import Path

from renaissance.grammar.kinds.data import FormatBlock
from renaissance.runtime.data.identity import names_of
from renaissance.runtime.data.reading import read_pairs
from renaissance.runtime.data.table import Table


def read(block: FormatBlock) -> Table:
    """Read a block as a job does."""
    return read_pairs(block, "pairs")


def pairs(table: Table, root: Path) -> list[tuple[str, str]]:
    """Return the path of the image, from a folder on, and the text of each row."""
    paths = [Path(table.path(image)).relative_to(root).as_posix() for image in table.image_of_row]
    return list(zip(paths, table.texts.to_pylist(), strict=True))


def names(table: Table, space: str) -> list[str | None]:
    """Return what a data set calls each image."""
    found: list[str | None] = names_of(table).of[space].to_pylist()
    return found
