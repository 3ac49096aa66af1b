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

    try:
        with Image.open(path) as image:
            image.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
            small = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    # PIL reports damage of a file in all these ways.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if small.mode == "RGBA":
        paper = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(paper, small).convert("RGB")
    small.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    kind = "png"
    if file.tell() > LARGEST_PNG:
        file = io.BytesIO()
        small.save(file, "JPEG", quality=85)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
