"""Which files a person means."""

from collections.abc import Iterable
from pathlib import Path

from renaissance.grammar.paths import exists, is_folder
from renaissance.grammar.shipped import shipped_path
from renaissance.grammar.source import SourceError


def find_spec(name: str) -> str:
    """Return the path of a spec: a file, `-` for standard input, or the name of a shipped spec.

    Of `FILE:JOB` it is that of the file.

    A name that is neither comes back as it is; reading it then says that there is no such file.
    """
    if name == "-" or exists(name):
        return name
    shipped = shipped_path(name)
    if shipped is not None:
        return str(shipped)
    whole, colon, job = name.rpartition(":")
    if colon and whole and job.isidentifier() and not whole.startswith("git:"):
        return find_spec(whole)  # of FILE:JOB the file
    return name


def find_specs(names: Iterable[str]) -> list[str]:
    """Return the paths of several specs; a folder stands for all `.vl` files in it.

    Without names it is the working folder. Hidden folders are left out.

    Raises:
        SourceError: if a folder has no `.vl` file.
    """
    paths: list[str] = []
    for name in names or (".",):
        folder = Path(name)
        if name == "-" or not is_folder(name):
            paths.append(find_spec(name))
            continue
        found = sorted(
            path
            for path in folder.rglob("*.vl")
            if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        )
        if not found:
            raise SourceError(f"there is no .vl file in the folder {folder.as_posix()}")
        paths.extend(str(path) for path in found)
    once: dict[Path, str] = {}
    for path in paths:
        once.setdefault(Path(path), path)  # `a.vl` and `./a.vl` are one file
    return list(once.values())
