"""A task about two images a row: kept together, read or left out together, measured, written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from tests.kinds.two_images.schema import TwoImages
from tests.runs import notices, train
from tests.tiny import tiny_experiment, write_easy_vqa


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    root = write_easy_vqa(tmp_path / "pictures", train=16, test=8)
    task = TwoImages(root=str(root), max_unreadable=Share(0.2))
    made = tiny_experiment(root, vqa={"task": task, "source": None, "batch": 8, "steps": 2})
    exams = {
        "exam": Evaluate(name="exam", of="vqa", batch=5, write="exam.csv"),
        "secret": Evaluate(name="secret", of="vqa", split="hidden", batch=5, write="secret.csv"),
    }
    return made.model_copy(update={"jobs": {"vqa": made.jobs["vqa"], **exams}})


def rows_of(data: Any, split: str, batch: int = 7) -> list[int]:
    return [
        row for one in data.split(split, batch, 0, 1) for row in one.items["answer"].row.tolist()
    ]


def test_each_text_comes_with_both_of_its_images(spec: Spec) -> None:
    data = job_data(spec, "vqa")
    [batch] = next(data.train(0, 0, 1))
    items, table = batch.items["answer"], data.part("train").table
    assert items.text.tolist() == [row for row in range(8) for _ in range(2)]
    assert (items.pairs, items.known, batch.rows) == (16, 8, 8)
    shown = np.unique(table.images_of_row[items.row.numpy()])
    assert np.array_equal(
        shown[items.image.numpy().reshape(8, 2)], table.images_of_row[items.row.numpy()]
    )
    assert len(batch.images) == len(shown)
    assert data.sample("train", 1).image_paths == (table.path(0), table.path(2))


def test_a_row_with_images_on_both_sides_is_on_neither(spec: Spec) -> None:
    data = job_data(spec, "vqa")
    train, held = data.part("train"), data.part("validation")
    assert len(held) > 0 and len(train) + len(held) < len(train.table)
    assert set(train.images.tolist()).isdisjoint(held.images.tolist())


def test_a_row_is_read_only_if_all_of_its_images_can_be(spec: Spec, tmp_path: Path) -> None:
    (tmp_path / "pictures/test/images/3.png").write_bytes(b"")
    data = job_data(spec, "exam")
    table = data.part("test").table
    hit = (table.images_of_row == 3).any(axis=1)
    assert hit.sum() == 8
    assert sorted(rows_of(data, "test")) == np.flatnonzero(~hit).tolist()
    (tmp_path / "pictures/train/images/3.png").write_bytes(b"")
    learn = job_data(spec, "vqa")
    for (batch,) in learn.train(0, 0, 1):
        images = learn.part("train").table.images_of_row[batch.items["answer"].row.numpy()]
        assert batch.rows == 8 and 3 not in images


def test_both_files_have_every_row_whatever_could_be_read(spec: Spec, tmp_path: Path) -> None:
    (tmp_path / "pictures/test/images/3.png").write_bytes(b"")
    folder = tmp_path / "run"
    run = {result.job: result for result in train(spec, folder).results}
    assert {"accuracy", "consistency", "loss"} == run["exam"].metrics.keys()
    assert run["exam"].confusion and len(run["exam"].samples) >= 24
    # Of the hidden split everything is predicted and nothing is measured.
    assert run["secret"].metrics == {} and not run["secret"].confusion
    names = [f"{one}-{(one + ahead) % 8}" for one in range(8) for ahead in range(1, 5)]
    for file in ("exam.csv", "secret.csv"):
        lines = dict(line.split(",") for line in (folder / file).read_text().splitlines())
        assert list(lines) == names and set(lines.values()) <= {"yes", "no"}
        assert all(lines[name] == "no" for name in names if "3" in name.split("-"))
    assert not [text for text in notices(folder, "secret") if "never saw" in text]
