"""The specs that ship with the package."""

from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "specs"


def shipped_specs() -> dict[str, str]:
    """Return the first comment line of each shipped spec by its name, in order of names."""
    return {path.stem: _about(path) for path in sorted(_FOLDER.glob("*.vl"))}


def shipped_path(name: str) -> Path | None:
    """Return where a shipped spec lies, or None if there is none of this name."""
    path = _FOLDER / f"{name}.vl"
    return path if name.isidentifier() and path.is_file() else None


def _about(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().removeprefix("#").strip()
