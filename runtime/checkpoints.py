"""The checkpoints of one job: which are kept, which is best, which one to go on from."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from renaissance.runtime.checkpoint import (
    Best,
    Checkpoint,
    read_checkpoint,
    write_whole,
)
from renaissance.runtime.errors import CheckpointError, JobError

FOLDER = "checkpoints"
BEST = "best.json"


class BestFile(BaseModel):
    """What `best.json` holds: the best checkpoint, by its path inside the job's folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    step: int
    losses: dict[str, float]
    metrics: dict[str, float]


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
        return self._folder / f"step-{step:08d}"

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, ascending."""
        names = (path.name for path in self._folder.glob("step-*"))
        return sorted(int(name[5:]) for name in names if name[5:].isdigit())

    def sweep(self) -> None:
        """Remove what a process left behind that was killed while it wrote or deleted."""
        for pattern in (".draft-*", ".old-*"):
            for path in self._folder.glob(pattern):
                shutil.rmtree(path, ignore_errors=True)

    def mark_best(self, best: Best | None) -> None:
        """Write which checkpoint is best, and remove those that are neither best nor new."""
        kept = set(self.steps()[-self._keep :])
        if best is not None:
            kept.add(best.step)
            record = BestFile(
                path=f"{FOLDER}/{self.path(best.step).name}",
                step=best.step,
                losses=best.losses,
                metrics=best.metrics,
            )
            write_whole(self._job / BEST, record.model_dump_json(indent=1))
        for step in self.steps():
            if step not in kept:
                self.remove(step)

    def remove(self, step: int) -> None:
        """Remove a checkpoint so that no half of it can be mistaken for a whole one."""
        path = self.path(step)
        shutil.rmtree(path.rename(path.with_name(f".old-{path.name}")), ignore_errors=True)

    def _set_aside(self, step: int) -> None:
        aside = self._folder / f"refused-{self.path(step).name}"
        shutil.rmtree(aside, ignore_errors=True)
        self.path(step).rename(aside)

    def newest(
        self, fits: Callable[[Checkpoint], None], refused: Callable[[str], None]
    ) -> Checkpoint | None:
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
                f"no checkpoint in `{self._folder}` can be used ({problem}); "
                "start over with `--fresh`"
            )
        return None


def best_checkpoint(job: Path) -> Checkpoint:
    """Read the best checkpoint of a finished job, without its optimizer.

    Raises:
        JobError: if there is none, or it is damaged.
    """
    try:
        best = BestFile.model_validate_json((job / BEST).read_bytes())
    except FileNotFoundError:
        raise JobError(f"job `{job.name}` has no best checkpoint in `{job}`; train it") from None
    except (OSError, ValidationError):
        raise JobError(f"`{job / BEST}` does not name a checkpoint; train the job anew") from None
    return read_checkpoint(job / best.path, optimizer=False)
