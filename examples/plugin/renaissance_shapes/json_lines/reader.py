"""Lines of JSON with `image` and `text`."""

from pathlib import Path

from renaissance.runtime.data.table import Source, Table, make_table
from renaissance_shapes.json_lines.schema import JsonLines
from renaissance_shapes.lines import columns


def read(block: JsonLines, source: Source) -> Table:
    """Read the file; raises DataError."""
    path = Path(block.table)
    images, texts = columns(path, "image", "text")
    return make_table(source, path.parent, texts, images)
