"""Working on a study: one stage after the other, together with whoever else works on it."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from renaissance.grammar.names import listing
from renaissance.grammar.study import Study
from renaissance.runtime.errors import DamageError, JobError, UsageError
from renaissance.runtime.observer import Observer
from renaissance.runtime.processes import joined
from renaissance.runtime.studies.folder import (
    has_page,
    stages_folder,
    write_cell,
    write_study,
)
from renaissance.runtime.studies.operations import Planned
from renaissance.runtime.studies.outlook import time_left
from renaissance.runtime.studies.results import (
    StudyResults,
    is_done,
    read_failure,
    read_results,
    read_stage,
    read_study,
)
from renaissance.runtime.studies.running import run_stage
from renaissance.runtime.studies.stages import Stage, Stages
from renaissance.runtime.surroundings import sentence

WAIT = 1.0
"""Seconds between two looks at stages that other processes have."""


class StudyObserver(Protocol):
    """Is told what becomes of a study."""

    def stage(self, state: "Settled") -> None:
        """Hear that a stage is settled, by this process."""

    def watching(self, stage: Stage) -> Observer:
        """Return who watches a stage while it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A stage that is done or has failed.

    Attributes:
        stage: which.
        number: how many are settled, this one included.
        total: how many there are.
        why: it failed; empty where it is done.
        seconds: that it took.
        left: seconds that the others are expected to take; None before anything like them is done.
    """

    stage: Stage
    number: int
    total: int
    why: str
    seconds: float | None
    left: float | None


@dataclass(slots=True, kw_only=True)
class Work:
    """What a process does of a study.

    Attributes:
        study: with the steps of its budget.
        stages: of all its cells.
        folder: of the study.
        wanted: names of the cells that are to be run.
        workers: processes that work on it at the same time, as far as known.
        began: seconds since 1970: what failed before is tried again.
        pages: whether a page about each cell is written.
        failed: why, by id of the stage; of those whose sources failed, too.
        finished: ids of stages that have a result.
        written: names of the cells of which nothing is left to do.
    """

    study: Study
    stages: Stages
    folder: Path
    wanted: Collection[str]
    workers: int
    began: float
    pages: bool
    failed: dict[str, str] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)

    @property
    def root(self) -> Path:
        """The folder of all stages."""
        return stages_folder(self.folder)

    def due(self) -> tuple[Stage, ...]:
        """Return the stages that cells which are wanted have, in the order of running."""
        return self.stages.of(self.wanted)

    def done(self, id: str) -> bool:
        """Tell whether a stage has a result; a damaged one is made again."""
        if id not in self.finished and is_done(self.root / id):
            self.finished.add(id)
        return id in self.finished

    def settled(self, stage: Stage) -> bool:
        """Tell whether nothing is to be done for a stage any more."""
        if stage.id in self.failed or self.done(stage.id):
            return True
        broken = next((source for source in stage.sources if source in self.failed), None)
        failure = read_failure(self.root / stage.id)
        if broken is not None:
            self.failed[stage.id] = f"what it starts from failed: {self.failed[broken]}"
        elif failure is not None and failure.when >= self.began:
            self.failed[stage.id] = failure.why
        return stage.id in self.failed


def begin_study(folder: Path, study: Study, stages: Stages) -> None:
    """Write in the folder of a study what it runs.

    Raises:
        UsageError: if it cannot be written, or is the folder of another study.
    """
    there = None
    with suppress(DamageError):  # it is written anew
        there = read_study(folder)
    if there is not None and (there.study, set(there.factors)) != (
        study.name,
        {factor.name for factor in study.factors},
    ):
        raise UsageError(
            f"`{folder}` is the folder of study `{there.study}`, which varies "
            f"{listing(there.factors)}: give another one with `-o DIR`, stages are shared anyway"
        )
    try:
        write_study(folder, study, stages, there)
        for cell in study.cells:
            write_cell(folder, cell, stages, page=False)
    except OSError as problem:
        raise UsageError(
            f"`{folder}` cannot be the folder of a study: {sentence(problem)}"
        ) from None


def run_study(
    study: Study,
    stages: Stages,
    folder: Path,
    observer: StudyObserver,
    *,
    only: Collection[str] | None = None,
    device: str | None = None,
    planned: Planned | None = None,
    workers: int = 1,
    began: float | None = None,
    pages: bool = True,
) -> StudyResults:
    """Run the stages of a study that are not done, and return what is there then.

    Args:
        study: with the steps of its budget; `begin_study` has written it.
        stages: of all its cells.
        folder: of the study; the stages lie beside it.
        observer: is told what happens.
        only: names of the cells that are to be run; all if None.
        device: such as `cpu`; chosen if None.
        planned: says how many operations steps take.
        workers: processes that work on it at the same time, for the time that is left.
        began: seconds since 1970: what failed before is tried again; now if None.
        pages: write a page about each cell, for which every model is planned.

    Raises:
        UsageError: if there is no such device.
        InterruptionError: if a signal asked to stop.
        JobError: if folders cannot be written to, as on a full disk.
    """
    wanted = {cell.name for cell in study.cells} if only is None else set(only)
    work = Work(
        study=study,
        stages=stages,
        folder=folder,
        wanted=wanted,
        workers=workers,
        began=time.time() if began is None else began,
        pages=pages,
    )
    with joined(device) as processes, _in_one_sentence():
        of_steps = planned or Planned()
        for stage in _in_turn(work):
            outcome = run_stage(
                stage,
                work.root,
                device=processes.device,
                planned=of_steps,
                observer=observer.watching(stage),
                done=work.done,
                began=work.began,
            )
            if outcome != "busy":
                work.settled(stage)
                observer.stage(_told(work, stage))
                _write_cells(work, stage.users)
        _write_pages(work)
    return read_results(folder)


def _in_turn(work: Work) -> Iterator[Stage]:
    """Yield stages to try, the first that is not settled first; another process may have it."""
    while waiting := [stage for stage in work.due() if not work.settled(stage)]:
        for stage in waiting:
            if all(map(work.done, stage.sources)):
                yield stage
                if work.settled(stage):
                    break  # what comes before the next one may be ready now
        else:
            time.sleep(WAIT)


def _told(work: Work, stage: Stage) -> Settled:
    due = work.due()
    settled = [each for each in due if work.settled(each)]
    record = read_stage(work.root / stage.id)
    return Settled(
        stage=stage,
        number=len(settled),
        total=len(due),
        why=work.failed.get(stage.id, ""),
        seconds=None if record is None else record.costs.seconds,
        left=time_left(due, work.root, settled=work.settled, workers=work.workers),
    )


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    """Say in a sentence what the disk refuses, which stops all stages alike."""
    try:
        yield
    except OSError as problem:
        cause = sentence(problem)
        if cause is None:
            raise
        raise JobError(f"{cause}; run the same command again to go on") from problem


def _write_pages(work: Work) -> None:
    """Write the pages about cells that have none: who wrote them did not know that it was the end.

    Another process may have linked a cell just when this one found nothing of it left to do.
    """
    if not work.pages:
        return
    names = [cell.name for cell in work.study.cells if not has_page(work.folder, cell)]
    work.written.difference_update(names)
    while names := _write_cells(work, names):
        time.sleep(WAIT)


def _write_cells(work: Work, names: Collection[str]) -> list[str]:
    """Link what is there, and write the page about a cell when nothing of it is left to do.

    Returns:
        Names of those that another process is just writing.
    """
    busy = []
    for cell in work.study.cells:
        if cell.name not in names or cell.name in work.written:
            continue
        ids = work.stages.of_cells[cell.name]
        over = all(work.settled(work.stages.distinct[id]) for id in ids.values())
        begun = any(map(work.done, ids.values()))
        if not write_cell(work.folder, cell, work.stages, page=work.pages and over and begun):
            busy.append(cell.name)
        elif over:
            work.written.add(cell.name)
    return busy
