"""Classes of images, of texts, and of both, from tables and from folders."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from renaissance.grammar.declaration import Share
from renaissance.runtime.data import job_data
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.tasks.classify.reader import read
from renaissance.runtime.tasks.classify.schema import Classify
from tests.exams import draw, exam_spec, examined, said, same_with_kept_features

CLASSES = ("cat", "dog", "fish")


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    """Rows with all that a table can have, and their images."""
    found: list[dict[str, Any]] = []
    for number in range(18):
        draw(tmp_path / f"images/{number}.png", (number * 10, 40 * (number % 3), 99))
        label = CLASSES[number % 3]
        text = f"a {label}, number {number}"
        found.append(
            {"image": f"images/{number}.png", "text": text, "label": label, "name": f"n{number}"}
        )
    return found


def write_csv(path: Path, rows: list[dict[str, Any]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def table_of(block: Classify, file: str = "train") -> Table:
    return read(block, Source(name="classify train", max_unreadable=0.01), file)


def test_each_kind_of_table_reads_the_same(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    lines = tmp_path / "rows.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    parquet = tmp_path / "rows.parquet"
    pa.parquet.write_table(pa.Table.from_pylist(rows), parquet)
    tables = [
        table_of(Classify(train=str(path), classes=3, id="name"))
        for path in (write_csv(tmp_path / "rows.csv", rows), lines, parquet)
    ]
    for table in tables:
        assert table.answers() == [row["label"] for row in rows]
        assert table.texts.to_pylist() == [row["text"] for row in rows]
        assert table.column("id").to_pylist() == [row["name"] for row in rows]
        assert table.path(4) == str(tmp_path / "images/4.png")


def test_numbers_and_truth_values_are_classes_too(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path / "rows.jsonl"
    labels: list[Any] = [7, "7", 8.0, True, None, ""]
    chosen = [row | {"label": label} for row, label in zip(rows, labels, strict=False)]
    path.write_text("".join(json.dumps(row) + "\n" for row in chosen))
    table = table_of(Classify(train=str(path), classes=3))
    assert table.answers() == ["7", "7", "8", "true", None, None]
    assert table.labelled.tolist() == [True] * 4 + [False] * 2
    path.write_text(json.dumps(rows[0] | {"label": [1]}) + "\n")
    with pytest.raises(DataError, match=r"row 1 of `.*`: `label` is a list, not the name of"):
        table_of(Classify(train=str(path), classes=3))


def test_incomplete_rows_are_left_out_and_counted(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    rows[3]["image"], rows[5]["text"], rows[7]["text"] = "", " ", ""
    path = write_csv(tmp_path / "rows.csv", rows)
    table = table_of(Classify(train=path, classes=3))
    assert (len(table), table.incomplete) == (15, 3)
    # Without texts only the image counts.
    table = table_of(Classify(train=path, classes=3, text=None))
    assert (len(table), table.incomplete, set(table.texts.to_pylist())) == (17, 1, {""})


def test_what_is_missing_is_named(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = write_csv(tmp_path / "rows.csv", rows)
    with pytest.raises(DataError, match="has no column `species`; its columns are `image`"):
        table_of(Classify(train=path, classes=3, label="species"))
    with pytest.raises(DataError) as error:
        table_of(Classify(train=path, classes=3, text="caption"))
    assert "no column `caption`; its columns are `image`, `text`" in str(error.value)
    assert str(error.value).endswith(
        "`text = none` where rows have no text, else the name of a column"
    )
    with pytest.raises(DataError, match="write `image = none` where they have no image, else"):
        table_of(Classify(train=path, classes=3, image="photo"))
    with pytest.raises(DataError, match=r"the table `.*none.csv` of `classify train` does not"):
        table_of(Classify(train=str(tmp_path / "none.csv"), classes=3))
    with pytest.raises(DataError, match="neither `text` nor `image`"):
        table_of(Classify(train=path, classes=3, text=None, image=None))


def test_the_classes_are_those_that_are_declared(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    path = write_csv(tmp_path / "rows.csv", rows)

    def answers(classes: Any) -> tuple[str, ...]:
        task = Classify(train=path, classes=classes)
        return job_data(exam_spec(task, "validation"), "learn").answers

    assert answers(3) == CLASSES
    assert answers(("fish", "cat", "dog", "cow")) == ("fish", "cat", "dog", "cow")
    with pytest.raises(DataError, match="has 3 classes where 4 are wanted: `cat`, `dog`"):
        answers(4)
    with pytest.raises(DataError, match="has classes that `classes` does not name: `fish`; it"):
        answers(("cat", "dog"))


@pytest.mark.parametrize(
    ("folders", "refused"),
    [
        (("train", "val"), "`train`, `val`"),
        (("Test", "other", "Train"), "`Test`, `Train`"),
        (("train",), "`train`"),
        (("car", "train"), None),
    ],
)
def test_folders_of_splits_are_no_classes(
    tmp_path: Path, folders: tuple[str, ...], refused: str | None
) -> None:
    for name in folders:
        draw(tmp_path / f"set/{name}/cat/0.png", (1, 2, 3))
    task = Classify(train=str(tmp_path / "set"), classes=2)
    if refused is None:
        assert set(table_of(task).answers()) == set(folders)
        return
    first = refused.split("`")[1]
    with pytest.raises(
        DataError, match=f"holds {refused}, which are splits and no classes"
    ) as told:
        table_of(task)
    assert str(told.value).endswith(f"such as `{tmp_path / 'set' / first}`")


def test_a_folder_a_class(tmp_path: Path) -> None:
    for number in range(12):
        for part in ("learn", "exam"):
            draw(tmp_path / part / CLASSES[number % 3] / f"{number}.png", (number * 20, 10, 20))
    table = table_of(Classify(train=str(tmp_path / "learn"), classes=3))
    assert table.answers() == [name for name in CLASSES for _ in range(4)]
    assert table.column("id")[0].as_py() == "cat/0.png"
    (tmp_path / "learn/empty").mkdir()
    with pytest.raises(DataError, match=r"class folder `.*empty` holds no image"):
        table_of(Classify(train=str(tmp_path / "learn"), classes=3))
    (tmp_path / "learn/empty").rmdir()
    task = Classify(
        train=str(tmp_path / "learn"),
        test=str(tmp_path / "exam"),
        classes=CLASSES,
        validation=Share(0.25),
    )
    results = examined(task, tmp_path / "run", "test", "validation")
    assert {f"accuracy.{name}" for name in CLASSES} < results["test"].metrics.keys()
    assert results["test"].answers == CLASSES


def test_texts_about_images(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    train = write_csv(tmp_path / "train.csv", rows)
    task = Classify(train=train, test=write_csv(tmp_path / "test.csv", rows[:9]), classes=3)
    same_with_kept_features(task, tmp_path, "test")


def test_texts_alone(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    """All rows see one image, and what is held out is told by the text."""
    train = write_csv(tmp_path / "train.csv", rows)
    task = Classify(
        train=train,
        test=write_csv(tmp_path / "test.csv", rows[:7]),
        classes=3,
        image=None,
        validation=Share(0.34),
        id="name",
    )
    data = job_data(exam_spec(task, "test"), "learn")
    parts = data.part("train"), data.part("validation")
    assert [len(part) for part in parts] == [12, 6]
    assert set(parts[0].texts).isdisjoint(parts[1].texts)
    assert len(parts[0].table.images) == 1 and parts[0].shown_images == 0
    [batch] = next(data.train(0, 0, 1))
    assert isinstance(batch.images, type(batch.items["answer"].text)) and len(batch.images) == 1
    # Nothing is left of its mean colour once it is normalised.
    mean = np.array(data.image_needs.mean) * 255
    assert np.abs(batch.images.numpy()[0] - mean[:, None, None]).max() <= 0.5
    same_with_kept_features(task, tmp_path, "test", "validation")
    assert len(said(tmp_path / "plain/test.txt")) == 7


def test_images_inside_of_a_table(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    """As Hugging Face's data sets have them, and as plain bytes; a damaged one is named."""
    plain = table_of(Classify(train=write_csv(tmp_path / "rows.csv", rows), classes=3))
    contents = [(tmp_path / row["image"]).read_bytes() for row in rows]
    held = [
        row | {"image": {"bytes": content, "path": None}}
        for row, content in zip(rows, contents, strict=True)
    ]
    pa.parquet.write_table(pa.Table.from_pylist(held), tmp_path / "held.parquet")
    other = [
        row | {"image": content if place else b"damaged"}
        for place, (row, content) in enumerate(zip(rows, contents, strict=True))
    ]
    pa.parquet.write_table(pa.Table.from_pylist(other), tmp_path / "bytes.parquet")
    table = table_of(Classify(train=str(tmp_path / "held.parquet"), classes=3))
    assert [table.file(image) for image in range(18)] == contents
    assert table.path(3) == str(tmp_path / "held.parquet/3")
    assert table.answers() == plain.answers()
    task = Classify(
        train=str(tmp_path / "held.parquet"),
        test=str(tmp_path / "bytes.parquet"),
        classes=3,
        max_unreadable=Share(0.1),
    )
    same_with_kept_features(task, tmp_path, "test")
    log = (tmp_path / "plain/test/log.jsonl").read_text()
    assert "bytes.parquet/0" in log


def test_rows_are_measured_by_the_kinds_that_a_column_states(tmp_path: Path) -> None:
    path, file = tmp_path / "test.csv", tmp_path / "said.jsonl"
    rows = ["text,label,asks", "a,red,color", "b,blue,color", "c,ball,shape", "d,red,"]
    path.write_text("\n".join(rows))
    said = enumerate(("red", "red", "ball", "red"))
    lines = [json.dumps({"id": number, "prediction": word}) for number, word in said]
    file.write_text("\n".join(lines))
    task = Classify(train=str(path), test=str(path), classes=3, image=None, kind="asks")
    found = score(task, file, "test").metrics
    assert found["accuracy.asks=color"] == 0.5 and found["accuracy.asks=shape"] == 1
    assert found["accuracy"] == 0.75 and found["accuracy.red"] == 1
    assert not any(
        name.startswith("accuracy.asks=")
        for name in found.keys() - {"accuracy.asks=color", "accuracy.asks=shape"}
    )
    with pytest.raises(DataError, match="has no column `kinds`"):
        score(task.model_copy(update={"kind": "kinds"}), file, "test")
