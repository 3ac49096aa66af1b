"""Files that are no images hold nothing up, and images of any size take bounded memory."""

import os
import struct
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from renaissance.runtime.data.decode import UnreadableImageError, decode, read_image
from renaissance.runtime.feature_cache.content import ImageContents
from renaissance.runtime.report.images import data_uri


@pytest.fixture
def special(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "folder").mkdir()
    with (tmp_path / "huge").open("wb") as file:
        file.write(b"\xff\xd8\xff\xe0")
        file.truncate(2**31)
    (tmp_path / "text").write_text("0123456789\n" * 2**20)
    return tmp_path


REASONS = {
    "pipe": "no regular file",
    "zero": "no regular file",
    "null": "no regular file",
    "folder": "a folder, not a file",
    "huge": "too large: a file of 2.0 GiB",
    "text": "not an image",
}


@pytest.mark.parametrize("name", REASONS)
def test_each_is_refused_at_once(special: Path, name: str) -> None:
    began = time.process_time()
    with pytest.raises(UnreadableImageError) as error:
        read_image(str(special / name), 8, "crop")
    assert str(error.value) == REASONS[name]
    assert data_uri(special / name) is None
    assert time.process_time() - began < 2


def test_none_is_digested(special: Path) -> None:
    contents = ImageContents(special, 2**20)
    names = ["pipe", "zero", "null", "folder", "huge", "gone", "a\0b"]
    assert contents.digests([str(special / name) for name in names]) == [None] * len(names)
    (special / "file").write_bytes(b"content")
    assert contents.digests([str(special / "file")]) != [None]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("side", [8193, 13_300, 60_000])
def test_a_bomb_is_not_unpacked(tmp_path: Path, side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UnreadableImageError, match=r"too large|bomb"):
        decode(str(tmp_path / "a.png"))


@pytest.mark.parametrize("compressed", [False, True])
def test_long_comments_do_not_lose_a_png(tmp_path: Path, compressed: bool) -> None:
    comments = PngImagePlugin.PngInfo()
    comments.add_text("workflow", "x" * 3 * 2**20, zip=compressed)
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png", pnginfo=comments)
    assert decode(str(tmp_path / "a.png"))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("name", ["a.eps", "a.pcx", "a.sgi", "a.ico", "a.xbm"])
def test_formats_of_no_worth_are_not_tried(tmp_path: Path, name: str) -> None:
    mode = "1" if name == "a.xbm" else "RGB"
    Image.new(mode, (16, 16)).save(tmp_path / name)
    with pytest.raises(UnreadableImageError, match="not an image"):
        decode(str(tmp_path / name))
