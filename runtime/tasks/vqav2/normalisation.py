"""How the official evaluation of VQA spells answers. Source: Antol et al. 2015, and its README.

It is what published figures are measured with, its slips included.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")
MOST_PERIODS = 32
"""Periods that are taken away. The original passes a flag, of this value, in the place of a count;
what its pattern says of the character before a period has no effect either."""

NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
} | {"none": "0"}
ARTICLES = frozenset({"a", "an", "the"})

_CONTRACTIONS = """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't
haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've
might've mustn't must've needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've
shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've someone'll
someone's something'd something'd've something'll that's there'd there'd've there're there's they'd
they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've
when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't
would've wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've
"""


def _one_left_out(word: str) -> Iterator[str]:
    """Yield a word without one of its apostrophes, for each of them."""
    for place, letter in enumerate(word):
        if letter == "'":
            yield word[:place] + word[place + 1 :]


CONTRACTIONS = {
    spelled: word for word in _CONTRACTIONS.split() for spelled in _one_left_out(word)
} | {"somebody'd": "somebodyd"}
"""What is written instead of a word. The last one is the wrong way round in the original."""


def cleaned(answer: str) -> str:
    """Return an answer on one line, without white space around it."""
    return answer.replace("\n", " ").replace("\t", " ").strip()


@lru_cache(maxsize=1_000_000)
def normalised(answer: str) -> str:
    """Return an answer without case, punctuation and articles, with digits for small numbers."""
    answer = cleaned(answer)
    # Whether a mark vanishes or becomes a space is asked of the whole answer as it was.
    number = _COMMA_IN_NUMBER.search(answer) is not None
    bare = answer
    for mark in PUNCTUATION:
        vanishes = number or f"{mark} " in answer or f" {mark}" in answer
        bare = bare.replace(mark, "" if vanishes else " ")
    bare = _PERIOD.sub("", bare, count=MOST_PERIODS)
    words = [NUMBERS.get(word, word) for word in bare.lower().split()]
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)
