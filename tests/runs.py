"""Running jobs in tests, in one process or two, and reading what a run left behind."""

import json
import multiprocessing
import os
import random
import signal
import socket
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import run_jobs
from renaissance.runtime.jobs import Run
from renaissance.runtime.observer import Silent
from renaissance.runtime.records import Event, Step
from tests import quick

PROCESSES = multiprocessing.get_context("forkserver")
"""Its processes are forked from one that has imported what runs jobs, which takes seconds."""
PROCESSES.set_forkserver_preload(["tests.quick", "renaissance.runtime.jobs", "datasets"])


def train(spec: Spec, folder: Path, *jobs: str, **options: Any) -> Run:
    """Run the named jobs, or all, on the CPU; no report is written."""
    return run_jobs(spec, folder, only=jobs or None, device="cpu", report=False, **options)


def events(folder: Path, job: str, kind: str | None = None) -> list[dict[str, Any]]:
    """The lines of a job's log, all or those of one kind."""
    lines = map(json.loads, (folder / job / "log.jsonl").read_text().splitlines())
    return [line for line in lines if kind in (None, line["event"])]


def notices(folder: Path, job: str) -> list[str]:
    """The sentences in a job's log."""
    return [event["text"] for event in events(folder, job, "notice")]


def last_bytes(folder: Path, job: str, steps: int) -> tuple[bytes, bytes]:
    """The files of tensors of the last checkpoint."""
    path = folder / job / "checkpoints" / f"step-{steps:08d}"
    model, optimizer = (path / f"{name}.safetensors" for name in ("model", "optimizer"))
    return model.read_bytes(), optimizer.read_bytes()


class StopAt(Silent):
    """Asks the process to stop when a line about a step is written."""

    def __init__(self, step: int, number: int = signal.SIGTERM) -> None:
        self.step = step
        self.number = number

    def event(self, event: Event) -> None:
        if isinstance(event, Step) and event.step == self.step:
            signal.raise_signal(self.number)


def start(spec: Spec, folder: Path, *jobs: str, **environment: str) -> BaseProcess:
    """Start a process that runs jobs; it writes what an exception says to standard error."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    process = PROCESSES.Process(target=_run, args=(spec.to_json(), folder, jobs, environment))
    process.start()
    return process


def _run(text: str, folder: Path, jobs: tuple[str, ...], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    quick.imported()
    torch.set_num_threads(1)
    train(Spec.model_validate_json(text), folder, *jobs)


def run_in_two(spec: Spec, folder: Path, *jobs: str) -> None:
    """Run jobs in two processes, as torchrun starts them."""
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    processes = [
        start(spec, folder, *jobs, RANK=str(rank), LOCAL_RANK=str(rank), **place)
        for rank in range(2)
    ]
    for process in processes:
        process.join(timeout=240)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()  # one that waits for the other would be waited for when tests end
    assert codes == [0, 0]


def free_port() -> int:
    """Return a port that is free, and that no connection made meanwhile is given."""
    while True:
        port = random.SystemRandom().randint(20_000, 30_000)  # Linux gives those from 32,768 on
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
