"""Images small enough to travel inside the page."""

import base64
import io
from pathlib import Path

LARGEST_SIDE = 256
# Drawings stay exact as PNG; photographs, which PNG stores badly, become JPEG.
LARGEST_PNG = 24 * 1024


def data_uri(path: Path) -> str | None:
    """Return an image as a data URI, scaled down to 256 pixels; None if it cannot be read."""
    from PIL import Image

    from renaissance.runtime.data.decode import UnreadableImageError, decode

    try:
        small = Image.fromarray(decode(str(path)))
    except UnreadableImageError:
        return None
    small.thumbnail((LARGEST_SIDE, LARGEST_SIDE), reducing_gap=3.0)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    kind = "png"
    if file.tell() > LARGEST_PNG:
        file = io.BytesIO()
        small.save(file, "JPEG", quality=85)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
