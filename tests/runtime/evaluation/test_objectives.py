"""Measuring a pretraining by its own objectives on what it holds out."""

import json
from pathlib import Path

import pytest

from renaissance.grammar.schema.jobs import Evaluate, Pretrain
from tests.runs import run_in_two, train
from tests.tiny import tiny_experiment


def test_it_is_measured_as_its_validation_did(vqa_root: Path, tmp_path: Path) -> None:
    spec = tiny_experiment(vqa_root)
    base = spec.jobs["base"]
    assert isinstance(base, Pretrain)
    # The same batches have the same words masked and the same images drawn.
    exam = Evaluate(name="exam", of="base", split="validation", batch=base.batch)
    spec = spec.model_copy(update={"jobs": {"base": base, "exam": exam}})
    run = train(spec, tmp_path)
    best = json.loads((tmp_path / "base" / "best.json").read_text())
    found = run.results[1]
    assert found.metrics == pytest.approx(best["metrics"] | best["losses"], rel=1e-6)
    assert set(found.metrics) == {"loss", *(objective.word() for objective in base.objectives)} | {
        objective.metric for objective in base.objectives
    }
    assert found.rows is not None and found.rows > 0
    assert found.predictions is None and found.samples


def test_two_processes_measure_the_same(vqa_root: Path, tmp_path: Path) -> None:
    spec = tiny_experiment(vqa_root)
    exam = Evaluate(name="exam", of="base", split="validation", batch=4)
    spec = spec.model_copy(update={"jobs": {"base": spec.jobs["base"], "exam": exam}})
    train(spec, tmp_path, "base")
    run_in_two(spec, tmp_path, "exam")
    two = json.loads((tmp_path / "exam" / "result.json").read_text())
    (tmp_path / "exam" / "result.json").unlink()
    [one] = train(spec, tmp_path, "exam").results
    assert two["metrics"] == pytest.approx(one.metrics, rel=1e-5)
