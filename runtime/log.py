"""The log of a job: JSON Lines for machines, TensorBoard for people."""

import json
import threading
from contextlib import suppress
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from renaissance.runtime.observer import Observer
from renaissance.runtime.records import Event, Notice, Step, Validate

LOG = "log.jsonl"
TENSORBOARD = "tensorboard"


class Log:
    """Writes what happens, and tells an observer.

    Args:
        job: folder of the job; None writes nothing, as all processes but the first do.
        step: steps that were done before; later curves of a killed process are cut off there.
        observer: is told every event.
    """

    def __init__(self, job: Path | None, step: int, observer: Observer) -> None:
        """Open the files."""
        self._observer = observer
        self._file = None
        self._board: SummaryWriter | None = None
        if job is None:
            return
        path = job / LOG
        cut_off = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
        self._file = path.open("a", encoding="utf-8")
        self._hook = threading.excepthook
        threading.excepthook = self._in_thread
        try:
            if cut_off:
                self._file.write("\n")
            self._board = SummaryWriter(str(job / TENSORBOARD), purge_step=step or None)
        except BaseException:
            self.close()
            raise

    def _in_thread(self, problem: threading.ExceptHookArgs) -> None:
        """Say nothing of curves that could not be written: who writes the next ones hears it."""
        writes_curves = "AsyncWriter" in type(problem.thread).__name__
        if not (writes_curves and isinstance(problem.exc_value, OSError)):
            self._hook(problem)

    def write(self, event: Event) -> None:
        """Add a line and the points of a curve."""
        if self._file is None:
            return
        line = event.model_dump(mode="json")
        first = {"event": line.pop("event")}
        self._file.write(json.dumps(first | line, ensure_ascii=False) + "\n")
        self._file.flush()
        self._curves(event)
        self._observer.event(event)

    def notice(self, text: str) -> None:
        """Add a sentence that a person should read."""
        self.write(Notice(text=text))

    def close(self) -> None:
        """Close the files."""
        if self._file is None:
            return
        # What a full disk has no room for is in this file's way as well, and has been said.
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            if self._board is not None:
                self._board.close()
        threading.excepthook = self._hook

    def _curves(self, event: Event) -> None:
        if not isinstance(event, Step | Validate) or self._board is None:
            return
        part = "train" if isinstance(event, Step) else "validation"
        points = {f"loss/{name}": value for name, value in event.losses.items()}
        points |= event.metrics
        if isinstance(event, Step):
            points |= {"loss": event.loss}
            if event.lr is not None:
                points |= {"learning_rate": event.lr}
            told = ("gradient_norm", "texts_per_second", "memory")
            points |= {n: v for n in told if (v := getattr(event, n)) is not None}
        for name, value in points.items():
            self._board.add_scalar(f"{part}/{name}", value, event.step)
