"""Accuracy and consistency. Source: Suhr et al. 2019, and their `eval/metrics.py`."""

import numpy as np

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.means import Mean, means
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2


def measure(block: Nlvr2, answered: Answered) -> dict[str, float]:
    """Return the share of right rows and of sentences that are right with all their pairs.

    Both are also given for balanced and unbalanced pairs, and the accuracy for each linguistic
    phenomenon, where the files that say so lie there. A row whose images cannot be read is wrong.
    """
    return means(by_row(block, answered))


def by_row(block: Nlvr2, answered: Answered) -> dict[str, Mean]:
    """Return what these shares are the means of; a sentence stands where its first row does."""
    credit = answered.credit
    if credit is None or not len(answered.asked):
        return {}
    right = answered.of_asked(credit)  # [asked]
    ids = np.array([sentence_of(identifier) for identifier in answered.column_of_asked("id")])
    found = _both(right, ids, np.arange(len(right)), "")
    known = answered.table.rows.column_names
    if "subset" in known:
        subset = np.array(answered.column_of_asked("subset"), object)
        for name in sorted(set(subset.tolist()) - {None}):
            found |= _both(right, ids, np.flatnonzero(subset == name), f".{name}")
    if "phenomena" in known:
        rows: dict[str, list[int]] = {}
        for place, names in enumerate(answered.column_of_asked("phenomena")):
            for name in names:
                rows.setdefault(name, []).append(place)
        for name in sorted(rows):
            places = np.array(rows[name], np.int64)
            found[f"accuracy.{name}"] = Mean(places=places, values=right[places])
    return found


def sentence_of(identifier: str) -> str:
    """Return an identifier without the pair of images that its sentence is said of."""
    split, images, _, sentence = identifier.split("-")
    return f"{split}-{images}-{sentence}"


def _both(
    right: np.ndarray, sentences: np.ndarray, places: np.ndarray, subset: str
) -> dict[str, Mean]:
    """Take rows `[n]` of all, by the sentence of each."""
    mine = right[places]
    _, first, group = np.unique(sentences[places], return_index=True, return_inverse=True)
    whole = np.ones(len(first))
    np.minimum.at(whole, group, mine)
    return {
        f"accuracy{subset}": Mean(places=places, values=mine),
        f"consistency{subset}": Mean(places=places[first], values=whole),
    }
