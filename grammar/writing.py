"""Files that are replaced as a whole: readers find the old one or the new one, never a half."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DRAFT = ".draft-"
"""How the names of drafts begin."""


def draft_of(path: Path) -> Path:
    """Return where the new content of a file is written before it takes its place."""
    return path.with_name(f"{DRAFT}{path.name}")


@contextmanager
def replacing(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """Lend a draft to write to, which takes the place of a file at the end.

    Args:
        path: of the file; it is there afterwards and survives a loss of power.
        shared: other processes may replace it at the same time, so that each has its own draft.

    Raises:
        OSError: if it cannot be written; the old one is there then, and no draft.
    """
    draft = path.with_name(f"{DRAFT}{os.getpid()}-{path.name}") if shared else draft_of(path)
    try:
        yield draft
        to_disk(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    to_disk(path.parent)


def write_whole(path: Path, text: str, *, shared: bool = False) -> None:
    """Replace a small text file.

    Args:
        path: of the file.
        text: that it holds then.
        shared: other processes may replace it at the same time.

    Raises:
        OSError: if it cannot be written; the old one is there then, and nothing else.
    """
    with replacing(path, shared=shared) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
