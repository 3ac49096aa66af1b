"""A path through a link leads where the operating system says, and one file is one image."""

import os
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from renaissance.runtime.data import real_paths as real_paths_module
from renaissance.runtime.data.decode import decode
from renaissance.runtime.data.joining import join
from renaissance.runtime.data.real_paths import real_paths
from renaissance.runtime.data.table import Source, Table, make_table


def table(root: Path, *paths: str) -> Table:
    source = Source(name="pairs", max_unreadable=0.01)
    return make_table(source, root, pa.array(["text"] * len(paths)), pa.array(paths))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`link` leads to `elsewhere/deep`; there are two files `a.png`."""
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("elsewhere/deep")
    Image.new("RGB", (4, 4), "red").save(tmp_path / "a.png")
    Image.new("RGB", (4, 4), "blue").save(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "same.png").symlink_to("a.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_link_and_back_is_another_file(home: Path) -> None:
    made = table(home, "link/../a.png", "a.png", "elsewhere/a.png")
    assert made.image_of_row.tolist() == [0, 1, 0]
    assert decode(made.path(0))[0, 0].tolist() == [0, 0, 255]
    assert decode(made.path(1))[0, 0].tolist() == [255, 0, 0]


def test_spellings_are_one_image(home: Path) -> None:
    (home / "alias").symlink_to(home, target_is_directory=True)
    spellings = ["a.png", "./a.png", "no/../a.png", "same.png", "alias/a.png", f"{home}/a.png"]
    made = table(Path(), *spellings)
    assert made.image_of_row.tolist() == [0] * len(spellings)
    assert made.path(0) == "a.png"


@pytest.mark.parametrize("listed", [0, 100], ids=["listed", "asked"])
def test_links_are_followed(home: Path, monkeypatch: pytest.MonkeyPatch, listed: int) -> None:
    monkeypatch.setattr(real_paths_module, "LISTED", listed)
    paths = ["a.png", "same.png", "gone.png", "link/x", "link/../a.png", "/", ".", "a\0b", ""]
    real = real_paths(paths)
    assert real[0] == real[1] == str(home.resolve() / "a.png")
    assert real[2:7] == [
        *(str(home.resolve() / p) for p in ("gone.png", "elsewhere/deep/x", "elsewhere/a.png")),
        "/",
        str(home.resolve()),
    ]


def test_tables_share_images_however_they_are_spelled(home: Path) -> None:
    os.link(home / "a.png", home / "other.png")  # a name of its own is a file of its own
    both = join([table(Path(), "a.png"), table(home, "same.png", "link/../a.png", "other.png")])
    assert both.image_of_row.tolist() == [0, 0, 1, 2]
