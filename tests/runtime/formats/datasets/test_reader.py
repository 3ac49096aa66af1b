"""Folders of Hugging Face's datasets."""

import json
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict, Features, Image, Sequence, Value

from renaissance.runtime.data.decode import decode
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.formats.datasets.schema import HuggingFaceDatasets
from tests.published import draw
from tests.runtime.formats.reading import names, pairs, read

NAME = "COCO_val2014_000000391895.jpg"


@pytest.fixture
def saved(tmp_path: Path) -> Dataset:
    """A data set with an image that it holds and one that lies in a folder."""
    draw(tmp_path / NAME, 3)
    draw(tmp_path / "b.png", 5)
    held = {"bytes": (tmp_path / NAME).read_bytes(), "path": NAME}
    features = Features({"image": Image(), "caption": Sequence(Value("string"))})
    content = {
        "image": [held, {"bytes": None, "path": str(tmp_path / "b.png")}],
        "caption": [["a dog", "another"], ["a cat"]],
    }
    return Dataset.from_dict(content, features=features)


def test_what_was_saved(tmp_path: Path, saved: Dataset) -> None:
    saved.save_to_disk(str(tmp_path / "saved"))
    table = read(HuggingFaceDatasets(root=str(tmp_path / "saved")))
    assert table.texts.to_pylist() == ["a dog", "another", "a cat"]
    assert table.image_of_row.tolist() == [0, 0, 1]
    files = [table.file(image) for image in range(2)]
    assert all(isinstance(file, bytes) for file in files)
    assert [decode(file).shape for file in files] == [(16, 20, 3)] * 2
    assert names(table, "coco") == ["391895", None]


def test_parts_of_what_was_saved(tmp_path: Path, saved: Dataset) -> None:
    DatasetDict(train=saved, test=saved.select([1])).save_to_disk(str(tmp_path / "both"))
    table = read(HuggingFaceDatasets(root=str(tmp_path / "both"), split="test"))
    assert table.texts.to_pylist() == ["a cat"]
    with pytest.raises(DataError, match=r"says no `split`; `.*` has `train`, `test`"):
        read(HuggingFaceDatasets(root=str(tmp_path / "both")))


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_an_image_folder(tmp_path: Path, kind: str) -> None:
    for part in ("train", "test"):
        draw(tmp_path / part / "sub/a.png", 4)
        if kind == "csv":
            (tmp_path / part / "metadata.csv").write_text('file_name,text\nsub/a.png,"a, b"\n')
        else:
            row = {"file_name": "sub/a.png", "text": "a, b"}
            (tmp_path / part / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    table = read(HuggingFaceDatasets(root=str(tmp_path), split="train"))
    assert pairs(table, tmp_path) == [("train/sub/a.png", "a, b")]
    assert len(read(HuggingFaceDatasets(root=str(tmp_path)))) == 2


def test_mistakes_are_named(tmp_path: Path, saved: Dataset) -> None:
    with pytest.raises(DataError, match=r"is neither a folder that `save_to_disk` writes"):
        read(HuggingFaceDatasets(root=str(tmp_path)))
    saved.save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(DataError, match=r"has no column `said`; it has `image`, `caption`"):
        read(HuggingFaceDatasets(root=str(tmp_path / "saved"), caption="said"))
