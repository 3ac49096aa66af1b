"""Ask the disk about names that a user wrote: one that no path can have is simply not there."""

import os
from pathlib import Path


def is_folder(name: str | Path) -> bool:
    """Tell whether there is a folder of this name; False too where that cannot be found out."""
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def is_file(name: str | Path) -> bool:
    """Tell whether there is a file of this name; False too where that cannot be found out."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def exists(name: str | Path) -> bool:
    """Tell whether there is anything of this name; False too where that cannot be found out."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def children(name: str | Path) -> tuple[str, ...]:
    """Return the names in a folder, sorted; none where it cannot be read."""
    try:
        return tuple(sorted(child.name for child in Path(name).iterdir()))
    except (OSError, ValueError):
        return ()


def sizes(name: str | Path, most: int = 1000) -> dict[str, int]:
    """Return the sizes in bytes of the first files in a folder and below, by path inside it."""
    found: dict[str, int] = {}
    for folder, folders, files in os.walk(name):
        folders.sort()
        for file in sorted(files):
            path = Path(folder, file)
            try:
                found[str(path.relative_to(name))] = path.stat().st_size
            except OSError:
                continue
            if len(found) == most:
                return found
    return found


def resolved(name: str | Path) -> str:
    """Return the real path of a name, links followed; the name itself where there is none."""
    try:
        return str(Path(name).resolve())
    except (OSError, ValueError, RuntimeError):
        return str(name)


def same_content(one: str | Path | None, other: str | Path | None) -> bool:
    """Tell whether two files have the same bytes; False where one cannot be read."""
    if one is None or other is None or not (is_file(one) and is_file(other)):
        return False
    import filecmp

    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
