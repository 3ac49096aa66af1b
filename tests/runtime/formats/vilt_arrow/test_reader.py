"""The Arrow files of ViLT and METER."""

from pathlib import Path

import pyarrow as pa
import pytest

from renaissance.runtime.data.decode import decode
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.formats.vilt_arrow.how import how
from renaissance.runtime.formats.vilt_arrow.schema import ViltArrow
from tests.published import draw
from tests.runtime.formats.reading import names, read


def write(root: Path, name: str, numbers: list[str]) -> None:
    rows = []
    for number in numbers:
        draw(root / "image.jpg", len(number))
        rows.append(
            {
                "image": (root / "image.jpg").read_bytes(),
                "caption": [f"first of {number}", f"second of {number}"],
                "image_id": number,
                "split": "train",
            }
        )
    table = pa.Table.from_pylist(rows)
    with pa.RecordBatchFileWriter(str(root / f"{name}.arrow"), table.schema) as writer:
        writer.write_table(table)


def test_files_that_are_numbered(tmp_path: Path) -> None:
    for place in (0, 1, 10, 2):
        write(tmp_path, f"sbu_{place}", [f"{place}"])
    table = read(ViltArrow(root=str(tmp_path), names=("sbu",)))
    assert table.texts.to_pylist() == [
        f"{which} of {place}" for place in (0, 1, 2, 10) for which in ("first", "second")
    ]
    assert (len(table.images), len(table.sources)) == (4, 1)
    file = table.file(2)
    assert isinstance(file, bytes) and decode(file).shape == (16, 20, 3)


def test_what_sets_call_photographs(tmp_path: Path) -> None:
    write(tmp_path, "vg", ["2413"])
    write(tmp_path, "f30k_caption_karpathy_train", ["1000092795.jpg"])
    write(tmp_path, "coco_caption_karpathy_train", ["COCO_train2014_000000000009.jpg"])
    found = ("vg", "f30k_caption_karpathy_train", "coco_caption_karpathy_train")
    table = read(ViltArrow(root=str(tmp_path), names=found))
    assert names(table, "vg") == ["2413", None, None]
    assert names(table, "flickr") == [None, "1000092795", None]
    assert names(table, "coco") == [None, None, "9"]


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"vg\.arrow` of `pairs` does not exist, nor does `vg_0"):
        read(ViltArrow(root=str(tmp_path), names=("vg",)))
    (tmp_path / "vg.arrow").write_text("no Arrow at all")
    with pytest.raises(DataError, match=r"vg\.arrow` is no file of Arrow"):
        read(ViltArrow(root=str(tmp_path), names=("vg",)))


def test_how(tmp_path: Path) -> None:
    block = ViltArrow(root=str(tmp_path), names=("vg", "sbu.arrow"))
    assert [place.path for place in how(block).missing()] == ["vg.arrow", "sbu.arrow"]
    write(tmp_path, "sbu_0", ["1"])
    write(tmp_path, "vg", ["2"])
    assert list(how(block).missing()) == []
