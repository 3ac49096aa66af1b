"""Images of which patches are hidden, and what was made of these."""

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image

from renaissance.compiler.batch import HiddenPixels
from renaissance.compiler.normalisation import Normalisation
from renaissance.runtime.data.examined import Examined
from renaissance.runtime.inline import inline
from renaissance.runtime.objectives.mim.loss import EPS
from renaissance.runtime.objectives.mim.schema import Mim
from renaissance.runtime.records import Picture, Prediction

SIDE = 128
"""Pixels of the longer side of a picture."""
GREY = 128


def examples(block: Mim, examined: Examined) -> Iterator[Prediction]:
    """Yield each image: what is seen of it, and where pixels are predicted, what it was taken for.

    A predicted patch has mean 0 and variance 1: it is shown with those of the hidden one.
    """
    patches = examined.items.patches
    assert patches is not None  # they are hidden
    for pair, items in examined.of_images():
        chosen = patches.patch[items].numpy()
        first = int(patches.hidden[items[0]]) - int(chosen[0])
        pixels, side = _image(examined.batch.hidden, first)  # type: ignore[arg-type]
        patched = cut(pixels, side)
        seen = patched.copy()
        seen[chosen] = GREY
        shown = {"as it is": patched, "what is seen": seen}
        if block.target == "pixels":
            assert examined.normalised is not None  # it reads pixels
            said = examined.scores[items]
            shown["rebuilt"] = patched.copy()
            shown["rebuilt"][chosen] = rebuilt(examined.normalised, pixels, side, chosen, said)
        yield Prediction(
            image=examined.image(pair),
            text=examined.text(int(examined.wanted.text[pair])),
            answer="",
            prediction=f"{len(items)} of {len(patched)} patches hidden",
            explained=float(examined.credit[items].mean()),
            pictures=tuple(
                Picture(label=label, image=_drawn(of, pixels.shape, side))
                for label, of in shown.items()
            ),
        )


def _image(hidden: tuple[HiddenPixels, ...], first: int) -> tuple[np.ndarray, int]:
    """Return pixels `[3, height, width]` of the image whose patches begin there, and their side."""
    for group in hidden:
        images, patches = group.mask.shape
        if first < images * patches:
            pixels = group.pixels[first // patches].numpy()
            side = round((pixels.shape[1] * pixels.shape[2] / patches) ** 0.5)
            return pixels, side
        first -= images * patches
    raise IndexError("there is no such patch")


def rebuilt(
    normalised: Normalisation,
    pixels: np.ndarray,
    side: int,
    chosen: np.ndarray,
    scores: np.ndarray,
) -> np.ndarray:
    """Return pixels `[n, side * side * 3]` of what is said of patches, uint8.

    Args:
        normalised: makes what a model reads of pixels.
        pixels: `[3, height, width]` uint8 of the image.
        side: of a patch.
        chosen: `[n]`, which of the patches.
        scores: `[n, side * side * 3]` that are said, at mean 0 and variance 1.
    """
    scale, shift = (factor.numpy()[0] for factor in normalised.factors(torch.device("cpu")))
    read = cut(pixels * scale + shift, side)[chosen]
    spread = np.sqrt(read.var(1, ddof=1, keepdims=True) + EPS)
    said = (scores * spread + read.mean(1, keepdims=True)).reshape(len(chosen), -1, 3)
    shown: np.ndarray = (said - shift.reshape(3)) / scale.reshape(3)
    return shown.clip(0, 255).round().astype(np.uint8).reshape(len(chosen), -1)


def cut(pixels: np.ndarray, side: int) -> np.ndarray:
    """Cut `[3, height, width]` into patches `[patches, side * side * 3]`, row by row."""
    _, height, width = pixels.shape
    parts = pixels.reshape(3, height // side, side, width // side, side)
    return np.ascontiguousarray(parts.transpose(1, 3, 2, 4, 0)).reshape(-1, side * side * 3)


def _drawn(patches: np.ndarray, shape: tuple[int, ...], side: int) -> str:
    """Put patches together again, as a data URI."""
    _, height, width = shape
    parts = patches.reshape(height // side, width // side, side, side, 3)
    pixels = parts.transpose(0, 2, 1, 3, 4).reshape(height, width, 3)
    return inline(Image.fromarray(pixels), SIDE)
