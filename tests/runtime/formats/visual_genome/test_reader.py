"""Visual Genome's regions."""

from pathlib import Path

import numpy as np
import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.sampling import Order
from renaissance.runtime.formats.visual_genome.schema import VisualGenome
from tests.published import published_samples
from tests.published_pairs import write_json, write_visual_genome
from tests.runtime.formats.reading import names, pairs, read


def test_phrases_that_are_equal_come_once(tmp_path: Path) -> None:
    write_visual_genome(tmp_path, {1: None, 2: 391895}, {1: 8119368305})
    table = read(VisualGenome(root=str(tmp_path)))
    assert pairs(table, tmp_path) == [
        (path, text)
        for path in ("VG_100K/1.jpg", "VG_100K_2/2.jpg")
        for text in ("a green clock", "shade along the street")
    ]
    assert names(table, "coco") == [None, "391895"]
    assert names(table, "flickr") == ["8119368305", None]
    assert names(table, "vg") == ["1", "2"]


def test_an_epoch_draws_phrases_of_each_image(tmp_path: Path) -> None:
    write_visual_genome(tmp_path, dict.fromkeys(range(20)))
    table = read(VisualGenome(root=str(tmp_path), phrases=1))
    weights = table.weight_of_row
    assert weights is not None and (weights == 0.5).all()
    rows, images = np.arange(len(table)), table.image_of_row
    order = Order(rows, images, texts_per_image=1, seed=0, weights=weights)
    epochs = [order.epoch(epoch) for epoch in range(6)]
    for chosen in epochs:
        assert sorted(images[chosen]) == list(range(20))
    assert set(np.concatenate(epochs).tolist()) == set(rows.tolist())


def test_published_records(tmp_path: Path) -> None:
    for name in ("region_descriptions.json", "image_data.json"):
        (tmp_path / name).write_bytes((published_samples("visual_genome") / name).read_bytes())
    table = read(VisualGenome(root=str(tmp_path)))
    assert pairs(table, tmp_path)[1] == ("VG_100K_2/1.jpg", "shade is along the street")
    assert names(table, "coco") == [None]


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"region_descriptions\.json` does not exist"):
        read(VisualGenome(root=str(tmp_path)))
    path = write_json(tmp_path / "region_descriptions.json", [{"id": 1, "regions": [{"x": 1}]}])
    with pytest.raises(DataError, match=r"image 0 of `.*` has no `phrase`"):
        read(VisualGenome(root=str(tmp_path)))
    path.write_text(path.read_text()[:-4])
    with pytest.raises(DataError, match=r"is no JSON|ends before"):
        read(VisualGenome(root=str(tmp_path)))
