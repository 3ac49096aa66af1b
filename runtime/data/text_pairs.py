"""Two texts as one: joined as their tokenizer joins them, the longer one cut first."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from tokenizers import Encoding, processors
from tokenizers import Tokenizer as Backend

from renaissance.runtime.data.words import SPECIAL


def joining_pairs(backend: Backend) -> Backend:
    """Return a tokenizer that puts something between two texts.

    One that says how it joins two, as those of BERT (`[CLS] a [SEP] b [SEP]`) and RoBERTa
    (`<s> a </s></s> b </s>`) do, is copied as it is. Of another one that marks the end of a text
    the second text gets the same mark: `[CLS] a [SEP] b [SEP]`.
    """
    copy = Backend.from_str(backend.to_str())
    copy.no_truncation()
    alone = copy.encode("a")
    if copy.num_special_tokens_to_add(is_pair=True) > sum(alone.special_tokens_mask):
        return copy
    ordinary = [place for place, special in enumerate(alone.special_tokens_mask) if not special]
    if not ordinary or len(ordinary) == len(alone.ids):
        return copy
    before, after = alone.tokens[: ordinary[0]], alone.tokens[ordinary[-1] + 1 :]
    if not after:
        return copy
    copy.post_processor = processors.TemplateProcessing(
        single=[*before, "$A", *after],
        pair=[*before, "$A", *after, "$B", *after],
        special_tokens=[(token, copy.token_to_id(token)) for token in {*before, *after}],
    )
    return copy


def words_of_pairs(encodings: Sequence[Encoding]) -> np.ndarray:
    """Return the word of each token, counted on from the first text to the second.

    Args:
        encodings: of pairs of texts.

    Returns:
        `[tokens of all pairs]` int16; `SPECIAL` for special tokens.
    """
    lengths = np.fromiter(map(len, encodings), np.int64, len(encodings))
    # None, of special tokens, becomes NaN.
    parts = np.array([*chain.from_iterable(e.word_ids for e in encodings)], np.float64)
    texts = np.array([*chain.from_iterable(e.sequence_ids for e in encodings)], np.float64)
    special = np.isnan(parts)
    new = ~special
    new[1:] &= (parts[1:] != parts[:-1]) | (texts[1:] != texts[:-1])
    ends = np.cumsum(lengths)
    starts = ends - lengths
    new[starts[lengths > 0]] &= ~special[starts[lengths > 0]]
    counted = np.cumsum(new)
    ahead = counted[starts[lengths > 0]] - new[starts[lengths > 0]]
    words = counted - 1 - np.repeat(ahead, lengths[lengths > 0])
    return np.where(special, SPECIAL, words).astype(np.int16)
