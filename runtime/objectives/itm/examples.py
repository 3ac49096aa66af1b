"""Pairs of a text and an image, and whether they are taken to belong together."""

from collections.abc import Iterator

import numpy as np

from renaissance.runtime.data.examined import Examined
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.records import Prediction

WORDS = ("another image", "its image")


def examples(block: Itm, examined: Examined) -> Iterator[Prediction]:
    """Yield each pair."""
    wanted, scores = examined.wanted, examined.scores
    assert wanted.target is not None  # it is known what was paired
    best = scores.argmax(1)
    likely = np.exp(scores.max(1) - np.logaddexp.reduce(scores, axis=1))  # [pairs]
    for pair, text in enumerate(wanted.text.tolist()):
        yield Prediction(
            image=examined.image(pair),
            text=examined.text(text),
            answer=WORDS[wanted.target[pair]],
            prediction=WORDS[best[pair]],
            probability=float(likely[pair]),
        )
