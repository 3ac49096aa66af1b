"""Two processes have the losses and weights of one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.runs import events, run_in_two, train


def test_two_processes_are_as_one(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
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
    train(spec, tmp_path / "one")
    run_in_two(spec, tmp_path / "two", *spec.jobs)
    for job in ("base", "vqa", "words"):
        for event in ("step", "validate"):
            one, two = (events(tmp_path / name, job, event) for name in ("one", "two"))
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
