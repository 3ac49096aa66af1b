"""Reading one image."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renaissance.runtime.data.decode import UnreadableImageError, read_image

NOISE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def save(path: Path, image: Image.Image, **options: object) -> str:
    image.save(path, **options)
    return str(path)


def test_an_image_of_the_right_size_is_untouched(tmp_path: Path) -> None:
    pixels = NOISE[:, :20]
    path = save(tmp_path / "a.png", Image.fromarray(pixels))
    for resize in ("crop", "squash"):
        read = read_image(path, 20, resize)
        assert read.dtype == np.uint8 and read.flags.c_contiguous
        assert (read == pixels.transpose(2, 0, 1)).all()


def test_crop_takes_the_centre_and_squash_takes_all(tmp_path: Path) -> None:
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 255
    path = save(tmp_path / "a.png", Image.fromarray(pixels))
    assert (read_image(path, 10, "crop") == 255).all()
    squashed = read_image(path, 9, "squash")[0]
    assert squashed.shape == (9, 9)
    assert (squashed[:, [0, 8]] < 20).all() and (squashed[:, 4] > 235).all()


@pytest.mark.parametrize("size", [4, 8, 40])
@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (1, 50), (3, 3)])
def test_every_shape_becomes_a_square(tmp_path: Path, size: int, shape: tuple[int, int]) -> None:
    path = save(tmp_path / "a.png", Image.new("RGB", shape, (10, 200, 30)))
    for resize in ("crop", "squash"):
        read = read_image(path, size, resize)
        assert read.shape == (3, size, size)
        assert (read.reshape(3, -1).T == [10, 200, 30]).all()


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "RGBA", "LA", "F"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode in ("CMYK", "F") else "png"
    path = save(tmp_path / f"a.{suffix}", Image.new(mode, (8, 8)))
    assert read_image(path, 8, "crop").shape == (3, 8, 8)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 4, 8))
    path = save(tmp_path / "a.png", image)
    read = read_image(path, 8, "crop")
    assert (read[:, :, :4] == 255).all()
    assert (read[:, :, 4:].reshape(3, -1).T == [255, 0, 0]).all()
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 0, 0, 255])
    path = save(tmp_path / "b.png", palette, transparency=b"\xff\x00")
    assert (read_image(path, 8, "crop") == 255).all()


def test_a_photo_stands_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 8), "black")
    image.paste("white", (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    path = save(tmp_path / "a.png", image, exif=exif)
    read = read_image(path, 8, "squash")[0]
    assert read[1].min() > 200 and read[-2].max() < 50


def test_reasons(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("this is no image\n")
    (tmp_path / "empty.png").touch()
    whole = Path(save(tmp_path / "a.png", Image.fromarray(NOISE))).read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    cases = {
        "missing.png": "missing",
        "text.png": "not an image",
        "empty.png": "not an image",
        "half.png": "damaged",
        ".": "a folder, not a file",
    }
    for name, reason in cases.items():
        with pytest.raises(UnreadableImageError) as error:
            read_image(str(tmp_path / name), 8, "crop")
        assert str(error.value).startswith(reason)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_damaged_bytes_give_pixels_or_a_reason(tmp_path: Path, kind: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, kind)
    whole = buffer.getvalue()
    rng = np.random.default_rng(0)
    path = tmp_path / "image"
    failures = 0
    for _ in range(150):
        damaged = bytearray(whole[: rng.integers(len(whole) // 4, len(whole) + 1)])
        for place in rng.integers(0, len(damaged), 3):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            assert read_image(str(path), 8, "crop").shape == (3, 8, 8)
        except UnreadableImageError:
            failures += 1
    assert failures > 10
