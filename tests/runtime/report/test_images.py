import base64
import io
import random
from pathlib import Path

import pytest
from PIL import Image

from renaissance.runtime.report.images import data_uri


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_large_image_is_scaled_with_its_proportions(tmp_path: Path) -> None:
    Image.new("RGB", (1024, 512), "green").save(tmp_path / "i.png")
    uri = data_uri(tmp_path / "i.png")
    assert uri is not None
    assert decoded(uri).size == (256, 128)


def test_small_drawing_keeps_its_pixels(tmp_path: Path) -> None:
    image = Image.new("RGB", (20, 10), "red")
    image.putpixel((3, 4), (0, 0, 255))
    image.save(tmp_path / "i.png")
    uri = data_uri(tmp_path / "i.png")
    assert uri is not None
    assert uri.startswith("data:image/png;base64,")
    assert decoded(uri).convert("RGB").tobytes() == image.tobytes()


def test_photograph_becomes_jpeg(tmp_path: Path) -> None:
    noise = random.Random(0).randbytes(400 * 400 * 3)
    Image.frombytes("RGB", (400, 400), noise).save(tmp_path / "i.png")
    uri = data_uri(tmp_path / "i.png")
    assert uri is not None
    assert uri.startswith("data:image/jpeg;base64,")
    assert len(uri) < 120_000


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK", "I;16"])
def test_every_mode_is_shown(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("i.tif" if mode in ("CMYK", "I;16") else "i.png")
    Image.new(mode, (8, 8)).save(path)
    uri = data_uri(path)
    assert uri is not None
    assert decoded(uri).mode == "RGB"


def test_what_is_no_image_is_none(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:90])
    for name in ("text.png", "cut.png", "gone.png", "."):
        assert data_uri(tmp_path / name) is None
