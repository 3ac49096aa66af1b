"""What of a study is done before it goes on, and what the rest is expected to take."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from renaissance.runtime.studies.data import Data
from renaissance.runtime.studies.folder import stages_folder
from renaissance.runtime.studies.operations import Planned
from renaissance.runtime.studies.planning import plan_stages
from renaissance.runtime.studies.results import is_done, read_failure, read_stage
from renaissance.runtime.studies.stages import Stage, Stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A study before it goes on.

    Attributes:
        stages: of the cells that are to be run, in the order of running.
        done: ids of those that have a result.
        failed: ids of those that failed before, and are tried again.
        begun: ids of those that were stopped on the way.
    """

    stages: tuple[Stage, ...]
    done: frozenset[str]
    failed: frozenset[str]
    begun: frozenset[str]

    @property
    def to_run(self) -> tuple[Stage, ...]:
        """The stages without a result."""
        return tuple(stage for stage in self.stages if stage.id not in self.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the stages without a result take as a whole, those that were stopped included.

    Attributes:
        operations: planned; None where a length is not known.
        memory: bytes of the largest step; None where nothing is left.
        planned_seconds: predicted; None without a machine.
        left: seconds, as far as equal jobs have been run; None where one has not been.
    """

    operations: float | None
    memory: int | None
    planned_seconds: float | None
    left: float | None


def outlook(stages: Stages, folder: Path, cells: Collection[str]) -> Outlook:
    """Return what of a study is done.

    Args:
        stages: of all its cells.
        folder: of the study.
        cells: names of those that are to be run.
    """
    due, root = stages.of(cells), stages_folder(folder)
    done = frozenset(stage.id for stage in due if is_done(root / stage.id))
    others = [stage.id for stage in due if stage.id not in done]
    failed = frozenset(id for id in others if read_failure(root / id) is not None)
    records = {id: read_stage(root / id) for id in others}
    return Outlook(
        stages=due,
        done=done,
        failed=failed,
        begun=frozenset(
            id for id, record in records.items() if record is not None and record.costs.seconds
        )
        - failed,
    )


def expected(
    before: Outlook, folder: Path, planned: Planned, data: Data, *, workers: int = 1
) -> Expected:
    """Return what is left to do.

    Args:
        before: what is done.
        folder: of the study.
        planned: plans jobs.
        data: counts epochs and rows.
        workers: processes that work on it at the same time.

    Raises:
        CompileError: if a model cannot be built.
    """
    plans = tuple(plan_stages(before.to_run, planned, data, {}))
    operations = [plan.operations for plan in plans]
    seconds = [plan.seconds for plan in plans]
    return Expected(
        operations=None if None in operations else sum(filter(None, operations)),
        memory=max((plan.memory for plan in plans), default=None),
        planned_seconds=None if None in seconds else sum(filter(None, seconds)) / workers,
        left=time_left(
            before.stages,
            stages_folder(folder),
            settled=lambda stage: stage.id in before.done,
            workers=workers,
        ),
    )


def time_left(
    due: Iterable[Stage], root: Path, *, settled: Callable[[Stage], bool], workers: int
) -> float | None:
    """Return the seconds that are left, if each job takes as long as it did in other cells.

    Args:
        due: stages that are to be run, those that are done included.
        root: folder of all stages.
        settled: tells of which nothing is left to do.
        workers: processes that work on it at the same time.

    Returns:
        None before each of the jobs has been done once.
    """
    took: dict[str, list[float]] = {}
    left: list[tuple[str, float]] = []
    for stage in due:
        record = read_stage(root / stage.id)
        seconds = None if record is None else record.costs.seconds
        if not settled(stage):
            # What a stage took before it was stopped need not be done again.
            left.append((stage.job, seconds or 0.0))
        elif seconds is not None and is_done(root / stage.id):
            took.setdefault(stage.job, []).append(seconds)
    if any(job not in took for job, _ in left):
        return None
    means = {job: sum(of) / len(of) for job, of in took.items()}
    return sum(max(means[job] - before, 0.0) for job, before in left) / workers
