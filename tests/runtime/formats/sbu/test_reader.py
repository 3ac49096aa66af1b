"""SBU, as published and as downloaders leave it."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.formats.sbu.how import how
from renaissance.runtime.formats.sbu.schema import Sbu
from tests.published import draw
from tests.published_pairs import sbu_address, write_json, write_sbu
from tests.runtime.formats.reading import names, pairs, read


def test_photographs_that_could_not_be_had_are_counted(tmp_path: Path) -> None:
    table = read(Sbu(root=str(write_sbu(tmp_path, 4, {0, 3}))))
    assert pairs(table, tmp_path) == [
        (f"dataset/{4385058960 + number}_b0f291553e.jpg", f"photograph {number}")
        for number in (0, 3)
    ]
    assert table.incomplete == 2
    assert names(table, "flickr") == ["4385058960", "4385058963"]


def test_two_text_files(tmp_path: Path) -> None:
    write_sbu(tmp_path, 2, {1})
    content = json.loads((tmp_path / "sbu-captions-all.json").read_text())
    (tmp_path / "sbu-captions-all.json").unlink()
    stem = "SBU_captioned_photo_dataset"
    for name, values in (("captions", content["captions"]), ("urls", content["image_urls"])):
        (tmp_path / f"{stem}_{name}.txt").write_text("\n".join(values) + "\n")
    assert [text for _, text in pairs(read(Sbu(root=str(tmp_path))), tmp_path)] == ["photograph 1"]
    (tmp_path / f"{stem}_captions.txt").write_text("one\ntwo\nthree\n")
    with pytest.raises(DataError, match=r"3 captions for 2 addresses"):
        read(Sbu(root=str(tmp_path)))


def test_the_list_of_vilt(tmp_path: Path) -> None:
    draw(tmp_path / "images_train/0000/0000000", 9, "JPEG")
    write_json(tmp_path / "annot.json", [["images_train/0000/0000000", "a dog "]])
    assert pairs(read(Sbu(root=str(tmp_path))), tmp_path) == [
        ("images_train/0000/0000000", "a dog")
    ]


@pytest.mark.parametrize("tabled", [False, True])
def test_folders_of_img2dataset(tmp_path: Path, tabled: bool) -> None:
    rows = []
    for number in range(3):
        name = f"00000000{number}"
        rows.append({"key": name, "caption": f"photo {number}", "url": sbu_address(number)})
        if number != 1:
            draw(tmp_path / f"00000/{name}.jpg", number)
            (tmp_path / f"00000/{name}.txt").write_text(f"photo {number}")
            write_json(tmp_path / f"00000/{name}.json", rows[-1])
    if tabled:
        pa.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "00000.parquet")
    block = Sbu(root=str(tmp_path))
    table = read(block)
    assert not list(how(block).missing())
    assert pairs(table, tmp_path) == [
        (f"00000/00000000{number}.jpg", f"photo {number}") for number in (0, 2)
    ]
    assert table.incomplete == int(tabled)
    assert names(table, "flickr") == ["4385058960", "4385058962"]


def test_how(tmp_path: Path) -> None:
    block = Sbu(root=str(tmp_path))
    assert [place.path for place in how(block).missing()] == ["sbu-captions-all.json", "dataset"]
    write_sbu(tmp_path, 2, {1})
    assert not list(how(block).missing())


def test_none_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of the 2 images of `pairs` is in"):
        read(Sbu(root=str(write_sbu(tmp_path, 2, set()))))
