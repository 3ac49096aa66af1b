"""From the colours of a file to red, green and blue of 8 bits."""

import numpy as np
from PIL import Image

from renaissance.runtime.data.image_file import UnreadableImageError

DEEP = ("I;16", "I;16L", "I;16B", "I;16N")
"""Modes of gray with 16 bits."""
SIXTEEN_BITS = ("PNG", "PPM", "JPEG2000")
"""Formats whose gray has 16 bits where Pillow gives it more room."""
BAND = 2**20
"""Pixels that are laid on white in one go."""
BITS_PER_SAMPLE, PHOTOMETRIC = 258, 262
"""Tags of TIFF."""


def rgb(image: Image.Image) -> Image.Image:
    """Return an image in red, green and blue; what is transparent is white.

    Gray of 16 bits is scaled to 8.

    Raises:
        UnreadableImageError: if its values have no known scale.
    """
    if image.mode in DEEP or (image.mode == "I" and image.format in SIXTEEN_BITS):
        return _from_16_bits(image)
    if image.mode in ("I", "F"):
        raise UnreadableImageError(
            "gray of 32 bits without a known scale; save it with 8 or 16 bits"
        )
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    return _on_white(image) if image.has_transparency_data else image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.uint32)
    most, inverted = 2**16 - 1, False
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        most = 2 ** tags.get(BITS_PER_SAMPLE, (16,))[0] - 1
        inverted = tags.get(PHOTOMETRIC) == 0
    gray = ((values * 255 + most // 2) // most).clip(0, 255).astype(np.uint8)
    if inverted:
        gray = 255 - gray
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        gray[values == clear] = 255
    return Image.fromarray(gray).convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Lay an image on white, a band at a time: a copy with four channels of a large one is big."""
    result = Image.new("RGB", image.size, "white")
    width, height = image.size
    rows = max(BAND // width, 1)
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(top + rows, height))).convert("RGBA")
        white = Image.new("RGBA", band.size, "white")
        result.paste(Image.alpha_composite(white, band).convert("RGB"), (0, top))
    return result
