"""Where things are kept that can be made again."""

import errno
import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Return a folder that only this user can read.

    Args:
        name: of what is kept in it.

    Raises:
        OSError: if it cannot be made, or there is no place for it.
    """
    folder = _base() / "renaissance" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _base() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # in some containers users have neither HOME nor an entry of their own
        problem = "this user has no home folder, and XDG_CACHE_HOME is not set"
        raise OSError(errno.ENOENT, problem, "~/.cache") from None
