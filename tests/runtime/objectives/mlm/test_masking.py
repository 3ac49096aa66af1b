"""Masked words: statistics, whole words, edge cases."""

import hashlib
from typing import Any

import numpy as np
import pytest

from renaissance.runtime.data.tokens import Padded, Tokens
from renaissance.runtime.objectives.mlm.masking import Chances, Masked, mask_words

MASK = 4
ORDINARY = np.arange(5, 1005)


def texts(word_lengths: list[list[int]]) -> Padded:
    """Make texts `[CLS] words [SEP]` of words with given numbers of tokens."""
    ids, words, offsets = [], [], [0]
    fresh = iter(np.random.default_rng(0).integers(5, 1005, 10**6).tolist())
    for lengths in word_lengths:
        numbers = [number for number, length in enumerate(lengths) for _ in range(length)]
        ids += [2, *(next(fresh) for _ in numbers), 3]
        words += [-1, *numbers, -1]
        offsets.append(len(ids))
    tokens = Tokens(
        ids=np.array(ids, np.int32), words=np.array(words, np.int16), offsets=np.array(offsets)
    )
    return tokens.padded(np.arange(len(word_lengths)), 0)


def mask(
    text: Padded,
    *,
    probability: float = 0.15,
    whole_word: bool = True,
    random: float = 0.1,
    keep: float = 0.1,
) -> Masked:
    rows, width = text.ids.shape
    chances = Chances.draw(rows, width + 3, 11, "mask train", 0)
    return mask_words(
        text,
        chances,
        probability=probability,
        whole_word=whole_word,
        random=random,
        keep=keep,
        mask_id=MASK,
        ordinary_ids=ORDINARY,
    )


def test_shares_of_hidden_replaced_and_kept_words() -> None:
    text = texts([[1] * 40] * 2000)
    masked = mask(text)
    before, after = text.ids.reshape(-1), masked.ids.reshape(-1)
    chosen = len(masked.positions)
    # Exactly 15 % on average: 40 words give 6; rounding is exact here.
    assert chosen == 2000 * 6
    hidden = (after[masked.positions] == MASK).mean()
    kept = (after[masked.positions] == before[masked.positions]).mean()
    # Four standard errors of a share of 12,000.
    assert abs(hidden - 0.8) < 4 * np.sqrt(0.8 * 0.2 / chosen)
    assert abs(kept - (0.1 + 0.1 / 1000)) < 4 * np.sqrt(0.1 * 0.9 / chosen)
    assert masked.labels.tolist() == before[masked.positions].tolist()
    untouched = np.ones(before.shape, bool)
    untouched[masked.positions] = False
    assert (after[untouched] == before[untouched]).all()
    places = masked.positions % text.ids.shape[1]
    counts = np.bincount(places, minlength=42)[1:41]
    assert counts.min() > 200 and counts.max() < 400  # 300 each, standard deviation 16
    replaced = after[(after != before) & (after != MASK)]
    assert replaced.min() < 60 and replaced.max() > 950  # from all over the vocabulary


@pytest.mark.parametrize(
    ("random", "keep"), [(0.0, 0.0), (0.5, 0.2), (0.9, 0.1), (1.0, 0.0), (0.0, 1.0)]
)
def test_shares_of_random_and_kept_words_as_asked_for(random: float, keep: float) -> None:
    text = texts([[1] * 40] * 2000)
    masked = mask(text, random=random, keep=keep)
    before, after = (part.reshape(-1)[masked.positions] for part in (text.ids, masked.ids))
    chosen = len(before)
    hidden, kept = (after == MASK).mean(), (after == before).mean()
    wanted = 1 - random - keep
    assert abs(hidden - wanted) <= 4 * np.sqrt(abs(wanted * (1 - wanted)) / chosen) + 1e-9
    # One of a thousand tokens replaces itself.
    same = keep + random / 1000
    assert abs(kept - same) <= 4 * np.sqrt(same * (1 - same) / chosen) + 1e-9


def test_the_usual_shares_draw_what_they_always_drew() -> None:
    ids = mask(texts([[1] * 40, [2, 3, 1], []] * 50)).ids
    assert hashlib.sha256(ids.tobytes()).hexdigest() == (
        "0679534a7af976ea40c807e98016c88404e6c1e16e539573119817792fe53e17"
    )


def test_fractions_of_words_are_rounded_at_random() -> None:
    masked = mask(texts([[1] * 10] * 4000))
    number = np.bincount(masked.positions // 12, minlength=4000)
    assert set(number.tolist()) == {1, 2}
    assert abs(number.mean() - 1.5) < 4 * 0.5 / np.sqrt(4000)


def test_every_text_has_a_masked_word_unless_it_has_no_words() -> None:
    text = texts([[1], [2], [1, 1], [], [1] * 5])
    masked = mask(text, probability=0.001)
    rows = masked.positions // text.ids.shape[1]
    assert np.bincount(rows, minlength=5).tolist() == [1, 2, 1, 0, 1]


def test_nothing_but_special_tokens() -> None:
    masked = mask(texts([[], []]))
    assert len(masked.positions) == 0 and masked.ids.shape == (2, 2)


def test_whole_words_share_their_fate() -> None:
    lengths = [[1, 3, 2, 4, 1, 2]] * 500
    text = texts(lengths)
    masked = mask(text, probability=0.4)
    chosen = np.zeros(text.ids.size, bool)
    chosen[masked.positions] = True
    chosen = chosen.reshape(text.ids.shape)
    hidden = (masked.ids == MASK) & chosen
    for word in range(6):
        of_word = text.words[0] == word
        assert (chosen[:, of_word].all(axis=1) == chosen[:, of_word].any(axis=1)).all()
        assert (hidden[:, of_word].all(axis=1) == hidden[:, of_word].any(axis=1)).all()
    assert set(np.bincount(masked.positions // text.ids.shape[1]).tolist()) > {2, 4}


def test_single_tokens_without_whole_words() -> None:
    text = texts([[4] * 5] * 1000)
    masked = mask(text, whole_word=False)
    assert len(masked.positions) == 1000 * 3
    pieces = np.bincount(masked.positions // text.ids.shape[1])
    assert set(pieces.tolist()) == {3}
    words = text.words.reshape(-1)[masked.positions].reshape(1000, 3)
    assert (words[:, 0] != words[:, 2]).mean() > 0.5  # not always of one word


@pytest.mark.parametrize("whole_word", [True, False])
def test_all_words_can_be_masked(whole_word: bool) -> None:
    text = texts([[2, 1], [3]])
    masked = mask(text, probability=1.0, whole_word=whole_word)
    assert masked.positions.tolist() == np.flatnonzero(text.words >= 0).tolist()


def test_a_text_is_masked_alike_in_any_company() -> None:
    text = texts([[1] * 20, [2] * 3, [1, 4, 1]])
    chances = Chances.draw(3, 30, 0, "mask train", 5)
    keys: dict[str, Any] = {"probability": 0.3, "whole_word": True, "random": 0.1, "keep": 0.1}
    keys |= {"mask_id": MASK, "ordinary_ids": ORDINARY}
    together = mask_words(text, chances, **keys)
    for row in range(3):
        width = int(text.present[row].sum())
        alone = Padded(
            ids=text.ids[row : row + 1, :width],
            words=text.words[row : row + 1, :width],
            present=text.present[row : row + 1, :width],
        )
        masked = mask_words(alone, chances.part(slice(row, row + 1)), **keys)
        assert masked.ids[0].tolist() == together.ids[row, :width].tolist()
