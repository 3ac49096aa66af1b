"""What a spec does not have, said before anything is imported that takes seconds."""

from collections.abc import Iterable
from pathlib import Path

from renaissance.compiler.errors import CompileError
from renaissance.grammar.names import listing
from renaissance.grammar.schema.spec import Spec


def check_asked(spec: Spec, jobs: Iterable[str] = (), model: str | None = None) -> None:
    """Refuse names of jobs, and of a model, that a spec does not have; CompileError."""
    for job in jobs:
        if job not in spec.jobs:
            raise CompileError(f"there is no job `{job}`; jobs are {listing(spec.jobs)}")
    if model is not None and model not in spec.models:
        raise CompileError(f"there is no model `{model}`; models are {listing(spec.models)}")


def check_folder(folder: Path) -> None:
    """Refuse a place where no folder can be written, or be already; CompileError."""
    if folder.parts[:1] == ("~",):
        raise CompileError(
            f"`{folder}` begins with `~`, which shells alone take for a home; "
            f"write `{folder.expanduser()}`"
        )
    for place in (folder, *folder.parents):
        try:
            found = _in_the_way(place)
        except (OSError, ValueError):
            return  # whoever makes the folder says what is wrong
        if found is not None:
            raise CompileError(
                found if place == folder else f"`{folder}` cannot be a folder: {found}"
            )


def _in_the_way(place: Path) -> str | None:
    """Say why no folder can be here or below; None where one can."""
    if place.exists():
        return None if place.is_dir() else f"`{place}` is a file, not a folder"
    if place.is_symlink():
        return f"`{place}` is a link to `{place.readlink()}`, which is not there"
    return None
