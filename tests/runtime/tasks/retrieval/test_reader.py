"""Karpathy's files: splits, paths, captions, and what is wrong with a file."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.data import AllPairs
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.reading import read_task
from renaissance.runtime.tasks.retrieval.karpathy import read_captioned
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from tests.published import published_samples, write_karpathy


def test_splits_of_coco_are_those_of_the_file(tmp_path: Path) -> None:
    task = Retrieval(root=str(write_karpathy(tmp_path)))
    counts = {name: len(read_captioned(task, split.file)) for name, split in task.splits().items()}
    assert counts == {"train": 10, "restval": 2, "val": 4, "test": 6, "validation": 4}
    only = Retrieval(root=str(tmp_path), train="train", validation=Share(0.1))
    assert only.splits()["train"].file == only.splits()["validation"].file == "train"
    table = read_task(task, "test")
    assert len(table) == 31 and table.texts[0].as_py() == "A light thing, shade 14, seen 0."
    assert table.path(0).endswith("val2014/COCO_val2014_000000001014.jpg")
    assert table.column("image_name")[0].as_py() == "1014"


def test_the_first_five_captions_of_measured_images(tmp_path: Path) -> None:
    task = Retrieval(root=str(write_karpathy(tmp_path)), captions="five")
    assert len(read_task(task, "test")) == 30
    whole = AllPairs(images=5000, texts=25000, scored=125_000_000)
    assert task.pairs("test") == whole
    assert Retrieval(root="", validation=Share(0.1)).pairs("validation") is None


def test_flickr_lies_in_one_folder(tmp_path: Path) -> None:
    task = Retrieval(root=str(write_karpathy(tmp_path, "flickr30k")), set="flickr30k")
    table = read_task(task, "test")
    assert table.path(0) == str(tmp_path / "flickr30k-images/90014.jpg")
    assert table.column("image_name")[0].as_py() == "90014.jpg"
    assert "restval" not in task.splits() and len(read_task(task, "train_restval")) == 50


def test_the_file_may_lie_where_others_put_it(tmp_path: Path) -> None:
    write_karpathy(tmp_path)
    (tmp_path / "karpathy").mkdir()
    shutil.move(tmp_path / "dataset_coco.json", tmp_path / "karpathy")
    assert len(read_captioned(Retrieval(root=str(tmp_path)), "val")) == 4


def test_a_published_record_is_read(tmp_path: Path) -> None:
    shutil.copy(
        published_samples("coco") / "dataset_coco.sample.json", tmp_path / "dataset_coco.json"
    )
    [image] = read_captioned(Retrieval(root=str(tmp_path)), "test")
    assert image.name == 391895 and image.path == "val2014/COCO_val2014_000000391895.jpg"
    assert image.captions[0] == (770337, "A man with a red helmet on a small moped on a dirt road.")
    assert [number for number, _ in image.captions] == [770337, 771687, 772707, 776154, 781998]


def changed(root: Path, **changes: Any) -> Retrieval:
    file = root / "dataset_coco.json"
    content = json.loads(file.read_text())
    for name, value in changes.items():
        if value is None:
            del content["images"][14][name]
        else:
            content["images"][14][name] = value
    file.write_text(json.dumps(content))
    return Retrieval(root=str(root))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sentences": None}, "image 14 of `.*` has no `sentences`"),
        ({"split": None}, "image 14 of `.*` has no `split`"),
        ({"sentences": []}, "it has no sentence"),
        ({"sentences": [3]}, "image 14 of `.*` cannot be read"),
        (
            {"sentences": [{"raw": "x", "sentid": 3}, {"raw": "y", "sentid": 3}]},
            "repeats the `sentid` 3",
        ),
    ],
)
def test_a_wrong_record_is_one_sentence(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    task = changed(write_karpathy(tmp_path), **changes)
    with pytest.raises(DataError, match=problem) as error:
        read_task(task, "test")
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dataset_coco.json.* caption_datasets.zip"):
        read_task(Retrieval(root=str(tmp_path)), "test")
    (tmp_path / "dataset_coco.json").write_text("[]")
    with pytest.raises(DataError, match="has no list `images`"):
        read_task(Retrieval(root=str(tmp_path)), "test")
    (tmp_path / "dataset_coco.json").write_text('{"images": []}')
    with pytest.raises(DataError, match="no image of the split `test`"):
        read_task(Retrieval(root=str(tmp_path)), "test")


def test_photographs_may_lie_one_folder_deeper(tmp_path: Path) -> None:
    write_karpathy(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations").mkdir()
    shutil.move(tmp_path / "val2014", tmp_path / "images")
    shutil.move(tmp_path / "dataset_coco.json", tmp_path / "annotations")
    table = read_task(Retrieval(root=str(tmp_path)), "test")
    assert all(Path(path).is_file() for path in table.paths)
