"""Accuracy and consistency. Source: Suhr et al. 2019, and their `eval/metrics.py`."""

import numpy as np

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2


def measure(block: Nlvr2, answered: Answered) -> dict[str, float]:
    """Return the share of right rows and of sentences that are right with all their pairs.

    Both are also given for balanced and unbalanced pairs, and the accuracy for each linguistic
    phenomenon, where the files that say so lie there. A row whose images cannot be read is wrong.
    """
    credit = answered.credit
    if credit is None or not len(answered.asked):
        return {}
    right = answered.of_asked(credit)  # [asked]
    ids = np.array([sentence_of(identifier) for identifier in answered.column_of_asked("id")])
    found = _measured(right, ids, "")
    known = answered.table.rows.column_names
    if "subset" in known:
        subset = np.array(answered.column_of_asked("subset"), object)
        for name in sorted(set(subset.tolist()) - {None}):
            mine = subset == name
            found |= _measured(right[mine], ids[mine], f".{name}")
    if "phenomena" in known:
        rows: dict[str, list[int]] = {}
        for place, names in enumerate(answered.column_of_asked("phenomena")):
            for name in names:
                rows.setdefault(name, []).append(place)
        for name in sorted(rows):
            found[f"accuracy.{name}"] = float(right[rows[name]].mean(dtype="float64"))
    return found


def sentence_of(identifier: str) -> str:
    """Return an identifier without the pair of images that its sentence is said of."""
    split, images, _, sentence = identifier.split("-")
    return f"{split}-{images}-{sentence}"


def _measured(right: np.ndarray, sentences: np.ndarray, subset: str) -> dict[str, float]:
    """Measure rows `[n]`, 1 or 0, by the sentence `[n]` of each."""
    group = np.unique(sentences, return_inverse=True)[1]
    whole = np.ones(group.max() + 1)
    np.minimum.at(whole, group, right)
    return {
        f"accuracy{subset}": float(right.mean(dtype="float64")),
        f"consistency{subset}": float(whole.mean()),
    }
