"""Opening a file as an image: what is no image, or too large a one, is refused at once."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from renaissance.runtime.regular_file import IrregularFileError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Formats that are read, as Pillow calls them. Each is told by the first bytes of a file."""
MAX_PIXELS = 2**26
"""Largest image: 67 million pixels, more than cameras have that are not made for posters."""
MAX_SIDE = 2**16
"""Largest height and width in pixels."""
PNG = b"\x89PNG\r\n\x1a\n"
PNG_TEXT = (b"tEXt", b"zTXt", b"iTXt")


class UnreadableImageError(Exception):
    """An image that is missing or damaged; the message is the reason."""


def opened(file: BinaryIO) -> Image.Image:
    """Return an image whose header was read; its pixels are read when they are asked for.

    Raises:
        UnreadableImageError: if it is larger than images may be.
        Exception: whatever a decoder raises where the header is damaged.
    """
    image = Image.open(file, formats=_formats())
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise UnreadableImageError(
            f"too large: {width} × {height} pixels, where {MAX_PIXELS:,} in all and {MAX_SIDE:,} "
            "a side are read"
        )
    return image


@contextmanager
def reasons() -> Iterator[None]:
    """Say in words what goes wrong while an image is read.

    Raises:
        UnreadableImageError: for anything that was raised.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnreadableImageError:
        raise
    except FileNotFoundError:
        raise UnreadableImageError("missing") from None
    except IsADirectoryError:
        raise UnreadableImageError("a folder, not a file") from None
    except IrregularFileError as problem:
        raise UnreadableImageError(str(problem)) from None
    except UnidentifiedImageError:
        raise UnreadableImageError("not an image") from None
    except Image.DecompressionBombError:
        raise UnreadableImageError(
            f"too large: far more than the {MAX_PIXELS:,} pixels that are read"
        ) from None
    except MemoryError:
        raise UnreadableImageError("too large for the memory that is left") from None
    # Decoders of damaged files raise whatever their parsing stumbles over: OSError, SyntaxError,
    # ValueError, struct.error, IndexError and more.
    except Exception as problem:
        if isinstance(problem, OSError) and problem.errno is not None and problem.strerror:
            # The system refuses the path, such as one without permission or too long a name.
            said = problem.strerror[:1].lower() + problem.strerror[1:]
            raise UnreadableImageError(f"cannot be opened: {said}") from None
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise UnreadableImageError(f"damaged ({reason})") from None


def without_text(file: BinaryIO) -> BinaryIO | None:
    """Return a PNG file without its comments, which Pillow refuses above 1 MB; None if it is none.

    Args:
        file: at any place.
    """
    file.seek(0)
    data = memoryview(file.read())
    if bytes(data[: len(PNG)]) != PNG:
        return None
    kept, place = [data[: len(PNG)]], len(PNG)
    while place + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        if kind not in PNG_TEXT:
            kept.append(data[place : place + length + 12])
        place += length + 12
    return io.BytesIO(b"".join(kept))


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)
