"""Texts of a batch, one behind the other without padding."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from renaissance.compiler.batch import PartlyEncodedTexts, TextRows, Texts
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.feature_cache.known import KnownTexts


def plain_texts(text: Padded) -> Texts:
    """Return texts as they are."""
    return Texts(encoded=text_rows([text.ids], text))


def text_rows(ids: Sequence[np.ndarray], text: Padded) -> TextRows | None:
    """Return texts `[rows, tokens]` of the same lengths, one table after the other, packed."""
    if not ids:
        return None
    return TextRows(
        input_ids=torch.from_numpy(np.concatenate([table[text.present] for table in ids])),
        cumulative=_cumulative(np.tile(text.lengths, len(ids))),
        longest=text.present.shape[1],
    )


def partly_encoded(text: Padded, known: KnownTexts) -> tuple[PartlyEncodedTexts, np.ndarray]:
    """Look up the features of distinct texts; also say which of them each row has."""
    contents = known.digests(
        ids[:tokens] for ids, tokens in zip(text.ids, text.lengths.tolist(), strict=True)
    )
    rows: dict[bytes, int] = {}
    for row, content in enumerate(contents):
        rows.setdefault(content, row)
    entries = known.read(list(rows))
    distinct = np.array(list(rows.values()))
    missing, found = distinct[~entries.found], distinct[entries.found]
    ordered = np.append(missing, found)
    place = {contents[row]: number for number, row in enumerate(ordered.tolist())}
    encoded = PartlyEncodedTexts(
        input_ids=torch.from_numpy(text.ids[missing][text.present[missing]]),
        lengths=tuple(text.lengths[missing].tolist()),
        contents=tuple(contents[row] for row in missing.tolist()),
        features=entries.tokens,
        cumulative=_cumulative(text.lengths[ordered]),
        longest=text.present.shape[1],
    )
    return encoded, np.array([place[content] for content in contents])


def _cumulative(lengths: np.ndarray) -> Tensor:
    ends = np.cumsum(lengths, dtype=np.int32)
    return torch.from_numpy(np.concatenate([np.zeros(1, np.int32), ends]))
