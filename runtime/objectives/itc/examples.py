"""Images, and which of some texts are nearest to them in the common space."""

from collections.abc import Iterator

import numpy as np

from renaissance.runtime.data.examined import Examined
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.records import Choice, Prediction

NEAREST = 3
"""Texts that are shown of each image."""


def examples(block: Itc, examined: Examined) -> Iterator[Prediction]:
    """Yield each distinct image with its nearest texts, and the best one that is its own."""
    truth, logits = examined.wanted.truth, examined.scores  # [texts, images]
    assert truth is not None  # it compares
    texts = [examined.text(place) for place in examined.wanted.text.tolist()]
    _, first = np.unique(truth.image, return_index=True)
    for image in np.sort(first).tolist():
        own = (truth.image == truth.image[image]) | (truth.text == truth.text[image])
        shares = _shares(block, logits[:, image])
        order = np.argsort(-logits[:, image], kind="stable")
        order = order[np.sort(np.unique(truth.text[order], return_index=True)[1])]
        right = next(place for place in order.tolist() if own[place])
        shown = dict.fromkeys([*order[:NEAREST].tolist(), right])
        yield Prediction(
            image=examined.image(image),
            text=f"Which of {len(order)} texts?",
            answer=texts[right],
            prediction=texts[order[0]],
            probability=float(shares[order[0]]),
            choices=tuple(
                Choice(text=texts[place], probability=float(shares[place]), right=bool(own[place]))
                for place in shown
            ),
        )


def _shares(block: Itc, logits: np.ndarray) -> np.ndarray:
    """Return how likely each of `[texts]` is, as the loss takes it."""
    likely: np.ndarray = np.exp(logits - np.logaddexp.reduce(logits))
    if block.loss == "sigmoid":
        likely = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    return likely
