"""Keeping count of what a stage takes, so that little is lost where its process is killed."""

from contextlib import suppress
from pathlib import Path

import torch

from renaissance.grammar.writing import write_whole
from renaissance.runtime.observer import Observer
from renaissance.runtime.records import Checkpoint, Event, Start
from renaissance.runtime.sealed import seal
from renaissance.runtime.studies.metering import Meter
from renaissance.runtime.studies.operations import Paces
from renaissance.runtime.studies.records import STAGE, Costs, StageRecord
from renaissance.runtime.studies.results import together


def write_stage(home: Path, record: StageRecord) -> None:
    """Say in the folder of a stage what it is."""
    write_whole(home / STAGE, seal(record))


class Counting(Observer):
    """Writes what a stage has taken at each checkpoint and at its end; hands on what it hears.

    Args:
        observer: hears everything.
        home: folder of the stage.
        record: of the stage, with what it took before.
        paces: operations of its steps; None where they cannot be planned.
        device: that computes.
    """

    def __init__(
        self,
        observer: Observer,
        home: Path,
        record: StageRecord,
        paces: Paces | None,
        device: torch.device,
    ) -> None:
        """Begin to count."""
        self._observer, self._home, self._record, self._paces = observer, home, record, paces
        self._before = record.costs
        self._first = self._done = self._total = self._rows = 0
        self._meter = Meter(device)

    def begin(self, job: str, stage: str, total: int) -> None:
        """Hear how long the work is, and write down what it should take."""
        if stage == "evaluate":
            self._plan(total)
        self._observer.begin(job, stage, total)

    def advance(self, stage: str, done: int) -> None:
        """Count steps of a training and rows of an evaluation."""
        if stage == "train":
            self._done = done
        elif stage == "evaluate":
            self._rows = done
        self._observer.advance(stage, done)

    def event(self, event: Event) -> None:
        """Write down costs with each checkpoint."""
        if isinstance(event, Start):
            self._first = self._done = event.step
            self._total = event.total_steps or 0
            self._record = self._record.model_copy(
                update={"device": event.device, "versions": event.versions}
            )
            if event.parameters is not None and event.step == 0:
                learn = event.parameters.trainable
                self._record = self._record.model_copy(update={"trainable": learn})
            if self._record.kind != "evaluate":
                self._plan(self._total)
        elif isinstance(event, Checkpoint):
            self._write()
        self._observer.event(event)

    def finish(self, stage: str) -> None:
        """Hand it on."""
        self._observer.finish(stage)

    def close(self) -> None:
        """Write down what it took, and stop counting."""
        with suppress(OSError):  # what a full disk has no room for has been said
            self._write()
        self._meter.close()

    def _write(self) -> None:
        costs = self._meter.read().model_copy(update={"operations": self._operations()})
        self._record = self._record.model_copy(update={"costs": together((self._before, costs))})
        write_stage(self._home, self._record)

    def _plan(self, length: int) -> None:
        """Keep what steps of a training, or rows of an evaluation, should take."""
        if self._paces is None:
            return
        trains = self._record.kind != "evaluate"
        planned = Costs(
            operations=self._paces.operations(length) if trains else self._of_rows(length),
            seconds=self._paces.seconds(length) if trains else None,
            peak_memory=max(stage.memory.peak for stage in self._paces.plan.stages),
        )
        self._record = self._record.model_copy(update={"planned": planned})

    def _operations(self) -> float | None:
        if self._paces is None:
            return None
        if self._record.kind != "evaluate":
            return self._paces.operations(self._total, self._first, self._done)
        return self._of_rows(self._rows)

    def _of_rows(self, rows: int) -> float | None:
        """Return the operations of an evaluation of rows."""
        if self._paces is None:
            return None
        search = self._paces.plan.search
        if search is not None:  # towers run once for each text and image, whatever pairs there are
            whole = search.encoding + search.joining + search.products
            return float(whole) if rows else 0.0
        return self._paces.of[0].operations * rows
