"""Starting over: results are removed so that a process killed meanwhile leaves none that counts.

What is to be removed is written down first and removed to the end by whoever comes next.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from renaissance.grammar.writing import DRAFT, to_disk, write_whole
from renaissance.runtime.checkpoints import BEST, FOLDER
from renaissance.runtime.data.tokenizer import TOKENIZER, special_path
from renaissance.runtime.errors import DamageError, UsageError
from renaissance.runtime.log import LOG, TENSORBOARD
from renaissance.runtime.results import PREDICTIONS, RESULT
from renaissance.runtime.sealed import seal, unseal

REMOVAL = ".removal.json"
OF_A_JOB = (
    RESULT,
    PREDICTIONS,
    BEST,
    FOLDER,
    LOG,
    TENSORBOARD,
    TOKENIZER,
    special_path(Path(TOKENIZER)).name,
)
"""What a job writes into its folder; nothing else in it is touched."""


class Removal(BaseModel):
    """What `.removal.json` holds: the jobs whose results are being removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 2
    jobs: tuple[str, ...]


def has_results(job: Path) -> bool:
    """Tell whether a folder holds a result or checkpoints of a job."""
    return (job / RESULT).exists() or any((job / FOLDER).glob("step-*"))


def remove_results(folder: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Remove all that jobs have written.

    Args:
        folder: of the run.
        names: of the jobs, sources first.

    Returns:
        Names of those that had results.

    Raises:
        UsageError: if something cannot be removed.
    """
    names = [name for name in names if _parts(folder / name)]
    there = tuple(name for name in names if has_results(folder / name))
    if names:
        write_whole(folder / REMOVAL, seal(Removal(jobs=tuple(names))))
        _remove(folder, names)
    return there


def finish_removal(folder: Path) -> None:
    """Remove what another process was about to remove when it was killed.

    Raises:
        UsageError: if it cannot be known or removed.
    """
    try:
        names = unseal(folder / REMOVAL, Removal, "list of results to remove").jobs
    except FileNotFoundError:
        return
    except DamageError as damage:
        raise UsageError(
            f"{damage}; results were being removed here when the process was killed: remove "
            "`.removal.json` to keep what is left, or the whole folder"
        ) from None
    _remove(folder, names)


def _remove(folder: Path, names: Iterable[str]) -> None:
    jobs = [folder / name for name in names if (folder / name).is_dir()]
    try:
        # What was made from a result goes before it.
        for job in reversed(jobs):
            (job / RESULT).unlink(missing_ok=True)
            to_disk(job)
        for job in jobs:
            for path in _parts(job):
                _clear(path)
            if not any(job.iterdir()) and not job.is_symlink():
                job.rmdir()
        (folder / REMOVAL).unlink()
    except OSError as problem:
        raise UsageError(
            f"earlier results cannot be removed: `{problem.filename}`: {problem.strerror}"
        ) from None


def _parts(job: Path) -> list[Path]:
    return [path for pattern in (*OF_A_JOB, f"{DRAFT}*") for path in job.glob(pattern)]


def _clear(path: Path) -> None:
    """Remove a file or a folder; of a link to a folder what is in there."""
    if path.is_symlink() and path.is_dir():
        for inner in path.iterdir():
            _clear(inner)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
