"""Stored regions: found by the name of an image, cut, padded, and those that cannot be read."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.crops import crop_path
from renaissance.runtime.data import job_data
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.image_file import UnreadableImageError
from renaissance.runtime.data.regions import RegionFiles, read_regions, region_file
from renaissance.runtime.data.streams import RegionNeeds
from renaissance.runtime.data.table import Source, Table, make_table
from tests.streams import (
    CHANNELS,
    MOST,
    of_pixels_and_regions,
    of_towers,
    write_easy_regions,
    write_regions,
)
from tests.tiny import tiny_experiment, write_easy_vqa

NEEDS = RegionNeeds(folder="", channels=CHANNELS, regions=MOST, boxes=True)


def table(root: Path, names: list[str], share: float = 0.2) -> Table:
    source = Source(name="pairs", max_unreadable=share)
    return make_table(source, root, pa.array(["text"] * len(names)), pa.array(names))


def needs(folder: Path, **keys: Any) -> RegionNeeds:
    return RegionNeeds(
        **{"folder": str(folder), "channels": CHANNELS, "regions": MOST, "boxes": True} | keys
    )


@pytest.mark.parametrize("room", [0, 3 * 4 * MOST * (CHANNELS + 4), 10**6])
def test_regions_are_those_of_the_files(tmp_path: Path, room: int) -> None:
    names = [f"{number}.png" for number in range(6)]
    write_regions(tmp_path, [name.removesuffix(".png") for name in names])
    reader = RegionFiles(table(tmp_path, names), needs(tmp_path), cache_bytes=room)
    assert reader.cache_bytes <= room
    wanted = np.array([4, 1, 5])
    for _ in range(2):
        assert reader.readable(wanted).all()
        rows = reader.rows(wanted)
        for place, image in enumerate(wanted.tolist()):
            with np.load(tmp_path / f"{image}.npz") as file:
                count = min(len(file["features"]), MOST)
                sides = np.array([20, 10, 20, 10])
                features = torch.from_numpy(file["features"][:count]).float()
                boxes = torch.from_numpy(file["boxes"][:count] / sides).float()
            mask = torch.ones(rows.features.shape[:2]) if rows.mask is None else rows.mask
            assert int(mask[place].sum()) == count
            assert torch.equal(rows.features[place, :count], features)
            assert torch.equal(rows.boxes[place, :count], boxes)
            assert not rows.features[place, count:].any() and not rows.boxes[place, count:].any()
        reader.release()


def test_where_all_have_as_many_nothing_is_masked(tmp_path: Path) -> None:
    write_regions(tmp_path, ["0", "1"], least=MOST)
    reader = RegionFiles(table(tmp_path, ["0.png", "1.png"]), needs(tmp_path), cache_bytes=0)
    assert reader.readable(np.array([0, 1])).all()
    assert reader.rows(np.array([0, 1])).mask is None


def test_a_copy_reads_again(tmp_path: Path) -> None:
    write_regions(tmp_path, ["0"])
    reader = RegionFiles(table(tmp_path, ["0.png"]), needs(tmp_path), cache_bytes=10**5)
    reader.readable(np.array([0]))
    copy = pickle.loads(pickle.dumps(reader))
    assert copy.readable(np.array([0])).all()
    assert torch.equal(copy.rows(np.array([0])).boxes, reader.rows(np.array([0])).boxes)


def test_a_file_is_called_as_the_image_and_the_folders_around_it(tmp_path: Path) -> None:
    image = "/data/coco/train/images/COCO_7.v2.jpg"
    assert region_file(str(tmp_path), image) == tmp_path / "COCO_7.v2.npz"
    for near in ("COCO_7.v2.npz", "images/COCO_7.v2.npz", "train/images/COCO_7.v2.npz"):
        write_regions(tmp_path, [near.removesuffix(".npz")])
        assert region_file(str(tmp_path), image) == tmp_path / near


def stored(path: Path, **changes: Any) -> None:
    arrays: dict[str, Any] = {
        "features": np.ones((2, CHANNELS), np.float32),
        "boxes": np.array([[0, 0, 1, 2], [1, 1, 4, 4]]),
        "classes": np.eye(3)[:2],
        "width": 4,
        "height": 4,
    }
    arrays |= changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "there is no `"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged or no"),
    "text": (lambda path: path.write_bytes(b"features" * 99), "is damaged or no"),
    "folder": (lambda path: path.mkdir(), "is damaged or no"),
    "no features": (lambda path: stored(path, features=None), "holds no `features`"),
    "no boxes": (lambda path: stored(path, boxes=None), "holds no `boxes`"),
    "no size": (lambda path: stored(path, width=None), "holds no `width`"),
    "no region": (
        lambda path: stored(path, features=np.ones((0, CHANNELS)), boxes=np.ones((0, 4))),
        "holds no region",
    ),
    "channels": (
        lambda path: stored(path, features=np.ones((2, 3))),
        r"holds `features` of shape \(2, 3\), not \[n, 5\]",
    ),
    "other boxes": (lambda path: stored(path, boxes=np.ones((3, 4))), r"not \[2, 4\]"),
    "corner and size": (
        lambda path: stored(path, boxes=np.array([[3, 3, 1, 1]] * 2)),
        "not left, top, right, bottom",
    ),
    "of a larger image": (
        lambda path: stored(path, boxes=np.array([[0, 0, 8, 8]] * 2)),
        "outside of its 4 × 4 pixels",
    ),
    "shares": (lambda path: stored(path, boxes=np.full((2, 4), 0.5)), "are they shares"),
    "logits": (lambda path: stored(path, classes=[[-1, 2, 0]] * 2), "no probabilities"),
    "percentages": (lambda path: stored(path, classes=[[50, 50, 0]] * 2), "no probabilities"),
    "no class": (lambda path: stored(path, classes=[[0, 0, 0]] * 2), "no probabilities"),
    "no height": (lambda path: stored(path, height=0), "that no image has"),
    "two heights": (lambda path: stored(path, height=[1, 2]), "that no image has"),
    "not finite": (
        lambda path: stored(path, features=np.full((2, CHANNELS), np.nan)),
        "not finite",
    ),
    "words": (lambda path: stored(path, features=np.array([["a"] * 5])), "holds no numbers"),
    "objects": (
        lambda path: stored(path, features=np.array([[None] * 5], object)),
        "is damaged or no",
    ),
    "cut": (
        lambda path: (stored(path), path.write_bytes(path.read_bytes()[:-300])),
        "is damaged or no",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_read_is_said_in_a_sentence(damage: str, tmp_path: Path) -> None:
    write, said = DAMAGE[damage]
    path = tmp_path / "0.npz"
    write(path)
    with pytest.raises(UnreadableImageError, match=said) as caught:
        read_regions(path, replace(NEEDS, classes=3))
    assert "\n" not in str(caught.value)


def test_what_is_rounded_or_reaches_a_little_too_far_is_read(tmp_path: Path) -> None:
    path = tmp_path / "0.npz"
    stored(path, boxes=np.array([[-0.2, 0, 4.3, 4]] * 2), classes=[[0.5, 0.508, 0], [0.1, 0, 0]])
    assert len(read_regions(path, replace(NEEDS, classes=3))) == 2


def test_without_boxes_a_file_needs_none(tmp_path: Path) -> None:
    path = tmp_path / "0.npz"
    np.savez(path, features=np.ones((2, CHANNELS)))
    found = read_regions(path, needs(tmp_path, boxes=False))
    assert found.shape == (2, CHANNELS + 4) and not found[:, CHANNELS:].any()


def test_a_part_of_an_image_has_no_regions(tmp_path: Path) -> None:
    write_regions(tmp_path, ["0"])
    part = crop_path("0.png", (0, 0, 4, 4))
    reader = RegionFiles(table(tmp_path, [part], share=1.0), needs(tmp_path), cache_bytes=0)
    assert not reader.readable(np.array([0])).any()
    [(_, reason)] = reader.unreadable
    assert "a part of an image" in reason


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    root = write_easy_vqa(tmp_path / "pictures")
    made = tiny_experiment(root, vqa={"source": None}, base={"steps": 2})
    model = of_towers(write_easy_regions(tmp_path / "features"))
    return made.model_copy(update={"models": {"tiny": model}})


def test_an_image_without_regions_is_unreadable(spec: Spec, tmp_path: Path) -> None:
    (tmp_path / "features/test/images/3.npz").write_bytes(b"")
    data = job_data(spec, "exam")
    with pytest.raises(DataError, match=r"cannot be read, first `.*3\.png`: `.*3\.npz` is damaged"):
        list(data.split("test", 8, 0, 1))
    task = spec.jobs["vqa"].task.model_copy(update={"max_unreadable": Share(0.5)})
    job = spec.jobs["vqa"].model_copy(update={"task": task})
    lenient = spec.model_copy(update={"jobs": {**spec.jobs, "vqa": job}})
    data = job_data(lenient, "exam")
    rows = [row for one in data.split("test", 8, 0, 1) for row in one.items["answer"].row.tolist()]
    assert len(rows) == 4 * 7
    assert [Path(path).name for path, _ in data.unreadable] == ["3.png"]


def test_no_image_file_is_opened_for_regions(spec: Spec, tmp_path: Path) -> None:
    for path in (tmp_path / "pictures").rglob("*.png"):
        path.write_bytes(b"")
    [batch] = next(job_data(spec, "vqa").train(0, 0, 1))
    assert batch.rows == 12 and not batch.more


def test_pixels_and_regions_are_of_the_same_images(spec: Spec, tmp_path: Path) -> None:
    model = of_pixels_and_regions(tmp_path / "features")
    data = job_data(spec.model_copy(update={"models": {"tiny": model}}), "vqa")
    [batch] = next(data.train(0, 0, 1))
    items, table = batch.items["answer"], data.part("train").table
    assert items.image.shape == (12, 2) and (items.image[:, 0] == items.image[:, 1]).all()
    assert len(batch.images) == len(batch.more["objects"])
    (tmp_path / "features/train/images/0.npz").unlink()
    (tmp_path / "pictures/train/images/1.png").write_bytes(b"")
    task = spec.jobs["vqa"].task.model_copy(update={"max_unreadable": Share(0.5)})
    job = spec.jobs["vqa"].model_copy(update={"task": task})
    changed = {"models": {"tiny": model}, "jobs": {**spec.jobs, "vqa": job}}
    for (batch,) in job_data(spec.model_copy(update=changed), "vqa").train(0, 0, 1):
        images = table.image_of_row[batch.items["answer"].row.numpy()]
        names = {Path(table.path(image)).name for image in images.tolist()}
        assert names.isdisjoint({"0.png", "1.png"})
