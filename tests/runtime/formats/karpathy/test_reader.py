"""COCO and Flickr30k in Karpathy's splits."""

import json
from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.formats.karpathy.how import how
from renaissance.runtime.formats.karpathy.schema import KarpathyPairs
from tests.published import published_samples
from tests.published_pairs import CAPTIONS, write_karpathy_coco, write_karpathy_flickr
from tests.runtime.formats.reading import names, pairs, read

SPLITS = {9: "train", 391895: "restval", 7: "val", 8: "test", 10: "train"}


@pytest.mark.parametrize(
    ("split", "numbers"),
    [("train", [9, 10]), ("restval", [391895]), ("train_restval", [9, 391895, 10]), ("val", [7])],
)
@pytest.mark.parametrize("home", ["", "karpathy"])
def test_coco(tmp_path: Path, split: str, numbers: list[int], home: str) -> None:
    write_karpathy_coco(tmp_path, SPLITS, home=home)
    table = read(KarpathyPairs(root=str(tmp_path), split=split))
    folder = {9: "train2014", 10: "train2014"}
    expected = [
        (f"{there}/COCO_{there}_{number:012d}.jpg", text.strip())
        for number in numbers
        for there in [folder.get(number, "val2014")]
        for text in CAPTIONS
    ]
    assert pairs(table, tmp_path) == expected
    assert names(table, "coco") == [str(number) for number in numbers]
    assert all(Path(path).is_file() for path in table.paths)


def test_images_in_a_folder_of_their_own(tmp_path: Path) -> None:
    write_karpathy_coco(tmp_path, {9: "train"})
    (tmp_path / "images").mkdir()
    (tmp_path / "train2014").rename(tmp_path / "images/train2014")
    table = read(KarpathyPairs(root=str(tmp_path)))
    assert Path(table.path(0)).is_file()


def test_flickr(tmp_path: Path) -> None:
    write_karpathy_flickr(tmp_path, {"1000092795": "train", "10002456": "val"})
    table = read(KarpathyPairs(root=str(tmp_path), set="flickr30k"))
    assert pairs(table, tmp_path) == [("flickr30k-images/1000092795.jpg", "A dog 1000092795.")]
    assert names(table, "flickr") == ["1000092795"]


def test_a_published_record(tmp_path: Path) -> None:
    sample = published_samples("coco") / "dataset_coco.sample.json"
    (tmp_path / "dataset_coco.json").write_bytes(sample.read_bytes())
    table = read(KarpathyPairs(root=str(tmp_path), split="test"))
    assert (len(table), names(table, "coco")) == (5, ["391895"])
    assert table.texts[0].as_py() == "A man with a red helmet on a small moped on a dirt road."


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda image: image.pop("sentences"), "image 0 of `FILE` has no `sentences`"),
        (lambda image: image.pop("cocoid"), "image 0 of `FILE` has no `cocoid`"),
        (lambda image: image["sentences"][0].update(raw=3), "image 0 of `FILE` cannot be read"),
        (lambda image: image.update(split="x"), "`FILE` has no image of the split `train_restval`"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: object, expected: str) -> None:
    write_karpathy_coco(tmp_path, {9: "train"})
    path = tmp_path / "dataset_coco.json"
    content = json.loads(path.read_text())
    change(content["images"][0])  # type: ignore[operator]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError) as error:
        read(KarpathyPairs(root=str(tmp_path)))
    assert expected.replace("FILE", str(path)) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dataset_coco\.json` does not exist.*caption_datasets"):
        read(KarpathyPairs(root=str(tmp_path)))
    with pytest.raises(DataError, match=r"the folder `.*nowhere` of `pairs` does not exist"):
        read(KarpathyPairs(root=str(tmp_path / "nowhere")))


def test_how(tmp_path: Path) -> None:
    block = KarpathyPairs(root=str(tmp_path), split="val")
    assert [place.path for place in how(block).missing()] == ["dataset_coco.json", "val2014"]
    write_karpathy_coco(tmp_path, SPLITS, home="karpathy")
    assert list(how(block).missing()) == []
