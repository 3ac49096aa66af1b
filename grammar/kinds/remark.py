"""What a kind has to say about its own keys."""

from typing import Literal

from renaissance.grammar.record import Record


class Remark(Record):
    """A finding about a block, before anybody knows where in a file the block stands.

    Attributes:
        code: of the finding; it has a page.
        message: what is wrong.
        label: what stands at the place.
        key: the key that it is about; the block itself if None.
        help: what to write instead.
        related: keys of the job that matter too, and what stands at each of them.
        severity: of the finding.
    """

    code: str
    message: str
    label: str = ""
    key: str | None = None
    help: tuple[str, ...] = ()
    related: tuple[tuple[str, str], ...] = ()
    severity: Literal["error", "warning"] = "error"
