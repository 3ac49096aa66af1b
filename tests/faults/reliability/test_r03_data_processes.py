"""A data process that is killed, stopped or orphaned: one sentence, no waiting for ever."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import JobError, run_jobs
from renaissance.runtime.data import DataError, job_data
from renaissance.runtime.data import loader as loader_module
from renaissance.runtime.data.loader import Reading, worker_lost

Make = Callable[..., Spec]


def children(parent: int) -> list[int]:
    """Numbers of the processes that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(folder.name))
    return found


KILLED = """
import os, signal, sys
from pathlib import Path
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import JobError, run_jobs
from renaissance.runtime.data import DataError
from renaissance.runtime.observer import Silent

class Killing(Silent):
    def advance(self, stage, done):
        if done == 2:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            first = int(children[0])
            os.kill(first, getattr(signal, sys.argv[3]))

spec = Spec.model_validate_json(Path(sys.argv[1]).read_text())
try:
    keys = {"device": "cpu", "observer": Killing(), "report": False}
    run_jobs(spec, Path(sys.argv[2]), only=("base",), **keys)
except (DataError, JobError) as problem:
    sys.exit(str(problem))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_killed_one_is_a_sentence(tiny_spec: Make, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    keys = {"workers": 2, "steps": 400, "checkpoint_every": 1000, "validate_every": 1000}
    spec.write_text(tiny_spec(base=keys).to_json())
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(spec), str(tmp_path / "run"), "SIGKILL"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .startswith("a data process was killed, perhaps for memory; run the same command again")
    ), done.stderr


def test_a_run_says_it_in_a_sentence(
    tiny_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import renaissance.runtime.training.step as step_module

    def killed(*_: object) -> int:
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")

    monkeypatch.setattr(step_module, "seed_of_step", killed)
    with pytest.raises(JobError, match="a data process was killed, perhaps for memory"):
        run_jobs(tiny_spec(), tmp_path, only=("base",), device="cpu", report=False)


@pytest.mark.parametrize("problem", [ConnectionResetError(104, "reset"), EOFError()])
def test_one_that_goes_while_it_hands_a_batch_over(
    tiny_spec: Make, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def torn(*_: object) -> object:
        raise problem

    data = job_data(tiny_spec(base={"workers": 1}), "base")
    items = "torch.utils.data.dataloader._MultiProcessingDataLoaderIter._next_data"
    monkeypatch.setattr(items, torn)
    with pytest.raises(DataError, match="a data process was killed"):
        next(data.train(0, 0, 1))


def test_what_else_torch_says() -> None:
    bus = (
        "DataLoader worker (pid 3) is killed by signal: Bus error. It is possible that "
        "dataloader's workers are out of shared memory. Please try to raise your limit."
    )
    assert "`--shm-size`" in (worker_lost(RuntimeError(bus)) or "")
    assert worker_lost(RuntimeError("mat1 and mat2 must have the same dtype")) is None
    assert worker_lost(ValueError("DataLoader worker (pid 3) exited unexpectedly")) is None


def test_a_long_wait_is_told_and_goes_on(tiny_spec: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    data = job_data(tiny_spec(base={"workers": 1, "steps": 3}), "base")
    expected = [batch.texts.encoded.input_ids.tolist() for (batch,) in data.train(0, 0, 1)]
    real = loader_module.Steps.__getitem__

    def slow(steps: loader_module.Steps, step: int) -> object:
        time.sleep(1.5 if step == 1 else 0)
        return real(steps, step)

    monkeypatch.setattr(loader_module.Steps, "__getitem__", slow)
    monkeypatch.setattr(
        type(data), "_how", property(lambda _: Reading(workers=1, tell=told.append, patience=1.0))
    )
    found = [batch.texts.encoded.input_ids.tolist() for (batch,) in data.train(0, 0, 1)]
    assert found == expected
    [sentence] = told
    assert sentence.startswith("no data process has given a batch for 1 seconds")


ORPHANS = """
import os, sys, time
from pathlib import Path
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.exclusion import held
with held(Path(sys.argv[2]), print):
    steps = job_data(Spec.model_validate_json(Path(sys.argv[1]).read_text()), "base").train(0, 0, 1)
    next(steps)
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends orphans")
@pytest.mark.parametrize("stopped", [False, True], ids=["working", "stopped"])
def test_none_outlives_its_parent_nor_holds_its_folder(
    tiny_spec: Make, tmp_path: Path, stopped: bool
) -> None:
    from renaissance.runtime.exclusion import held

    spec = tmp_path / "spec.json"
    spec.write_text(tiny_spec(base={"workers": 2, "steps": 500}).to_json())
    run = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", ORPHANS, str(spec), str(run)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        workers = children(process.pid)
        assert len(workers) >= 2
        if stopped:
            for worker in workers:
                os.kill(worker, signal.SIGSTOP)
        process.kill()
        process.wait()
        with held(run, print):
            pass
        until = time.monotonic() + 3
        while any(Path(f"/proc/{w}").exists() for w in workers) and time.monotonic() < until:
            time.sleep(0.05)
        assert not [w for w in workers if _alive(w)]
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
