"""A job on a cluster: submitted, signalled, requeued, resumed, with the weights of a quiet one.

`make test-slurm` fetches Slurm's packages; elsewhere the test runs if they are there.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.compiler.launching.cluster import Cluster, cluster

ROOT = Path(os.environ.get("SLURM_ROOT", ".slurm"))

pytestmark = pytest.mark.skipif(
    not (ROOT / "usr/sbin/slurmctld-wlm").exists(),
    reason="Slurm is not there; `make test-slurm` fetches it",
)


@pytest.fixture(scope="module")
def slurm() -> Iterator[Cluster]:
    """A cluster of two nodes; its folder is not a test's, for the path of a socket is short."""
    cpus = len(os.sched_getaffinity(0))
    with (
        tempfile.TemporaryDirectory(prefix="slurm", ignore_cleanup_errors=True) as folder,
        cluster(ROOT, Path(folder), cpus) as running,
    ):
        yield running


def waited(what: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.5)
    return False


def compiled(experiment: Path, folder: Path) -> Path:
    command = ["compile", "small.vl", "-o", str(folder), "--for", "slurm", "--nodes", "2"]
    subprocess.run(
        [sys.executable, "-m", "renaissance", *command, "--gpus", "0", "--time", "1"],
        cwd=experiment,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    return folder


def test_a_signalled_job_is_requeued_and_ends_with_the_same_weights(
    slurm: Cluster, experiment: Path, tmp_path: Path
) -> None:
    alone, job = (compiled(experiment, tmp_path / name) for name in ("alone", "job"))
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "PROCESSES": "2"}
    subprocess.run([alone / "launch.sh", "--device", "cpu"], env=environment, check=True)
    export = f"--export=ALL,PYTHONPATH={Path.cwd()},OMP_NUM_THREADS=1"
    arguments = ["--parsable", "--cpus-per-task=1", export, "slurm.sh"]
    number = slurm.call("sbatch", *arguments, cwd=job).strip()
    checkpoints = job / "base/checkpoints"
    log = job / f"small-{number}.out"
    assert waited(lambda: any(checkpoints.glob("step-*")), 120), log.read_text()
    slurm.call("scancel", "--batch", "--signal=USR1", number)
    assert waited(lambda: slurm.state(number)["Restarts"] == "1", 120), log.read_text()
    stopped = json.loads((job / "exit.json").read_text())
    assert (stopped["state"], stopped["code"]) == ("interrupted", 143)
    assert 0 < stopped["step"] < 300
    assert (checkpoints / f"step-{stopped['step']:08d}").is_dir()

    def finished() -> bool:
        state = slurm.state(number)
        if state["JobState"] == "PENDING":
            # A requeued job waits for two minutes of its own accord.
            slurm.call("scontrol", "update", f"JobId={number}", "StartTime=now")
        return state["JobState"] == "COMPLETED"

    assert waited(finished, 240), (slurm.state(number), log.read_text())
    assert json.loads((job / "exit.json").read_text())["state"] == "finished"
    one, two = (
        load_file(folder / "base/checkpoints/step-00000300/model.safetensors")
        for folder in (alone, job)
    )
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
