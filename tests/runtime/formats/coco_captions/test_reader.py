"""COCO's captions as published."""

import json
from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.formats.coco_captions.schema import CocoCaptions
from tests.published import published_samples
from tests.published_pairs import write_coco_captions
from tests.runtime.formats.reading import names, pairs, read


@pytest.mark.parametrize("split", ["val2014", "train2017"])
def test_captions_of_an_image_stand_together(tmp_path: Path, split: str) -> None:
    write_coco_captions(tmp_path, [9, 25], split)
    table = read(CocoCaptions(root=str(tmp_path), split=split))
    prefix = "COCO_val2014_" if split == "val2014" else ""
    assert pairs(table, tmp_path) == [
        (f"{split}/{prefix}{number:012d}.jpg", f"caption {k} of {number}.")
        for number in (9, 25)
        for k in range(2)
    ]
    assert names(table, "coco") == ["9", "25"]
    assert names(table, "flickr") == ["8119300009", "8119300025"]


def test_a_published_record(tmp_path: Path) -> None:
    sample = published_samples("coco") / "captions_val2014.sample.json"
    (tmp_path / "captions_val2014.json").write_bytes(sample.read_bytes())
    table = read(CocoCaptions(root=str(tmp_path), split="val2014"))
    assert (len(table), names(table, "flickr")) == (5, ["8119368305"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda content: content.pop("annotations"), "has no list `annotations`"),
        (
            lambda content: content["images"][0].pop("file_name"),
            "image 0 of `.*` has no `file_name`",
        ),
        (lambda content: content["annotations"][1].pop("caption"), "annotation 1 of .*`caption`"),
        (lambda content: content["images"].pop(), "is of image 25, which is not there"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: object, expected: str) -> None:
    write_coco_captions(tmp_path, [9, 25])
    path = tmp_path / "annotations/captions_val2014.json"
    content = json.loads(path.read_text())
    change(content)  # type: ignore[operator]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=expected):
        read(CocoCaptions(root=str(tmp_path), split="val2014"))
