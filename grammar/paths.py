"""Ask the disk about names that a user wrote: one that no path can have is simply not there."""

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


def resolved(name: str | Path) -> str:
    """Return the real path of a name, links followed; the name itself where there is none."""
    try:
        return str(Path(name).resolve())
    except (OSError, ValueError, RuntimeError):
        return str(name)
