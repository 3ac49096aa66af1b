"""Images of which regions are hidden, and what was said of these."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from renaissance.compiler.batch import RegionRows
from renaissance.runtime.data.decode import UnreadableImageError, decode
from renaissance.runtime.data.examined import Examined
from renaissance.runtime.inline import inline
from renaissance.runtime.objectives.mrm.schema import Mrm
from renaissance.runtime.records import Choice, Picture, Prediction

SIDE = 256
"""Pixels of the longer side of a picture."""
HIDDEN = (214, 39, 40)


def examples(block: Mrm, examined: Examined) -> Iterator[Prediction]:
    """Yield each image with its hidden regions and what was said of each of them."""
    patches, hidden, wanted = examined.items.patches, examined.batch.hidden, examined.wanted
    assert patches is not None and isinstance(hidden, RegionRows) and wanted.target is not None
    order = np.unique(wanted.image).tolist()
    for pair, items in examined.of_images():
        regions = patches.patch[items].numpy()
        boxes = hidden.boxes[order.index(int(wanted.image[pair]))].numpy()[regions]
        told = tuple(
            _told(block, region, examined.scores[item], wanted.target[item], examined.credit[item])
            for region, item in zip(regions.tolist(), items.tolist(), strict=True)
        )
        count = "1 region" if len(items) == 1 else f"{len(items)} regions"
        path = examined.image(pair)
        yield Prediction(
            image=path,
            text=examined.text(int(wanted.text[pair])),
            answer="",
            prediction=f"{count} hidden",
            explained=float(examined.credit[items].mean()),
            choices=told,
            pictures=(Picture(label="what is hidden", image=_drawn(path, regions, boxes)),),
        )


def _told(
    block: Mrm, region: int, scores: np.ndarray, target: np.ndarray, credit: np.floating
) -> Choice:
    """Say of a region which class it was taken for, or how much of its features was told."""
    if not block.classes:
        return Choice(text=f"region {region + 1}: {credit:.0%} of its features")
    logits, known = scores[-block.classes :], target[-block.classes :]
    said, detected = int(logits.argmax()), int(known.argmax())
    share = float(np.exp(logits[said] - np.logaddexp.reduce(logits)))
    behind = "" if said == detected else f", the detector says {detected}"
    return Choice(
        text=f"region {region + 1}: class {said}{behind}", probability=share, right=said == detected
    )


def _drawn(path: str, regions: np.ndarray, boxes: np.ndarray) -> str:
    """Draw boxes `[n, 4]`, shares of the image, around what is hidden of it."""
    try:
        picture = Image.fromarray(decode(str(Path(path))))
    except UnreadableImageError:  # its regions are there all the same
        picture = Image.new("RGB", (SIDE, SIDE), "white")
    picture.thumbnail((SIDE, SIDE))
    pen = ImageDraw.Draw(picture)
    width, height = picture.size
    for region, box in zip(regions.tolist(), boxes.tolist(), strict=True):
        left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
        if right > left and bottom > top:
            # A box may be narrower than a pixel of the picture.
            corner = max(right - 1, left), max(bottom - 1, top)
            pen.rectangle((left, top, *corner), outline=HIDDEN, width=2)
            pen.text((left + 3, top + 2), str(region + 1), fill=HIDDEN)
    return inline(picture, SIDE)
