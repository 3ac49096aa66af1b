"""Batches taken apart, as tests look at them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from renaissance.compiler.batch import Batch, Items, TextRows
from renaissance.compiler.model.packing import Packing


def encoded(batch: Batch) -> TextRows:
    """The texts that are encoded in any case."""
    assert batch.texts.encoded is not None
    return batch.texts.encoded


def texts_of(batch: Batch) -> Sequence[Tensor]:
    """The tokens of each of them."""
    rows = encoded(batch)
    assert rows.cumulative is not None
    return rows.input_ids.tensor_split(rows.cumulative[1:-1].long())


def padded(batch: Batch, items: Items) -> dict[str, Tensor]:
    """The text of each pair as a tokenizer would return it."""
    texts = texts_of(batch)
    chosen = [texts[number] for number in items.text.tolist()]
    longest = max(map(len, chosen))
    return {
        "input_ids": torch.stack(
            [torch.nn.functional.pad(text, (0, longest - len(text))) for text in chosen]
        ),
        "attention_mask": torch.stack([torch.arange(longest) < len(text) for text in chosen]),
    }


def packing_of(batch: Batch, items: Items) -> Packing:
    """Where the texts of the pairs start, one behind the other."""
    texts = texts_of(batch)
    lengths = torch.tensor([len(texts[number]) for number in items.text.tolist()])
    cumulative = torch.cat((torch.zeros(1), lengths.cumsum(0))).to(torch.int32)
    return Packing(cumulative=cumulative, longest=int(lengths.max()))


def pixels_of(batch: Batch, items: Items) -> Any:
    """The image of each pair."""
    assert isinstance(batch.images, Tensor)
    return batch.images[items.image]
