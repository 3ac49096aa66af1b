"""Checkpoints come by steps or by the clock; USR1 stops a run as TERM does."""

import json
import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from renaissance.grammar.declaration import Minutes, Share
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError, run_jobs
from renaissance.runtime.ending import ENDING
from renaissance.runtime.observer import Silent
from renaissance.runtime.training import progress


def checkpoints(folder: Path) -> list[int]:
    log = map(json.loads, (folder / "base/log.jsonl").read_text().splitlines())
    return [line["step"] for line in log if line["event"] == "checkpoint"]


def test_by_the_clock(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = {"validate_every": Share(1.0), "keep": 9}
    spec = tiny_spec(base={"checkpoint_every": Minutes(60), **rare})
    run_jobs(spec, tmp_path / "slow", only=("base",), device="cpu")
    assert checkpoints(tmp_path / "slow") == [6]
    # Each look at the clock finds it 25 minutes later.
    seconds = count(0, 25 * 60)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    run_jobs(spec, tmp_path / "quick", only=("base",), device="cpu")
    taken = checkpoints(tmp_path / "quick")
    assert len(taken) > 2 and taken[-1] == 6


class Signalled(Silent):
    def advance(self, stage: str, done: int) -> None:
        if stage == "train" and done == 3:
            os.kill(os.getpid(), signal.SIGUSR1)


def test_usr1_stops_with_a_checkpoint(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    spec = tiny_spec(base={"checkpoint_every": 6, "validate_every": 6})
    with pytest.raises(InterruptionError) as stop:
        run_jobs(spec, tmp_path, only=("base",), device="cpu", observer=Signalled())
    assert stop.value.signal == signal.SIGUSR1
    assert checkpoints(tmp_path) == [3]
    ending = json.loads((tmp_path / ENDING).read_text())
    assert (ending["state"], ending["code"]) == ("interrupted", 128 + signal.SIGUSR1)
    assert (ending["job"], ending["step"], ending["total_steps"]) == ("base", 3, 6)
    run_jobs(spec, tmp_path, only=("base",), device="cpu")
    assert json.loads((tmp_path / ENDING).read_text())["state"] == "finished"
