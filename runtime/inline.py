"""Pictures small enough to travel inside a page or a result."""

import base64
import io
from typing import Literal

from PIL import Image

# Drawings stay exact as PNG; photographs, which PNG stores badly, become JPEG.
LARGEST_PNG = 24 * 1024


def inline(picture: Image.Image, side: int) -> str:
    """Return a picture as a data URI, scaled down where one of its sides is longer."""
    small = picture.copy()
    small.thumbnail((side, side), reducing_gap=3.0)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    kind: Literal["png", "jpeg"] = "png"
    if file.tell() > LARGEST_PNG:
        file = io.BytesIO()
        small.save(file, "JPEG", quality=85)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
