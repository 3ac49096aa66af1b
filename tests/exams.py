"""Learning a task with a tiny model and measuring it, in several ways that must agree."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.records import JobResult
from renaissance.runtime.results import PREDICTIONS
from tests.runs import train
from tests.tiny import tiny_model


def exam_spec(task: TaskBlock, *splits: str, cache: bool = False, **learn: Any) -> Spec:
    """Learn a task for three steps, then measure splits, each with batches of 3 and of 16.

    Args:
        task: what is learned.
        splits: names of splits; the evaluations are called `SPLIT` and `SPLIT_small`.
        cache: keep the features of both towers, which do not learn.
        learn: keys of the fine-tuning.
    """
    frozen = tuple(Freeze(selectors=(name,), cache=cache) for name in ("text", "vision"))
    chosen: dict[str, Any] = {"batch": 8, "steps": 3, "optimizer": AdamW(lr=2e-3), **learn}
    jobs: dict[str, Any] = {"learn": Finetune(name="learn", on="tiny", task=task, **chosen)}
    for split in splits:
        for name, batch in ((split, 16), (f"{split}_small", 3)):
            # Few colours make small images alike, whatever split they are of.
            jobs[name] = Evaluate(
                name=name,
                of="learn",
                split=split,
                batch=batch,
                write=f"{name}.txt",
                trained_on="allow",
            )
    return Spec(models={"tiny": tiny_model(dropout=0.0, freeze=frozen)}, jobs=jobs)


def examined(
    task: TaskBlock, folder: Path, *splits: str, cache: bool = False, **learn: Any
) -> dict[str, JobResult]:
    """Learn and measure; batches of another size must find the same. Returns results by split."""
    spec = exam_spec(task, *splits, cache=cache, **learn)
    results = {result.job: result for result in train(spec, folder).results}
    for split in splits:
        found, small = results[split].metrics, results[f"{split}_small"].metrics
        assert found.keys() == small.keys()
        for name, value in found.items():
            assert np.isclose(value, small[name], rtol=1e-4, atol=1e-5), (split, name)
    return {split: results[split] for split in splits}


def same_with_kept_features(task: TaskBlock, folder: Path, *splits: str, **learn: Any) -> None:
    """Learn with kept features and without: all that is measured must agree."""
    plain = examined(task, folder / "plain", *splits, **learn)
    kept = examined(task, folder / "kept", *splits, cache=True, **learn)
    for split in splits:
        assert plain[split].metrics.keys() == kept[split].metrics.keys()
        for name, value in plain[split].metrics.items():
            assert np.isclose(value, kept[split].metrics[name], rtol=1e-4, atol=1e-5)


def many_exams(asked: Mapping[str, tuple[TaskBlock, str]]) -> Spec:
    """Learn several tasks for two steps, with features that are kept and without.

    The evaluations of a task are called `NAME_exam` and, in small batches, `NAME_few`; with kept
    features `NAME_kept_exam`.

    Args:
        asked: by the name of a job, the task that it learns and the split that is measured.
    """
    models: dict[str, Model] = {}
    jobs: dict[str, Any] = {}
    for model, cache in (("plain", False), ("kept", True)):
        frozen = tuple(Freeze(selectors=(name,), cache=cache) for name in ("text", "vision"))
        tiny = tiny_model(layers=1, dropout=0.0, freeze=frozen)
        models[model] = tiny.model_copy(update={"name": model})
    chosen: dict[str, Any] = {"batch": 8, "steps": 2, "optimizer": AdamW(lr=2e-3)}
    for name, (task, split) in asked.items():
        for learn, on, exams in (
            (name, "plain", {f"{name}_exam": 16, f"{name}_few": 3}),
            (f"{name}_kept", "kept", {f"{name}_kept_exam": 16}),
        ):
            jobs[learn] = Finetune(name=learn, on=on, task=task, **chosen)
            for exam, batch in exams.items():
                keys: dict[str, Any] = {
                    "of": learn,
                    "split": split,
                    "batch": batch,
                    "write": f"{exam}.txt",
                }
                jobs[exam] = Evaluate(name=exam, trained_on="allow", **keys)
    return Spec(models=models, jobs=jobs)


def check_same(one: Path, other: Path) -> None:
    """Compare what two evaluations measure, what they keep of each row and what they write.

    Args:
        one: folder of an evaluation, beside which its file of predictions lies.
        other: the same of the other one.
    """
    metrics = [json.loads((job / "result.json").read_text())["metrics"] for job in (one, other)]
    assert metrics[0] and metrics[0] == pytest.approx(metrics[1], rel=1e-4, abs=1e-5)
    rows = [parquet.read_table(job / PREDICTIONS).to_pylist() for job in (one, other)]
    lines = [job.with_suffix(".txt").read_text().splitlines() for job in (one, other)]
    for some, others in (rows, [list(map(_values, each)) for each in lines]):
        assert len(some) == len(others) > 0
        for first, second in zip(some, others, strict=True):
            assert first.keys() == second.keys()
            for name in first:
                assert _same(first[name], second[name]), (name, first, second)


def _values(line: str) -> dict[Any, Any]:
    """Return the values of a line of JSON, or of columns between tabs."""
    if not line.startswith("{"):
        return dict(enumerate(line.split("\t")))
    found: dict[Any, Any] = json.loads(line)
    return found


def _same(one: object, other: object) -> bool:
    """Tell whether two values are equal, numbers with a point but for rounding."""
    if isinstance(one, str) and isinstance(other, str) and "." in one:
        with suppress(ValueError):
            return bool(np.isclose(float(one), float(other), rtol=1e-4, atol=2e-3))
    if isinstance(one, float) and isinstance(other, float):
        return bool(np.isclose(one, other, rtol=1e-4, atol=1e-5))
    return one == other


def said(file: Path) -> list[str]:
    """What a file of predictions says, line by line."""
    return [json.loads(line)["prediction"] for line in file.read_text().splitlines()]


def draw(path: Path, colour: tuple[int, int, int]) -> Path:
    """Write an image of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 10), colour).save(path)
    return path
