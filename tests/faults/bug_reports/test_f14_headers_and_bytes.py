"""Tables whose header comes late or never, whose bytes are no text, whose blocks are damaged."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source
from renaissance.runtime.formats.image_caption import reader
from renaissance.runtime.formats.image_caption.schema import ImageCaption


def read(path: Path) -> list[str]:
    source = Source(name="pairs", max_unreadable=0.01)
    texts: list[str] = reader.read(ImageCaption(table=str(path)), source).texts.to_pylist()
    return texts


def test_blank_lines_before_the_header(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n\nimage,caption\n\na.png,x\n")
    assert read(tmp_path / "t.csv") == ["x"]


@pytest.mark.parametrize("content", [b"\n\n", b"\xef\xbb\xbf", b"\r\n"])
def test_nothing_but_blank_lines(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match="has no rows"):
        read(tmp_path / "t.csv")


def test_a_number_of_any_length_in_another_column(tmp_path: Path) -> None:
    number = "9" * 5000
    (tmp_path / "t.jsonl").write_text(f'{{"image": "a.png", "caption": "x", "n": {number}}}\n')
    assert read(tmp_path / "t.jsonl") == ["x"]


def parquet(path: Path, captions: pa.Array) -> None:
    images = [f"{number}.png" for number in range(len(captions))]
    pa.parquet.write_table(pa.table({"image": images, "caption": captions}), path)


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"red \xe9"])
def test_bytes_that_are_no_text(tmp_path: Path, bad: bytes) -> None:
    raw = pa.array([b"a dog", bad, b"a cat"])
    parquet(tmp_path / "t.parquet", pa.Array.from_buffers(pa.string(), 3, raw.buffers()))
    with pytest.raises(DataError, match=r"cannot be read as Parquet: .*UTF8"):
        read(tmp_path / "t.parquet")


def test_a_damaged_block(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet(path, pa.array([f"a caption with number {number}" for number in range(50)]))
    content = bytearray(path.read_bytes())
    for place in range(20, 90):
        content[place] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read(path)
