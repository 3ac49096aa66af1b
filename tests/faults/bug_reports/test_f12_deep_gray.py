"""Gray of 16 bits is scaled to 8, not cut off; gray whose scale nobody knows is reported."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renaissance.runtime.data.decode import UnreadableImageError, decode, read_image

VALUES = {0: 0, 256: 1, 1000: 4, 32768: 128, 65535: 255}


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm", "a.jp2"])
@pytest.mark.parametrize("value", VALUES)
def test_values_are_scaled(tmp_path: Path, name: str, value: int) -> None:
    image = Image.fromarray(np.full((8, 8), value, np.uint16))
    image.save(tmp_path / name)
    assert (decode(str(tmp_path / name)) == VALUES[value]).all()


def test_a_ramp_keeps_its_mean(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256 * 256).reshape(256, 256).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    for resize in ("crop", "squash"):
        assert abs(read_image(str(tmp_path / "ramp.png"), 64, resize).mean() - 127.5) < 0.5


def test_big_endian_and_white_is_zero(tmp_path: Path) -> None:
    values = np.full((8, 8), 1000, np.uint16)
    Image.fromarray(values.astype(">u2")).save(tmp_path / "big.tif")
    assert (decode(str(tmp_path / "big.tif")) == 4).all()
    Image.fromarray(values).save(tmp_path / "inverted.tif", tiffinfo={262: 0})
    assert (decode(str(tmp_path / "inverted.tif")) == 251).all()


def test_a_transparent_gray_is_white(tmp_path: Path) -> None:
    values = np.full((8, 8), 1000, np.uint16)
    values[:, 4:] = 500
    Image.fromarray(values).save(tmp_path / "a.png", transparency=500)
    pixels = decode(str(tmp_path / "a.png"))
    assert (pixels[:, :4] == 4).all() and (pixels[:, 4:] == 255).all()


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_what_has_no_scale_is_reported(tmp_path: Path, kind: type) -> None:
    Image.fromarray(np.full((8, 8), 70, kind)).save(tmp_path / "a.tif")
    with pytest.raises(UnreadableImageError, match="without a known scale; save it with 8 or 16"):
        decode(str(tmp_path / "a.tif"))
