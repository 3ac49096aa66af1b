"""Where things are kept that can be made again."""

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Return a folder that only this user can read.

    Args:
        name: of what is kept in it.

    Raises:
        OSError: if it cannot be made.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "renaissance" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
