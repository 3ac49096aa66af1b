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
    for place in (folder, *folder.parents):
        try:
            in_the_way = place.exists() and not place.is_dir()
        except (OSError, ValueError):
            return  # whoever makes the folder says what is wrong
        if in_the_way:
            found = f"`{place}` is a file, not a folder"
            message = found if place == folder else f"`{folder}` cannot be a folder: {found}"
            raise CompileError(message)
