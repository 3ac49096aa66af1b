"""Rows of every kind of task are answered as an evaluation answers them, without labels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.runtime.data.reading import read_task
from renaissance.runtime.predicting.trained import Trained, load_run
from renaissance.runtime.tasks.entail.schema import Entail
from renaissance.runtime.tasks.multilabel.schema import Multilabel
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2
from renaissance.runtime.tasks.refcoco.schema import RefCoco
from renaissance.runtime.tasks.regress.schema import Regress
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from tests.exams import draw, exam_spec
from tests.published import write_karpathy, write_nlvr2
from tests.published_referring import write_refcoco
from tests.runs import train


def learned(task: TaskBlock, folder: Path, split: str) -> Trained:
    spec = exam_spec(task, split)
    jobs = {name: spec.jobs[name] for name in ("learn", split)}
    train(spec.model_copy(update={"jobs": jobs}), folder)
    return load_run(folder, device="cpu")


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    """Rows of a table of one's own, which is also written."""
    found: list[dict[str, Any]] = []
    for number in range(12):
        draw(tmp_path / f"{number}.png", (number * 20, 30, 60))
        found.append(
            {
                "image": f"{number}.png",
                "text": f"thing number {number}",
                "premise": f"a thing {number}",
                "hypothesis": f"no thing {number}",
                "label": ("neutral", "entailment")[number % 2],
                "labels": ["red", "blue", "old"][: number % 4],
                "target": number / 4,
            }
        )
    lines = "".join(json.dumps(row) + "\n" for row in found)
    (tmp_path / "rows.jsonl").write_text(lines)
    return found


@pytest.mark.parametrize(
    ("task", "columns", "more"),
    [
        (Entail, ("premise", "hypothesis", "image"), {}),
        (Regress, ("text", "image"), {}),
        (Multilabel, ("text", "image"), {"classes": 3}),
        (Regress, ("text",), {"image": None}),
    ],
)
def test_tables_of_ones_own(
    rows: list[dict[str, Any]],
    tmp_path: Path,
    task: Any,
    columns: tuple[str, ...],
    more: dict[str, Any],
) -> None:
    table = str(tmp_path / "rows.jsonl")
    block = task(train=table, test=table, validation=Share(0.2), **more)
    trained = learned(block, tmp_path / "run", "test")
    assert trained.columns == columns
    asked = [{name: row[name] for name in columns} for row in rows]
    found = trained.predict(asked, root=tmp_path, batch=5)
    for one, line in zip(found, lines_of(tmp_path / "run/test.txt"), strict=True):
        if task is Regress:
            assert one.prediction == pytest.approx(float(line["prediction"]), rel=1e-4)
            assert one.probability is None
        else:
            assert one.prediction == line["prediction"]
        if task is Multilabel:
            assert one.probabilities == pytest.approx(line["probabilities"], abs=1e-5)


@pytest.mark.parametrize("coordinates", [False, True])
def test_boxes_are_chosen_among(tmp_path: Path, coordinates: bool) -> None:
    root = write_refcoco(tmp_path / "data")
    trained = learned(RefCoco(root=str(root), coordinates=coordinates), tmp_path / "run", "testA")
    assert trained.columns == ("text", "image", "boxes")
    drawn = json.loads((root / "refcoco/instances.json").read_text())
    boxes: dict[str, list[list[float]]] = {}
    for one in drawn["annotations"]:
        boxes.setdefault(f"COCO_train2014_{one['image_id']:012d}.jpg", []).append(one["bbox"])
    said = lines_of(tmp_path / "run/testA.txt")
    table = read_task(trained.task, "testA")
    paths = [table.path(int(image)) for image in table.image_of_row]
    asked = [
        {"text": text, "image": path, "boxes": json.dumps(boxes[Path(path).name])}
        for text, path in zip(table.texts.to_pylist(), paths, strict=True)
    ]
    found = trained.predict([*asked, {**asked[0], "boxes": []}, {**asked[0], "boxes": "[3]"}])
    assert [one.prediction for one in found[:-2]] == [int(line["prediction"]) for line in said]
    assert found[-2].problem == "it has no `boxes` to choose among"
    assert found[-1].problem == "`boxes` is no list of [left, top, width, height]"
    missing = trained.predict([{**asked[0], "image": "none.jpg"}, asked[0]], root=tmp_path)
    assert missing[0].problem == f"`{tmp_path / 'none.jpg'}`: missing"
    assert missing[1].prediction == found[0].prediction


def test_a_pair_has_a_score(tmp_path: Path) -> None:
    root = write_karpathy(tmp_path / "data")
    trained = learned(Retrieval(root=str(root), negatives=2), tmp_path / "run", "val")
    image = next(root.rglob("*.jpg"))
    asked = [{"text": text, "image": image} for text in ("A light thing.", "A dark thing.")]
    found = trained.predict(asked)
    assert all(isinstance(one.prediction, float) and one.probability is None for one in found)
    assert [one.prediction for one in trained.predict(asked, batch=1)] == pytest.approx(
        [one.prediction for one in found], abs=1e-5
    )


def test_rows_with_two_images_name_both(tmp_path: Path) -> None:
    task = Nlvr2(root=str(write_nlvr2(tmp_path / "data")))
    trained = learned(task, tmp_path / "run", "test1")
    assert trained.columns == ("text", "image_1", "image_2")
    table = read_task(task, "test1")
    asked = [
        dict(zip(trained.columns, (text, *table.paths_of(row)), strict=True))
        for row, text in enumerate(table.texts.to_pylist())
    ]
    found = trained.predict(asked)
    said = dict(line.split(",") for line in (tmp_path / "run/test1.txt").read_text().splitlines())
    names = table.ids(np.arange(len(table)))
    assert [str(one.prediction).lower() for one in found] == [
        said[str(name)].lower() for name in names
    ]
    lost = trained.predict([{**asked[0], "image_2": "none.png"}, asked[0]], root=tmp_path)
    assert lost[0].problem == f"`{tmp_path / 'none.png'}`: missing"
    assert lost[1].prediction == found[0].prediction
