"""What choices among boxes are worth, and the file of them."""

import json

import numpy as np

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.referring import Places
from renaissance.runtime.tasks.referring_keys import Referring


def measure(block: Referring, answered: Answered) -> dict[str, float]:
    """Return the share of expressions whose box is right, and what a choice by chance would get.

    Each expression counts once, not each object or photograph. One whose photograph cannot be read
    is wrong, and so is one of which no candidate is right.
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
