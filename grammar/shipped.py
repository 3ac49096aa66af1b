"""The specs that ship with the package."""

from collections.abc import Iterator
from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "specs"


def shipped_specs() -> dict[str, str]:
    """Return the first comment line of each shipped spec by its name, in order of names.

    One in a folder is called after both: `models/vilt`.
    """
    return {name: _about(_FOLDER / f"{name}.vl") for name in shipped_names()}


def shipped_names() -> tuple[str, ...]:
    """Return the names of the shipped specs, in order."""
    return tuple(sorted(path.relative_to(_FOLDER).with_suffix("").as_posix() for path in _files()))


def shipped_path(name: str) -> Path | None:
    """Return where a shipped spec lies, or None if there is none of this name."""
    path = _FOLDER / f"{name}.vl"
    named = all(part.isidentifier() for part in name.split("/"))
    return path if named and path.is_file() else None


def _files() -> Iterator[Path]:
    yield from _FOLDER.glob("*.vl")
    yield from _FOLDER.glob("*/*.vl")


def _about(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().removeprefix("#").strip()
