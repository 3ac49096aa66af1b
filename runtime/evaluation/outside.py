"""Predictions in a file that are no answer of what they are measured on, or none at all."""

from collections.abc import Mapping

import numpy as np

from renaissance.grammar.names import FEW, listing, nearest
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.targets import Classes, LabelSets
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.entries import Entry


def remarks(answered: Answered, said: Mapping[int, Entry], split: str) -> tuple[str, ...]:
    """Say how many predictions of a file count as wrong whatever is right, and name the first.

    Args:
        answered: the rows that are measured.
        said: what the file says of each row.
        split: its name.
    """
    found = []
    asked = f"{len(answered.asked):,}"
    outside = answered.rows[_outside(answered)].tolist()
    if outside:
        first = said[outside[0]]
        found.append(
            f"{len(outside):,} of {asked} predictions are no answer of `{split}` and count as "
            f"wrong; the first is `{first.prediction}` ({first.place})"
            + _known(answered.table, str(first.prediction))
        )
    without = [row for row in answered.missing.tolist() if said[row].prediction is None]
    if without:
        found.append(
            f"{len(without):,} of {asked} rows have no prediction and count as wrong; the first "
            f"is `{said[without[0]].id}` ({said[without[0]].place})"
        )
    return tuple(found)


def _outside(answered: Answered) -> np.ndarray:
    """Return `[n]` bool: predictions that are right for no row, or no place among candidates."""
    known, none = answered.targets, np.zeros(len(answered), bool)
    if isinstance(known, Classes) and answered.answers:
        return ~np.isin(answered.predictions, known.numbers)
    if isinstance(known, LabelSets):
        return ~np.isin(answered.predictions, known.shares.classes)
    candidates = getattr(known, "candidates", None)
    if candidates is None:
        return none  # any text and any number may be an answer
    outside: np.ndarray = answered.predictions >= candidates(answered.rows)
    return outside


def _known(table: Table, prediction: str) -> str:
    """Return what may have been meant, as the end of a sentence."""
    if not table.has_answers:
        return ""
    answers = sorted({answer for answer in table.answers() if answer is not None})
    near = nearest(prediction, answers)
    if near:
        return f"; there is {listing(near)}"
    return f"; answers are {listing(answers, most=FEW)}" if answers else ""
