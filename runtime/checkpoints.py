"""The checkpoints of one job: which are kept, which is best, which one to go on from."""

import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from renaissance.grammar.kinds.data import VALIDATION
from renaissance.grammar.writing import DRAFT, write_whole
from renaissance.runtime.checkpoint import (
    REPLACED,
    Best,
    Checkpoint,
    State,
    folder_name,
    read_checkpoint,
    read_state,
)
from renaissance.runtime.errors import CheckpointError, DamageError, JobError
from renaissance.runtime.observer import Tell
from renaissance.runtime.sealed import seal, unseal

FOLDER = "checkpoints"
BEST = "best.json"
REMOVED = ".old-"
"""What stands before the name of a checkpoint that is being removed."""


class BestFile(BaseModel):
    """What `best.json` holds: the best checkpoint, by its path inside the job's folder.

    Attributes:
        selected_by: the metric that says so, or `loss`; empty where nothing was held out.
        split: that it was measured on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    format: Literal[1, 2] = 2
    spec_hash: str = ""
    path: str
    step: int
    losses: dict[str, float]
    metrics: dict[str, float]
    selected_by: str = ""
    split: str = ""


class Checkpoints:
    """The checkpoints in the folder of a job.

    Args:
        job: folder of the job.
        keep: how many of the newest are kept besides the best.
    """

    def __init__(self, job: Path, keep: int) -> None:
        """Look at a folder; nothing is created."""
        self._job = job
        self._folder = job / FOLDER
        self._keep = keep

    def path(self, step: int) -> Path:
        """Return where the checkpoint of a step belongs."""
        return self._folder / folder_name(step)

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, ascending; other names are none of ours."""
        names = {path.name for path in self._folder.glob("step-*") if path.is_dir()}
        steps = (int(name[5:]) for name in names if name[5:].isdecimal())
        return sorted(step for step in steps if folder_name(step) in names)

    def newest_state(self) -> State | None:
        """Return the newest state that can be read, whatever its tensors are like."""
        for step in reversed(self.steps()):
            try:
                return read_state(self.path(step))
            except CheckpointError:
                continue
        return None

    def sweep(self) -> None:
        """Clear up after a process that was killed while it wrote, replaced or deleted."""
        for path in self._folder.glob(f"{REPLACED}*"):
            name = path.name.removeprefix(REPLACED)
            if not (self._folder / name).exists():
                path.rename(self._folder / name)
        for pattern in (DRAFT, REMOVED, REPLACED):
            for path in self._folder.glob(f"{pattern}*"):
                shutil.rmtree(path, ignore_errors=True)

    def mark_best(self, best: Best | None, spec_hash: str = "") -> None:
        """Write which checkpoint is best, and remove those that are neither best nor new.

        Args:
            best: so far; None before the first validation.
            spec_hash: identity of the experiment that the job is part of.
        """
        kept = set(self.steps()[-self._keep :])
        if best is not None:
            kept.add(best.step)
            record = _best_file(best, spec_hash)
            write_whole(self._job / BEST, seal(record))
        for step in self.steps():
            if step not in kept:
                self.remove(step)

    def remove(self, step: int) -> None:
        """Remove a checkpoint so that no half of it can be mistaken for a whole one."""
        path = self.path(step)
        shutil.rmtree(path.rename(path.with_name(f"{REMOVED}{path.name}")), ignore_errors=True)

    def _set_aside(self, step: int) -> None:
        aside = self._folder / f"refused-{self.path(step).name}"
        shutil.rmtree(aside, ignore_errors=True)
        self.path(step).rename(aside)

    def newest(self, fits: Callable[[Checkpoint], None], refused: Tell) -> Checkpoint | None:
        """Return the newest checkpoint that can be used; None if there is none at all.

        Args:
            fits: raises CheckpointError for a checkpoint that does not belong here.
            refused: is told why a checkpoint was passed over.

        Raises:
            CheckpointError: if there are checkpoints and none of them can be used.
        """
        problem = None
        passed_over = []
        for step in reversed(self.steps()):
            try:
                checkpoint = read_checkpoint(self.path(step))
                fits(checkpoint)
            except CheckpointError as error:
                problem = error
                passed_over.append(step)
                refused(f"checkpoint `{self.path(step).name}` is not used: {error}")
                continue
            # It will be written again; until then it must not count among the newest.
            for later in passed_over:
                self._set_aside(later)
            return checkpoint
        if problem is not None:
            raise CheckpointError(
                f"no checkpoint in `{self._folder}` can be used ({problem}); put back what was "
                "changed, or start over with `--fresh`"
            )
        return None


def best_checkpoint(job: Path, hashes: Collection[str] = ()) -> Checkpoint:
    """Read the best checkpoint of a finished job, without its optimizer.

    Args:
        job: folder of the job.
        hashes: that name the spec that it must be of; any if there are none.

    Raises:
        JobError: if there is none, or it is damaged.
    """
    path = job / _best_of(job)[0].path
    try:
        checkpoint = read_checkpoint(path, optimizer=False)
        state = checkpoint.state
        # Of format 1 there are some whose hash nothing can be compared with.
        if hashes and state.spec_hash not in hashes and state.format > 1:
            raise CheckpointError(f"it is of another spec ({state.spec_hash[:12]})")
    except CheckpointError as error:
        raise CheckpointError(
            f"the best checkpoint of job `{job.name}`, `{path.name}`, cannot be used ({error}); "
            f"{_again(job)}"
        ) from None
    return checkpoint


def restore_best(job: Path, tell: Tell) -> None:
    """Write `best.json` of a finished job anew where it is missing or damaged.

    Args:
        job: folder of the job.
        tell: is told if that was needed.

    Raises:
        JobError: if no checkpoint says which one is best.
    """
    best, problem = _best_of(job)
    if problem is None:
        return
    write_whole(job / BEST, seal(best))
    tell(
        f"{problem}; it was written anew by what the checkpoints say: step {best.step} is the best"
    )


def _best_of(job: Path) -> tuple[BestFile, str | None]:
    """Return which checkpoint is best, and what is wrong with `best.json` if it does not say so."""
    try:
        best = unseal(job / BEST, BestFile, "record of a best checkpoint")
        if best.path == f"{FOLDER}/{folder_name(best.step)}":
            return best, None
        problem = f"`{job / BEST}` names `{best.path}` as the checkpoint of step {best.step}"
    except FileNotFoundError:
        problem = f"there is no `{job / BEST}`"
    except DamageError as damage:
        problem = str(damage)
    state = Checkpoints(job, keep=1).newest_state()
    if state is not None and state.best is not None:
        return _best_file(state.best, state.spec_hash), problem
    if state is not None and state.step == state.total_steps:
        # Nothing was held out: the last weights count as the best.
        last = Best(step=state.step, score=(), losses={}, metrics={})
        return _best_file(last, state.spec_hash), problem
    raise JobError(f"job `{job.name}` has no best checkpoint in `{job}`; {_again(job)}")


def _again(job: Path) -> str:
    return f"train it anew with `renaissance train FILE:{job.name} --fresh`"


def _best_file(best: Best, spec_hash: str) -> BestFile:
    return BestFile(
        spec_hash=spec_hash,
        path=f"{FOLDER}/{folder_name(best.step)}",
        step=best.step,
        losses=best.losses,
        metrics=best.metrics,
        selected_by=best.selected_by,
        split=VALIDATION if best.selected_by else "",
    )
