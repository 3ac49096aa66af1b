"""Images as people have them: each is read as it is seen, or it is said why not."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from renaissance.runtime.data.decode import UnreadableImageError, decode

RED = (255, 0, 0)


def file(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the image as a file."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def plain(mode: str, colour: object) -> Image.Image:
    """Return a small image of one colour."""
    return Image.new(mode, (6, 4), colour)  # type: ignore[arg-type]


def frames(kind: str) -> bytes:
    """Return an animation whose first picture is red."""
    others = [plain("RGB", colour) for colour in ("green", "blue")]
    return file(plain("RGB", RED), kind, save_all=True, append_images=others)


SEEN_AS_RED = {
    "CMYK in JPEG": file(plain("RGB", RED).convert("CMYK"), "JPEG", quality=95),
    "CMYK in TIFF": file(plain("CMYK", (0, 255, 255, 0)), "TIFF"),
    "palette": file(plain("RGB", RED).quantize(4), "PNG"),
    "animated GIF": frames("GIF"),
    "animated PNG": frames("PNG"),
    "opaque": file(plain("RGBA", (*RED, 255)), "PNG"),
    "JPEG 2000": file(plain("RGB", RED), "JPEG2000"),
}
SEEN_AS_WHITE = {
    "clear": file(plain("RGBA", (*RED, 0)), "PNG"),
    "clear gray": file(plain("LA", (0, 0)), "PNG"),
    "clear colour": file(plain("RGB", RED), "PNG", transparency=RED),
    "16 bits in PNG": file(Image.fromarray(np.full((4, 6), 65535, np.uint16)), "PNG"),
    "16 bits in TIFF": file(Image.fromarray(np.full((4, 6), 65535, np.uint16)), "TIFF"),
    "no ink": file(plain("CMYK", (0, 0, 0, 0)), "JPEG"),
    "1 bit": file(plain("1", 1), "PNG"),
}


@pytest.mark.parametrize("name", [*SEEN_AS_RED, *SEEN_AS_WHITE])
def test_colours_are_those_that_are_seen(name: str) -> None:
    seen = {**SEEN_AS_RED, **SEEN_AS_WHITE}[name]
    expected = np.array(RED if name in SEEN_AS_RED else (255, 255, 255))
    pixels = decode(seen)
    assert pixels.shape == (4, 6, 3) and pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_turned_camera_is_turned_back_once(kind: str) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # the left side of the file is on top
    pixels = np.zeros((16, 48, 3), np.uint8)
    pixels[:, :16] = RED  # is on top once it stands upright
    upright = decode(file(Image.fromarray(pixels), kind, exif=turned))
    assert upright.shape == (48, 16, 3)
    assert upright[:12].mean(axis=(0, 1))[0] > 240 and upright[36:].mean() < 15


@pytest.mark.parametrize("shape", [(1, 1), (1, 10_000), (10_000, 1), (10_000, 3_000)])
def test_the_smallest_and_the_largest(shape: tuple[int, int]) -> None:
    assert decode(file(Image.new("L", shape[::-1], 255), "PNG")).shape == (*shape, 3)


def bomb(width: int, height: int) -> bytes:
    """Return a small file that says that it is a large image."""
    content = bytearray(file(plain("L", 0), "PNG"))
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


WHOLE = file(Image.fromarray(np.arange(60 * 90, dtype=np.uint8).reshape(60, 90)), "JPEG")
PNG = file(Image.fromarray(np.arange(60 * 90, dtype=np.uint8).reshape(60, 90)), "PNG")
REFUSED = {
    "HTML": (b"<!DOCTYPE html><html><body>200 OK</body></html>", "not an image"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
    "nothing": (b"", "not an image"),
    "half a JPEG": (WHOLE[: len(WHOLE) // 2], "damaged"),
    "the head of a JPEG": (WHOLE[:60], "damaged"),
    "half a PNG": (PNG[: len(PNG) // 2], "damaged"),
    "10,000 pixels a side": (bomb(10_000, 10_000), "too large: 10000 × 10000 pixels"),
    "a bomb": (bomb(60_000, 60_000), "too large: far more than"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_said(name: str) -> None:
    content, reason = REFUSED[name]
    with pytest.raises(UnreadableImageError, match=reason):
        decode(content)
