"""Copies of images under other names: found once, however often somebody asks."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import renaissance as rn
from renaissance.runtime.data import copies as module
from renaissance.runtime.data import job_data
from renaissance.runtime.data.copies import Copies
from renaissance.runtime.data.table import Source, Table, make_table

SPEC = """
model m {
  backbone text   = plain_text { layers = 1, width = 16, heads = 2, vocabulary = 64 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 16, patch = 8 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}
data pairs { format = image_caption, table = "pairs.csv" }
pretrain base on m {
  data = [pairs], objective itm { }, optimizer adamw { lr = 1e-3 }
  batch = 16, steps = 4, validation = 10%
}
"""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Which files have been compared."""
    asked: list[tuple[str, str]] = []
    compare = module.are_copies

    def counting(path: str, other: str) -> bool:
        asked.append((path, other))
        return compare(path, other)

    monkeypatch.setattr(module, "are_copies", counting)
    return asked


def table_of(root: Path, groups: str) -> Table:
    """Write an image for each letter; equal letters are copies."""
    for number, letter in enumerate(groups):
        (root / f"{number}.png").write_bytes(letter.encode())
    paths = pa.array([f"{number}.png" for number in range(len(groups))])
    return make_table(Source(name="pairs", max_unreadable=0.0), root, paths, paths)


def test_what_was_compared_is_known_in_both_directions(
    tmp_path: Path, counted: list[tuple[str, str]]
) -> None:
    found = Copies(table_of(tmp_path, "abab"))
    assert found.are(np.array([[0], [0]]), np.array([[1], [2]])).tolist() == [[False], [True]]
    assert found.of(1, 3) and len(counted) == 3
    assert found.of(2, 0) and found.of(3, 1) and len(counted) == 3
    assert found.without_known(0, np.arange(4)).tolist() == [1, 3]


def test_groups_that_turn_out_to_be_one_become_one(tmp_path: Path) -> None:
    found = Copies(table_of(tmp_path, "aaaa"))
    assert found.of(0, 1) and found.of(2, 3)
    assert found.without_known(0, np.arange(4)).tolist() == [2, 3]
    assert found.of(1, 2)
    assert found.without_known(3, np.arange(4)).tolist() == []


def test_many_copies_are_compared_a_few_times_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[tuple[str, str]]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (16, 16), "red").save("0.png")
    Image.new("RGB", (16, 16), "blue").save("other.png")
    rows = ["image,caption", "0.png,text", "other.png,other text"]
    for number in range(1, 200):
        shutil.copyfile("0.png", f"{number}.png")
        rows.append(f"{number}.png,text {number}")
    Path("pairs.csv").write_text("\n".join(rows))
    Path("e.vl").write_text(SPEC)
    assert [*job_data(rn.load("e.vl"), "base").train(0, 0, 1)]
    assert len(counted) < 2 * 200  # of 20,100 pairs of images
