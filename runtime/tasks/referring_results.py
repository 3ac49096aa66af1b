"""What choices among boxes are worth, and the file of them."""

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from renaissance.runtime.crops import Box
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.entries import Entry, lines_of
from renaissance.runtime.tasks.referring import Places
from renaissance.runtime.tasks.referring_keys import Referring


def measure(block: Referring, answered: Answered) -> dict[str, float]:
    """Return the share of expressions whose box is right, and what a choice by chance would get.

    Each expression counts once, not each object or photograph. One whose photograph cannot be read
    is wrong, and so is one of which no candidate is right. Where boxes are given there is no
    choice, and none by chance.
    """
    credit = answered.credit
    if credit is None or not len(answered.asked):
        return {}
    found = {"accuracy": float(answered.of_asked(credit).mean(dtype="float64"))}
    if isinstance(answered.targets, Places):
        starts, right = answered.targets.starts, answered.targets.right
        counts = np.add.reduceat(right.astype(np.float64), starts[:-1]) / np.diff(starts)
        found["chance"] = float(counts[answered.asked].mean())
    return found


def write(block: Referring, answered: Answered) -> bytes:
    """Return a line of JSON for each expression: the place of the chosen candidate, and its box."""
    chosen = dict(zip(answered.rows.tolist(), answered.predictions.tolist(), strict=True))
    ids = answered.column_of_asked("id")
    boxes, meant = answered.column_of_asked("boxes"), answered.column_of_asked("box")
    lines = []
    for row, identifier, offered, box in zip(
        answered.asked.tolist(), ids, boxes, meant, strict=True
    ):
        place = chosen.get(row)
        entry = {
            "id": identifier,
            "prediction": place,
            "pred_box": None if place is None else offered[place],
            "tgt_box": box,
        }
        lines.append(json.dumps(entry) + "\n")
    return "".join(lines).encode()


def parse(block: Referring, content: bytes) -> Iterator[Entry]:
    """Yield what a file says of expressions: places of candidates, or boxes, as others write them.

    It is a line of JSON for each, or one list.

    Raises:
        DataError: for a line of another form, and for a file of places and boxes.
    """
    first: Entry | None = None
    for place, said in _objects(content):
        try:
            identifier = said["id"] if "id" in said else said["sent_id"]
            prediction = said["prediction"] if "prediction" in said else said["pred_box"]
        except (TypeError, KeyError):
            raise DataError(
                f"{place} is no JSON object with `id` or `sent_id`, and `prediction` or `pred_box`"
            ) from None
        if not isinstance(identifier, str | int):
            raise DataError(f"{place} has an `id` that is neither a text nor a whole number")
        if isinstance(prediction, dict):
            raise DataError(f"{place} predicts neither a place nor a box")
        box = _box(prediction, place) if isinstance(prediction, list) else None
        entry = Entry(place=place, id=identifier, prediction=prediction if box is None else box)
        if prediction is not None:
            first = first or entry
            if isinstance(first.prediction, tuple) != isinstance(entry.prediction, tuple):
                raise DataError(
                    f"{place} predicts {_form(entry)} and {first.place} {_form(first)}; places and "
                    "boxes are measured by different protocols, so that a file has one of them"
                )
        yield entry


def _objects(content: bytes) -> Iterator[tuple[str, Any]]:
    """Yield place and value of each line, or of each entry where the file is one list."""
    if content.lstrip()[:1] == b"[":
        try:
            entries = json.loads(content)
        except (ValueError, RecursionError) as problem:
            raise DataError(f"it begins as a list, and is no JSON: {problem}") from None
        yield from ((f"entry {number}", entry) for number, entry in enumerate(entries, 1))
        return
    for place, line in lines_of(content):
        try:
            yield place, json.loads(line)
        except (ValueError, RecursionError):
            raise DataError(f"{place} is no JSON: {line[:60]}") from None


def _box(sides: list[Any], place: str) -> Box:
    try:
        left, top, width, height = (
            math.nan if isinstance(side, bool | str) else float(side) for side in sides
        )
        if all(map(math.isfinite, (left, top, width, height))):
            return left, top, width, height
    except (TypeError, ValueError, OverflowError):
        pass
    raise DataError(
        f"{place} predicts `{json.dumps(sides)[:60]}`, which is no box of four finite numbers: "
        "left, top, width and height"
    )


def _form(entry: Entry) -> str:
    return "a box" if isinstance(entry.prediction, tuple) else "the place of one"
