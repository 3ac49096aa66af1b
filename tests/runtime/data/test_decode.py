"""Reading one image."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode

from renaissance.runtime.data import decode as decode_module
from renaissance.runtime.data.decode import UnreadableImageError, decode, read_image

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


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "RGBA", "LA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
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


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_that_of_pillow(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.jpg", "a.png", "a.tif"):
        path = save(tmp_path / name, Image.fromarray(NOISE), exif=exif)
        with Image.open(path) as file:
            expected = np.asarray(ImageOps.exif_transpose(file))
        assert (decode(path) == expected).all()


JPEGS: dict[str, tuple[str, dict[str, object]]] = {
    "4:4:4": ("RGB", {"subsampling": 0}),
    "4:2:2": ("RGB", {"subsampling": 1}),
    "4:2:0": ("RGB", {"subsampling": 2}),
    "progressive": ("RGB", {"progressive": True, "quality": 60}),
    "restart markers": ("RGB", {"restart_marker_blocks": 2}),
    "no conversion of colours": ("RGB", {"keep_rgb": True}),
    "gray": ("L", {}),
    "CMYK": ("CMYK", {}),
}


@pytest.mark.parametrize("case", JPEGS)
@pytest.mark.parametrize("shape", [(37, 61), (8, 16), (1, 5)])
def test_jpeg_has_the_pixels_that_pillow_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, shape: tuple[int, int]
) -> None:
    mode, options = JPEGS[case]
    coarse = np.random.default_rng(1).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(shape[::-1]).convert(mode)
    path = save(tmp_path / "a.jpg", image, **options)
    with Image.open(path) as file:
        expected = np.asarray(file.convert("RGB"))
    assert (decode(path) == expected).all()
    # Without the library, and where it refuses a file, Pillow decodes.
    monkeypatch.setattr(decode_module, "_simplejpeg", lambda: None)
    assert (decode(path) == expected).all()


def test_jpeg_that_the_fast_decoder_refuses_is_read_by_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simplejpeg = pytest.importorskip("simplejpeg")
    path = Path(save(tmp_path / "a.jpg", Image.fromarray(NOISE)))
    expected = decode(str(path))
    refused = []

    def refuses(*arguments: object) -> None:
        refused.append(arguments)
        raise ValueError("corrupt JPEG data")

    monkeypatch.setattr(simplejpeg, "decode_jpeg", refuses)
    assert (decode(str(path)) == expected).all()
    assert len(refused) == 1


@pytest.mark.parametrize("shape", [(48, 64), (64, 48), (100, 30), (31, 121), (7, 9)])
@pytest.mark.parametrize("size", [16, 33])
def test_resizing_is_that_of_torchvision_on_tensors(
    tmp_path: Path, shape: tuple[int, int], size: int
) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8)
    path = save(tmp_path / "a.png", Image.fromarray(pixels))
    image = torch.from_numpy(pixels).permute(2, 0, 1)
    for resize, wanted in (("crop", [size]), ("squash", [size, size])):
        whole = v2.functional.resize(image, wanted, InterpolationMode.BICUBIC, antialias=True)
        expected = v2.functional.center_crop(whole, [size, size])
        assert (read_image(path, size, resize) == expected.numpy()).all()


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
