"""What is kept of each row of a split, and what a result says beside its figures."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.results import PREDICTIONS, read_result
from tests.runs import run_in_two, train
from tests.tiny import tiny_experiment


def exam_of(root: Path) -> Spec:
    spec = tiny_experiment(root, vqa={"source": None})
    exam = Evaluate(name="exam", of="vqa", batch=5)
    return spec.model_copy(update={"jobs": {"vqa": spec.jobs["vqa"], "exam": exam}})


def test_every_row_is_kept_whatever_can_be_read(vqa_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "vqa"
    shutil.copytree(vqa_root, root)
    (root / "test/images/3.png").write_bytes(b"no image")
    spec = exam_of(root)
    task = spec.jobs["vqa"].task.model_copy(update={"max_unreadable": Share(0.5)})  # type: ignore[union-attr]
    jobs = spec.jobs | {"vqa": spec.jobs["vqa"].model_copy(update={"task": task})}
    run = train(spec.model_copy(update={"jobs": jobs}), tmp_path / "run")
    result = run.results[1]
    assert result.predictions == PREDICTIONS and result.rows == 32
    rows = parquet.read_table(tmp_path / "run" / "exam" / PREDICTIONS)
    known = ["id", "image", "scene", "text", "answer"]
    assert rows.column_names == [*known, "prediction", "probability", "credit"]
    assert rows["answer"].null_count == rows["text"].null_count == 0
    assert rows["id"].to_pylist() == [str(number) for number in range(32)]
    images = [path for [path] in rows["image"].to_pylist()]
    assert images == [str(root / f"test/images/{number // 4}.png") for number in range(32)]
    assert rows["prediction"].to_pylist()[12:16] == [None] * 4
    assert rows["probability"].to_pylist()[12:16] == [None] * 4
    assert rows["prediction"].null_count == rows["probability"].null_count == 4
    credit = rows["credit"].to_numpy()
    assert credit[12:16].tolist() == [0.0] * 4
    assert credit.mean() == pytest.approx(result.metrics["accuracy"])
    assert len(np.unique(rows["scene"].to_numpy())) == 8
    low, high = result.intervals["accuracy"]
    assert low < result.metrics["accuracy"] < high
    assert result.majority_answer == "yes"
    assert result.majority["accuracy"] == pytest.approx(11 / 32, abs=0.1)
    assert result.chance["accuracy"] == pytest.approx(28 / 32 / 6)


def test_two_processes_keep_and_measure_what_one_does(vqa_root: Path, tmp_path: Path) -> None:
    spec = exam_of(vqa_root)
    train(spec, tmp_path / "one", "vqa")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    train(spec, tmp_path / "one", "exam")
    run_in_two(spec, tmp_path / "two", "exam")
    one, two = (
        parquet.read_table(tmp_path / name / "exam" / PREDICTIONS).drop(["probability"])
        for name in ("one", "two")
    )
    assert one.equals(two)
    results = [read_result(tmp_path / name / "exam") for name in ("one", "two")]
    first, second = results
    assert first is not None and second is not None
    assert first.intervals == second.intervals and first.majority == second.majority
    assert first.like_majority == second.like_majority
