"""Images small enough to travel inside the page."""

from pathlib import Path

LARGEST_SIDE = 256


def data_uri(path: Path) -> str | None:
    """Return an image as a data URI, scaled down to 256 pixels; None if it cannot be read."""
    from PIL import Image

    from renaissance.runtime.data.decode import UnreadableImageError, decode
    from renaissance.runtime.inline import inline

    try:
        return inline(Image.fromarray(decode(str(path))), LARGEST_SIDE)
    except UnreadableImageError:
        return None
