"""A line of JSON a row: the most likely class, those that are said to be there, and how likely."""

import json

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.multilabel.metric import LEAST
from renaissance.runtime.tasks.multilabel.schema import Multilabel


def write(block: Multilabel, answered: Answered) -> bytes:
    """Return the lines, one for every row of the split; nothing is said of unreadable ones."""
    places = {row: place for place, row in enumerate(answered.rows.tolist())}
    ids = answered.table.ids(answered.asked)
    lines = []
    for identifier, row in zip(ids, answered.asked.tolist(), strict=True):
        place = places.get(row)
        entry: dict[str, object] = {"id": identifier, "prediction": None}
        if place is not None:
            entry |= _said(answered, place)
        lines.append(json.dumps(entry, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def _said(answered: Answered, place: int) -> dict[str, object]:
    found: dict[str, object] = {"prediction": answered.in_words(place)}
    if answered.more is not None:
        likely = dict(zip(answered.answers, answered.more[place], strict=True))
        found["labels"] = [name for name, share in likely.items() if share >= LEAST]
        # As many digits as tell float32 apart: a file is measured as the model is.
        found["probabilities"] = {name: float(str(share)) for name, share in likely.items()}
    return found
