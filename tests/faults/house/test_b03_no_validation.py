"""With `validation = 0%` the last weights count as the best, and the next job starts from them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError
from renaissance.runtime.checkpoints import best_checkpoint, restore_best
from renaissance.runtime.records import JobResult
from tests.runs import StopAt, train


def test_the_next_job_starts_from_the_last_weights(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = tiny_spec(base={"validation": Share(0.0), "steps": 4, "validate_every": 2})
    run = train(spec, tmp_path)
    assert [result.job for result in run.results] == ["base", "vqa", "exam"]
    base = run.results[0]
    assert base.split is None and base.metrics == {}
    assert best_checkpoint(tmp_path / "base").state.step == 4
    assert json.loads((tmp_path / "base/best.json").read_text())["step"] == 4
    assert JobResult.model_validate_json((tmp_path / "base/result.json").read_bytes()) == base
    assert load_file(tmp_path / "vqa/checkpoints/step-00000006/model.safetensors")


@pytest.mark.parametrize("stop", [2, 4])
def test_also_after_a_stop(tiny_spec: Callable[..., Spec], tmp_path: Path, stop: int) -> None:
    spec = tiny_spec(base={"validation": Share(0.0), "steps": 4})
    with pytest.raises(InterruptionError):
        train(spec, tmp_path, "base", observer=StopAt(stop))
    train(spec, tmp_path, "base")
    assert best_checkpoint(tmp_path / "base").state.step == 4


def test_a_run_that_an_earlier_version_finished(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = tiny_spec(base={"validation": Share(0.0), "steps": 2})
    train(spec, tmp_path, "base")
    # It wrote no best.json.
    (tmp_path / "base/best.json").unlink()
    assert best_checkpoint(tmp_path / "base").state.step == 2
    said: list[str] = []
    restore_best(tmp_path / "base", said.append)
    assert len(said) == 1 and "step 2 is the best" in said[0]
    assert json.loads((tmp_path / "base/best.json").read_text())["step"] == 2
