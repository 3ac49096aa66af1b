"""Numbers, sets of classes and pairs of texts, from tables of one's own."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renaissance.grammar.declaration import Share
from renaissance.runtime.data import job_data
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.tasks.entail.schema import Entail
from renaissance.runtime.tasks.multilabel.metric import average_precision
from renaissance.runtime.tasks.multilabel.schema import Multilabel
from renaissance.runtime.tasks.regress.schema import Regress
from tests.exams import draw, exam_spec, examined, same_with_kept_features
from tests.runs import run_in_two

RELATIONS = ("contradiction", "neutral", "entailment")


@pytest.fixture
def table(tmp_path: Path) -> str:
    """A table with something for each task; of the last row nothing is known."""
    rows: list[dict[str, Any]] = []
    for number in range(16):
        draw(tmp_path / f"images/{number}.png", (number * 12, 30, 60))
        known = number < 15
        rows.append(
            {
                "image": f"images/{number}.png",
                "text": f"thing number {number}",
                "premise": f"a thing {number}",
                "hypothesis": f"no thing {number}",
                "label": RELATIONS[number % 3] if known else None,
                "labels": ["red", "blue", "old"][: number % 4] if known else None,
                "target": number / 4 if known else None,
            }
        )
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_numbers(table: str, tmp_path: Path) -> None:
    task = Regress(train=table, test=table, validation=Share(0.2))
    same_with_kept_features(task, tmp_path, "validation", steps=5)
    found = examined(Regress(train=table, test=table), tmp_path / "run", "test", steps=5)["test"]
    assert {"rmse", "loss"} < found.metrics.keys() <= {"rmse", "loss", "pearson", "spearman"}
    assert found.metrics["loss"] == pytest.approx(found.metrics["rmse"] ** 2, rel=1e-3)
    lines = [json.loads(line) for line in (tmp_path / "run/test.txt").read_text().splitlines()]
    assert len(lines) == 16
    # The file of all rows is worth the same.
    again = score(task, tmp_path / "run/test.txt", "test")
    assert again.rows == 15 and again.metrics["rmse"] == pytest.approx(found.metrics["rmse"], 1e-4)


def test_what_is_no_number(table: str) -> None:
    with pytest.raises(DataError, match=r"row 1 of `.*`: `text` is `thing number 0`, not a number"):
        job_data(exam_spec(Regress(train=table, target="text"), "validation"), "learn")


def test_sets_of_classes(table: str, tmp_path: Path) -> None:
    task = Multilabel(train=table, test=table, classes=3)
    same_with_kept_features(task, tmp_path, "test")
    spec = exam_spec(task, "test")
    assert job_data(spec, "learn").answers == ("blue", "old", "red")
    measured = json.loads((tmp_path / "plain/test/result.json").read_text())["metrics"]
    assert measured.keys() == {
        "precision@1",
        "f1.micro",
        "f1.macro",
        "mean_average_precision",
        "loss",
    }
    lines = (tmp_path / "plain/test.txt").read_text().splitlines()
    assert len(lines) == 16
    first = json.loads(lines[0])
    assert first["probabilities"].keys() == {"blue", "old", "red"}
    assert set(first["labels"]) == {n for n, p in first["probabilities"].items() if p >= 0.5}
    # Whoever measures the file finds what the evaluation found, to the last bit.
    found = score(task, tmp_path / "plain/test.txt", "test").metrics
    assert found == {name: measured[name] for name in measured if name != "loss"}


def test_files_with_probabilities_are_measured_as_scikit_learn_does(tmp_path: Path) -> None:
    measures = pytest.importorskip("sklearn.metrics")
    source, names = np.random.default_rng(0), ("a", "b", "c")
    truth, likely = source.random((30, 3)) < 0.4, source.random((30, 3))
    rows = [{"text": "x", "labels": [names[k] for k in np.flatnonzero(row)]} for row in truth]
    path, file = tmp_path / "rows.jsonl", tmp_path / "said.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = [
        {
            "id": number,
            "prediction": names[row.argmax()],
            "probabilities": dict(zip(names, row.tolist(), strict=True)),
        }
        for number, row in enumerate(likely)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in said))
    task = Multilabel(train=str(path), test=str(path), classes=names, image=None)
    found = score(task, file, "test")
    wanted = {
        "precision@1": truth[np.arange(30), likely.argmax(1)].mean(),
        "f1.micro": measures.f1_score(truth, likely >= 0.5, average="micro"),
        "f1.macro": measures.f1_score(truth, likely >= 0.5, average="macro"),
        "mean_average_precision": measures.average_precision_score(truth, likely, average="macro"),
    }
    assert found.metrics == pytest.approx(wanted) and not found.hints
    other = task.model_copy(update={"classes": 3})
    assert score(other, file, "test").metrics == found.metrics
    for change, problem in (
        (lambda shares: shares.pop("c"), r"`probabilities` lack `c`"),
        (lambda shares: shares.update(d=0.5), r"`probabilities` have one of no class: `d`"),
    ):
        changed = deepcopy(said)
        for line in changed:
            change(line["probabilities"])
            line["prediction"] = "a"
        file.write_text("".join(json.dumps(line) + "\n" for line in changed))
        with pytest.raises(DataError, match=problem):
            score(task, file, "test")
    del said[4]["probabilities"]
    file.write_text("".join(json.dumps(line) + "\n" for line in said))
    with pytest.raises(DataError, match="line 5 has no `probabilities`, as other lines have"):
        score(task, file, "test")
    for line in said:
        line.pop("probabilities", None)
    file.write_text("".join(json.dumps(line) + "\n" for line in said))
    plain = score(task, file, "test")
    assert plain.metrics.keys() == {"precision@1"}
    [hint] = plain.hints
    assert "without `probabilities` in its lines there is no `mean_average_precision`" in hint


def test_sets_of_classes_as_texts(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,labels\none,red; blue\ntwo,\nthree,old;red;red\n")
    task = Multilabel(train=str(path), classes=3, separator=";", image=None, validation=Share(0.0))
    data = job_data(exam_spec(task, "validation"), "learn")
    targets = data.targets("train")
    assert targets is not None and data.answers == ("blue", "old", "red")
    assert targets.of(np.arange(3)).tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 1]]
    assert targets.impossible(np.arange(3)) == 0


def test_average_precision() -> None:
    right = np.array([True, False, True, False])
    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), right) == pytest.approx(
        (1 + 2 / 3) / 2
    )
    # What scores the same is reached together, in whatever order.
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        assert average_precision(np.ones(4)[order], right[order]) == pytest.approx(0.5)


def test_pairs_of_texts_about_images(table: str, tmp_path: Path) -> None:
    task = Entail(train=table, test=table)
    results = examined(task, tmp_path, "test")
    assert results["test"].answers == RELATIONS
    assert {f"accuracy.{name}" for name in RELATIONS} < results["test"].metrics.keys()
    data = job_data(exam_spec(task, "test"), "learn")
    [batch] = next(data.train(0, 0, 1))
    assert len(batch.images) == 8
    assert data.sample("test", 2).text == "a thing 2 / no thing 2"


def test_the_same_in_two_processes(table: str, tmp_path: Path) -> None:
    spec = exam_spec(Multilabel(train=table, test=table, classes=3), "test")
    run_in_two(spec, tmp_path / "two")
    alone = examined(Multilabel(train=table, test=table, classes=3), tmp_path / "one", "test")
    found = json.loads((tmp_path / "two/test/result.json").read_text())["metrics"]
    assert found == pytest.approx(alone["test"].metrics, rel=1e-4)
    lines = [(tmp_path / place / "test.txt").read_text().splitlines() for place in ("one", "two")]
    ids = [[json.loads(line)["id"] for line in each] for each in lines]
    assert ids[0] == ids[1] == list(range(16))
