"""Pairs of a text and an image, and whether they are taken to belong together."""

from collections.abc import Iterator

import numpy as np

from renaissance.runtime.data import JobData
from renaissance.runtime.data.batches import Asked
from renaissance.runtime.data.wanted import Wanted
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.records import Prediction

WORDS = ("another image", "its image")


def examples(
    block: Itm, data: JobData, split: str, asked: Asked, wanted: Wanted, scores: np.ndarray
) -> Iterator[Prediction]:
    """Yield each pair.

    Args:
        block: the objective.
        data: that the texts are of.
        split: likewise.
        asked: the texts.
        wanted: the pairs.
        scores: `[pairs, 2]` float32.
    """
    assert wanted.target is not None  # it is known what was paired
    best = scores.argmax(1)
    likely = np.exp(scores.max(1) - np.logaddexp.reduce(scores, axis=1))  # [pairs]
    for pair, (text, image) in enumerate(zip(wanted.text, wanted.image, strict=True)):
        yield Prediction(
            image=data.path(split, int(image)),
            text=data.sample(split, int(asked.rows[text])).text,
            answer=WORDS[wanted.target[pair]],
            prediction=WORDS[best[pair]],
            probability=float(likely[pair]),
        )
