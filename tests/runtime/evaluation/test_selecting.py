"""Which metric selects the best checkpoint, and what says so afterwards."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.evaluation.measuring import measure
from renaissance.runtime.training.held_out import Measured
from tests.runs import StopAt, events, run_in_two, train
from tests.tiny import tiny_experiment, write_easy_vqa


def spec_of(root: Path, **keys: Any) -> Spec:
    spec = tiny_experiment(root, vqa={"source": None, **keys})
    return spec.model_copy(update={"jobs": {"vqa": spec.jobs["vqa"]}})


def best_of(folder: Path) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads((folder / "vqa" / "best.json").read_text())
    return found


@pytest.mark.parametrize("select", [None, "loss", "accuracy"])
def test_the_best_checkpoint_is_the_one_that_was_asked_for(
    vqa_root: Path, tmp_path: Path, select: str | None
) -> None:
    [result] = train(spec_of(vqa_root, select=select), tmp_path).results
    best, lines = best_of(tmp_path), events(tmp_path, "vqa", "validate")
    assert len(lines) > 1
    by = select or "accuracy"
    assert (best["selected_by"], best["split"]) == (by, "validation")
    assert (result.selected_by, result.best_step) == (by, best["step"])
    if by == "loss":
        assert best["losses"]["loss"] == min(line["losses"]["answer"] for line in lines)
    else:
        assert best["metrics"]["accuracy"] == max(line["metrics"]["accuracy"] for line in lines)


@pytest.fixture
def half_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the task a second metric, of its own `metric.py`."""
    from renaissance.runtime.evaluation import selecting
    from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa

    def measured(task: Any, answered: Any) -> dict[str, float]:
        found = measure(task, answered)
        return found | {"half": found["accuracy"] / 2, "half.red": 0.0}

    monkeypatch.setattr(EasyVqa, "metrics", ("half",))
    monkeypatch.setattr(selecting, "measure", measured)


def test_another_metric_of_the_task_selects(
    vqa_root: Path, tmp_path: Path, half_as_good: None
) -> None:
    train(spec_of(vqa_root), tmp_path / "plain")
    [result] = train(spec_of(vqa_root, select="half"), tmp_path / "half").results
    plain, best = best_of(tmp_path / "plain"), best_of(tmp_path / "half")
    assert (result.selected_by, best["selected_by"]) == ("half", "half")
    assert best["step"] == plain["step"]
    assert best["metrics"] == {
        "accuracy": pytest.approx(plain["metrics"]["accuracy"]),
        "half": pytest.approx(plain["metrics"]["accuracy"] / 2),
    }
    assert best["losses"] == pytest.approx(plain["losses"], rel=1e-6)


def test_a_run_that_was_stopped_selects_as_one_that_was_not(
    vqa_root: Path, tmp_path: Path, half_as_good: None
) -> None:
    spec = spec_of(vqa_root, select="half")
    train(spec, tmp_path / "whole")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", observer=StopAt(5))
    train(spec, tmp_path / "parts")
    assert best_of(tmp_path / "parts") == best_of(tmp_path / "whole")


def test_what_is_not_defined_is_worse_than_anything(vqa_root: Path) -> None:
    job = spec_of(vqa_root, select="accuracy").jobs["vqa"]
    assert isinstance(job, Finetune)
    none = Measured(loss=0.1, losses={}, metrics={}).score(job)
    some = Measured(loss=0.9, losses={}, metrics={"accuracy": 0.0}).score(job)
    broken = Measured(loss=0.1, losses={}, metrics={"accuracy": float("nan")}).score(job)
    assert some > none and some > broken


def test_two_processes_select_as_one(vqa_root: Path, tmp_path: Path) -> None:
    # Only tasks whose declaration other processes know can be asked here.
    spec = spec_of(vqa_root, select="loss")
    run_in_two(spec, tmp_path)
    assert best_of(tmp_path)["selected_by"] == "loss"


def test_pretraining_goes_by_the_loss(vqa_root: Path) -> None:
    job = tiny_experiment(vqa_root).jobs["base"]
    assert isinstance(job, Pretrain)
    assert Measured(loss=2.0, losses={}, metrics={}).score(job) == (-2.0,)


@pytest.mark.parametrize("select", [None, "half"])
def test_held_out_rows_without_an_image_are_wrong(
    tmp_path: Path, half_as_good: None, select: str | None
) -> None:
    root = write_easy_vqa(tmp_path / "data")
    spec = spec_of(root, select=select)
    task = spec.jobs["vqa"].task.model_copy(update={"max_unreadable": Share(0.5)})
    spec = spec_of(root, select=select, task=task)
    part = job_data(spec, "vqa").part("validation")
    held_out = part.images.tolist()
    Path(part.table.path(held_out[0])).write_bytes(b"no image")
    train(spec, tmp_path / "run")
    missing = int((part.table.image_of_row[part.rows] == held_out[0]).sum())
    assert 0 < missing < len(part)
    said = [line["text"] for line in events(tmp_path / "run", "vqa", "notice")]
    sentence = f"{missing} rows of `validation` have an image that cannot be read"
    assert len([text for text in said if text.startswith(sentence)]) == 1
    named = [
        path for line in events(tmp_path / "run", "vqa", "unreadable") for path in line["paths"]
    ]
    assert part.table.path(held_out[0]) in named
    for line in events(tmp_path / "run", "vqa", "validate"):
        right = line["metrics"]["accuracy"] * len(part)
        assert right == pytest.approx(round(right)) and right <= len(part) - missing
