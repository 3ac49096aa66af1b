"""Which word each token of a text belongs to, whatever its tokenizer takes for a word.

Many tokenizers never split a text before they cut it into pieces (Gemma's, Llama's), and most
leave a run of Chinese, Japanese or Thai in one part, since nothing stands between its words. So the
characters of the text decide as well: a word starts at white space, and every token of a script
that is written without spaces is a word of its own.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain

import numpy as np
from tokenizers import Encoding

SPECIAL = -1
"""Word of a special token."""

_SPACE, _UNSPACED = 1, 2
_UNSPACED_SCRIPTS = (
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19FF),  # Tai Le, New Tai Lue, Khmer symbols
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x2FDF),  # radicals of Han
    (0x3005, 0x3007),  # signs of Han
    (0x3031, 0x312F),  # kana, Bopomofo
    (0x31A0, 0x31FF),  # Bopomofo, strokes, kana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0xA4CF),  # Han, Yi
    (0xA980, 0xA9FF),  # Javanese, Myanmar
    (0xAA00, 0xAADF),  # Cham, Myanmar, Tai Viet
    (0xF900, 0xFAFF),  # Han
    (0xFF66, 0xFF9F),  # kana of half width
    (0x1AFF0, 0x1B16F),  # kana
    (0x20000, 0x323AF),  # Han
)
"""First and last character of the scripts that put no space between words."""


def words_of(
    texts: Sequence[str], encodings: Sequence[Encoding], special: np.ndarray | None = None
) -> np.ndarray:
    """Return the word of each token, counted from 0 in each text.

    Args:
        texts: as they were given to the tokenizer.
        encodings: what it made of them.
        special: `[tokens of all texts]` bool, which tokens are special though a text spells them;
            None for none.

    Returns:
        `[tokens of all texts]` int16; `SPECIAL` for special tokens.
    """
    lengths = np.fromiter(map(len, encodings), np.int64, len(encodings))
    count = int(lengths.sum())
    # None, the part of a special token, becomes NaN.
    parts = np.array([*chain.from_iterable(e.word_ids for e in encodings)], np.float64)
    special = np.isnan(parts) if special is None else np.isnan(parts) | special
    spans = np.fromiter(
        chain.from_iterable(chain.from_iterable(e.offsets for e in encodings)),
        np.int64,
        2 * count,
    ).reshape(-1, 2)
    starts, ends = spans.T
    kinds, places = _kinds_of_characters(texts)
    of_text = np.repeat(places, lengths)
    # One space in front of each text: what stands before its first character.
    before, first = kinds[of_text + starts], kinds[of_text + starts + 1]
    # `spaces[n]` of the first n characters are white space.
    spaces = np.concatenate(([0], np.cumsum(kinds == _SPACE)))
    blank = spaces[of_text + ends + 1] - spaces[of_text + starts + 1] == ends - starts
    new = np.ones(count, bool)
    new[1:] = (
        (
            (parts[1:] != parts[:-1]) | (before[1:] > 0) | (first[1:] > 0)
            # What follows white space that is a token of its own goes with it.
        )
        & ~(blank[:-1] & ~special[:-1])
    )
    # Pieces of one character, such as its bytes.
    new[1:] &= ~((starts[1:] < ends[:-1]) & ~special[:-1])
    text_starts = (np.cumsum(lengths) - lengths)[lengths > 0]
    new[text_starts] = True
    counted = np.cumsum(new & ~special)
    ahead = np.zeros(len(encodings), np.int64)
    ahead[lengths > 0] = counted[text_starts] - (new & ~special)[text_starts]
    words = counted - 1 - np.repeat(ahead, lengths)
    return np.where(special, SPECIAL, words).astype(np.int16)


def _kinds_of_characters(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the kind of each character, and where texts begin.

    Returns:
        `[characters]` uint8, a space before each text; `[texts]` int64, where that space stands.
    """
    joined = " ".join(["", *texts, ""])
    characters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return _kinds()[characters], np.cumsum(lengths + 1) - lengths - 1


@cache
def _kinds() -> np.ndarray:
    """Return the kind of every character of Unicode, `[characters]` uint8."""
    kinds = np.zeros(0x110000, np.uint8)
    for first, last in _UNSPACED_SCRIPTS:
        kinds[first : last + 1] = _UNSPACED
    # Beyond the Basic Multilingual Plane there is no white space.
    kinds[[number for number in range(0x10000) if chr(number).isspace()]] = _SPACE
    return kinds
