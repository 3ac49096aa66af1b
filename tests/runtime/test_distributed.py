"""Two processes have the losses and weights of one."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from renaissance.grammar.schema.declaration import Share
from renaissance.grammar.schema.jobs import Mlm
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import run_jobs


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run_in_two(script: str, spec: Spec, folder: Path, *jobs: str) -> None:
    """Run jobs as torchrun starts them."""
    folder.parent.mkdir(exist_ok=True)
    (folder.parent / "spec.json").write_text(spec.to_json())
    port = free_port()
    command = [sys.executable, "-c", script, str(folder.parent / "spec.json"), str(folder), *jobs]
    processes = [
        subprocess.Popen(
            command,
            env={
                **os.environ,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "OMP_NUM_THREADS": "1",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    told = [process.communicate(timeout=240)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told


def lines(folder: Path, job: str, event: str) -> list[dict[str, Any]]:
    log = (folder / job / "log.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, log) if line["event"] == event]


def test_two_processes_are_as_one(
    tiny_spec: Callable[..., Spec], tmp_path: Path, run_script: str
) -> None:
    # A batch that does not divide evenly, micro-batches, a tower that thaws, a job whose loss
    # leaves the last layer's image side without a reader.
    spec = tiny_spec(
        dropout=0.0,
        freeze=(Freeze(selectors=("vision",), until=Share(0.5)),),
        base={"batch": 11},
        vqa={"batch": 11, "micro_batch": 4},
    )
    words = spec.jobs["base"].model_copy(update={"name": "words", "objectives": (Mlm(),)})
    spec = spec.model_copy(update={"jobs": {**spec.jobs, "words": words}})
    run_jobs(spec, tmp_path / "one", device="cpu")
    run_in_two(run_script, spec, tmp_path / "two", *spec.jobs)
    for job in ("base", "vqa", "words"):
        for event in ("step", "validate"):
            one, two = (lines(tmp_path / name, job, event) for name in ("one", "two"))
            assert len(one) == len(two) > 0
            for ours, theirs in zip(one, two, strict=True):
                assert theirs["step"] == ours["step"]
                assert theirs["losses"] == pytest.approx(ours["losses"], rel=2e-4)
                assert theirs["metrics"].keys() == ours["metrics"].keys()
        step = json.loads((tmp_path / "one" / job / "best.json").read_text())["step"]
        path = f"{job}/checkpoints/step-{step:08d}/model.safetensors"
        one, two = (load_file(tmp_path / name / path) for name in ("one", "two"))
        assert one.keys() == two.keys()
        assert all(torch.allclose(one[name], two[name], atol=1e-3) for name in one)
    results = [
        json.loads((tmp_path / name / "exam/result.json").read_text()) for name in ("one", "two")
    ]
    assert results[0]["metrics"] == pytest.approx(results[1]["metrics"], rel=1e-2)
    assert results[0]["confusion"] == results[1]["confusion"]
