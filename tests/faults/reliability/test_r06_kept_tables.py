"""A kept table that was damaged is made anew; where none can be kept, reading goes on without."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from renaissance.runtime.data import mapped
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source
from renaissance.runtime.formats.image_caption import reader
from renaissance.runtime.formats.image_caption.schema import ImageCaption

TEXTS = [f"caption number {number}" for number in range(200)]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table that counts as large; its cache is in `cache`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(reader, "IN_MEMORY_BYTES", 0)
    path = tmp_path / "pairs.csv"
    path.write_text("image,caption\n" + "".join(f"{n}.png,{t}\n" for n, t in enumerate(TEXTS)))
    return path


def read(path: Path) -> list[str]:
    source = Source(name="pairs", max_unreadable=0.01)
    texts: list[str] = reader.read(ImageCaption(table=str(path)), source).texts.to_pylist()
    return texts


def test_every_flipped_bit_is_found(table: Path, tmp_path: Path) -> None:
    assert read(table) == TEXTS
    [kept] = (tmp_path / "cache/renaissance/tables").iterdir()
    whole = kept.read_bytes()
    draw = np.random.default_rng(0)
    places = [0, 1, 8, len(whole) // 3, len(whole) - 1, *draw.integers(0, len(whole), 40)]
    for place in map(int, places):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(draw.integers(8))
        kept.write_bytes(damaged)
        assert read(table) == TEXTS
        assert kept.read_bytes() == whole


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 100, -1, -16, -17])
def test_a_cut_one_is_made_anew(table: Path, tmp_path: Path, length: int) -> None:
    assert read(table) == TEXTS
    [kept] = (tmp_path / "cache/renaissance/tables").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:length])
    assert read(table) == TEXTS
    assert kept.read_bytes() == whole


def test_a_whole_one_is_not_made_anew(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(table) == TEXTS
    monkeypatch.setattr(reader, "read_columns", lambda *_: pytest.fail("read again"))
    assert read(table) == TEXTS


def test_it_goes_on_without_a_place(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert read(table) == TEXTS
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert read(table) == TEXTS


def test_a_folder_in_its_place(table: Path, tmp_path: Path) -> None:
    assert read(table) == TEXTS
    [kept] = (tmp_path / "cache/renaissance/tables").iterdir()
    kept.unlink()
    kept.mkdir()
    assert read(table) == TEXTS


def test_it_goes_on_when_the_disk_is_full(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(mapped, "_check", full)
    assert read(table) == TEXTS
    assert list((tmp_path / "cache/renaissance/tables").iterdir()) == []


def test_a_mistake_in_the_table_is_told_as_ever(table: Path, tmp_path: Path) -> None:
    table.write_text('image,caption\na.png,"x\n')
    with pytest.raises(DataError, match="line 2: a quote opens here"):
        read(table)
    assert list((tmp_path / "cache/renaissance/tables").iterdir()) == []
