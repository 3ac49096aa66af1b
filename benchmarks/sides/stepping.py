"""Trains a job, and waits between steps until it is told to go on: one side of a comparison.

    python stepping.py TREE SPEC FOLDER WARM_UP

Uses only what every version has at its front door, since it runs with each. Each line that it
reads is a number of steps; for each, and for the first WARM_UP steps, it writes one line: seconds
by the clock and seconds of processor time that they took.
"""

import gc
import sys
import time
from pathlib import Path
from typing import Any

import renaissance
from renaissance.libraries import start_again_with_settings

if __name__ == "__main__":
    start_again_with_settings()  # before torch is imported, which takes seconds each time
    gc.disable()  # looking for garbage is a third of the time that imports take

from renaissance.runtime import run_jobs


class Turns:
    """An observer that lets a training take some steps at a time."""

    def __init__(self, warm_up: int) -> None:
        self._until = warm_up
        self._start()

    def _start(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def advance(self, stage: str, done: int) -> None:
        if stage != "train" or done < self._until:
            return
        now = time.perf_counter(), time.process_time()
        print(*(after - before for before, after in zip(self._began, now, strict=True)), flush=True)
        line = sys.stdin.readline()
        if not line:
            sys.exit()
        self._until = done + int(line)
        self._start()

    def begin(self, *_: Any) -> None: ...

    def event(self, _: Any) -> None: ...

    def finish(self, _: str) -> None: ...


def main() -> None:
    gc.enable()
    tree, spec, folder, warm_up = sys.argv[1:]
    assert Path(renaissance.__file__).is_relative_to(tree), "another version was imported"
    turns = Turns(int(warm_up))
    run_jobs(renaissance.load(spec), Path(folder), device="cpu", report=False, observer=turns)


if __name__ == "__main__":
    main()
