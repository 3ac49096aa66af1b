"""Keys of `json_lines`."""

from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock


class JsonLines(FormatBlock):
    """Lines of JSON with `image`, a path from the folder of the file, and `text`."""

    format: Literal["json_lines"] = "json_lines"
    table: str = key(doc="path of the file", impact="training", path="file")
