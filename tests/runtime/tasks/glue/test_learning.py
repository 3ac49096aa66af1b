"""GLUE is learned, measured by its official measures, and written as it is handed in."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from renaissance.compiler import build
from renaissance.compiler.planning.plans import plan
from renaissance.grammar.declaration import Share
from renaissance.runtime.data import job_data
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.tasks.glue.schema import Glue
from tests.exams import exam_spec, examined, same_with_kept_features


def written(folder: Path, split: str) -> list[list[str]]:
    header, *lines = (folder / f"{split}.txt").read_text().splitlines()
    assert header == "index\tprediction"
    assert lines == (folder / f"{split}_small.txt").read_text().splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    assert [index for index, _ in rows] == [str(n) for n in range(len(rows))]
    return rows


def test_pairs_of_texts(glue_root: Path, tmp_path: Path) -> None:
    task = Glue(root=str(glue_root), subtask="rte")
    results = examined(task, tmp_path, "dev", "test")
    assert results["dev"].metrics.keys() == {"accuracy", "loss"}
    assert results["test"].metrics == {} and results["test"].answers == ()
    assert {said for _, said in written(tmp_path, "test")} <= {"entailment", "not_entailment"}
    assert len(written(tmp_path, "test")) == 7
    # A file of the measured split is worth what was measured.
    found = score(task, tmp_path / "dev.txt", "dev")
    assert found.metrics["accuracy"] == pytest.approx(results["dev"].metrics["accuracy"])
    with pytest.raises(DataError, match="what is right in `test` of glue is not published"):
        score(task, tmp_path / "test.txt", "test")


def test_numbers(glue_root: Path, tmp_path: Path) -> None:
    task = Glue(root=str(glue_root), subtask="stsb")
    results = examined(task, tmp_path, "dev", "test", steps=6)
    assert {"loss"} < results["dev"].metrics.keys() <= {"pearson", "spearman", "loss"}
    for _, said in written(tmp_path, "test"):
        assert 0 <= float(said) <= 5 and len(said.split(".")[1]) == 3


def test_one_text_with_kept_features(glue_root: Path, tmp_path: Path) -> None:
    task = Glue(root=str(glue_root), subtask="cola", validation=Share(0.25))
    same_with_kept_features(task, tmp_path, "dev")
    assert {said for _, said in written(tmp_path / "plain", "dev")} <= {"0", "1"}
    found = score(task, tmp_path / "plain/dev.txt", "dev")
    assert found.metrics.keys() == {"accuracy", "matthews"}


def test_the_plan_counts_one_image(glue_root: Path) -> None:
    spec = exam_spec(Glue(root=str(glue_root), subtask="rte"), "dev")
    [job, *_] = plan(spec).jobs
    assert job.sharing is not None
    runs = {tower.stream: tower.rows for tower in job.sharing.towers}
    assert runs == {"text": 8, "vision": 1}


def test_without_an_image_the_fusion_takes_no_part(glue_root: Path, tmp_path: Path) -> None:
    task = Glue(root=str(glue_root), subtask="mrpc", image="none")
    spec = exam_spec(task, "dev")
    [job, *_] = plan(spec).jobs
    assert [(tower.stream, tower.rows) for tower in job.sharing.towers] == [("text", 8)]
    assert job.unread == ("vision", "cross", "pool")
    assert job.reads == ("answer reads the first token of text alone",)
    data = job_data(spec, "learn")
    [batch] = next(data.train(0, 0, 1))
    assert len(batch.images) == 0 and set(batch.items["answer"].image.tolist()) == {-1}
    same_with_kept_features(task, tmp_path, "dev")
    measured = examined(task, tmp_path / "again", "dev", "test")
    assert measured["dev"].metrics.keys() == {"accuracy", "f1", "loss"}
    learned = load_file(tmp_path / "again/learn/checkpoints/step-00000003/model.safetensors")
    fresh = build(spec, job="learn").state_dict()
    held = [name for name in fresh if not name.startswith(("text", "streams.text", "heads"))]
    assert held and all(torch.equal(learned[name], fresh[name]) for name in held)
