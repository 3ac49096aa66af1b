"""Texts with hidden words, and what stands there instead."""

from collections.abc import Iterator

import numpy as np

from renaissance.runtime.data.examined import Examined
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.records import Prediction


def examples(block: Mlm, examined: Examined) -> Iterator[Prediction]:
    """Yield each text of which something is hidden, its words in their order."""
    wanted, asked, data = examined.wanted, examined.asked, examined.data
    assert wanted.positions is not None and wanted.target is not None  # tokens are asked for
    tokenizer, ids = data.tokenizer, asked.text.ids
    row, column = np.divmod(wanted.positions, ids.shape[1])  # [items]
    best = examined.scores.argmax(1)
    for place, number in enumerate(asked.rows.tolist()):
        mine = np.flatnonzero(row == place)
        if not len(mine):
            continue
        hidden = ids[place].copy()
        hidden[column[mine]] = tokenizer.mask_id
        yield Prediction(
            image=data.sample(examined.split, number).image_path,
            text=tokenizer.text_of(hidden.tolist()),
            answer=tokenizer.text_of(wanted.target[mine].tolist()),
            prediction=said(tokenizer, best[mine].tolist()),
        )


def said(tokenizer: Tokenizer, ids: list[int]) -> str:
    """Return what predicted tokens say; where all are special, how these are written."""
    return tokenizer.text_of(ids) or " ".join(map(tokenizer.token, ids))
