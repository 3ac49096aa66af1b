"""Texts with hidden words, and what stands there instead."""

from collections.abc import Iterator

import numpy as np

from renaissance.runtime.data import JobData
from renaissance.runtime.data.batches import Asked
from renaissance.runtime.data.wanted import Wanted
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.records import Prediction


def examples(
    block: Mlm, data: JobData, split: str, asked: Asked, wanted: Wanted, scores: np.ndarray
) -> Iterator[Prediction]:
    """Yield each text of which something is hidden, its words in their order.

    Args:
        block: the objective.
        data: that the texts are of.
        split: likewise.
        asked: the texts.
        wanted: what is hidden of them.
        scores: `[items, vocabulary]` float32.
    """
    assert wanted.positions is not None and wanted.target is not None  # tokens are asked for
    tokenizer, ids = data.tokenizer, asked.text.ids
    row, column = np.divmod(wanted.positions, ids.shape[1])  # [items]
    best = scores.argmax(1)
    for place, number in enumerate(asked.rows.tolist()):
        mine = np.flatnonzero(row == place)
        if not len(mine):
            continue
        hidden = ids[place].copy()
        hidden[column[mine]] = tokenizer.mask_id
        sample = data.sample(split, number)
        yield Prediction(
            image=sample.image_path,
            text=tokenizer.text_of(hidden.tolist()),
            answer=tokenizer.text_of(wanted.target[mine].tolist()),
            prediction=tokenizer.text_of(best[mine].tolist()),
        )
