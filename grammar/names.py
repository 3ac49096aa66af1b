"""Names in messages: which known ones come close, and how several are listed."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

FEW = 3
"""Names that are listed of many, where what is meant is clear from the first."""

_NAMED_AT_MOST = 4
_ALIKE = 0.6
_COMPARED = 100
"""Names that are compared letter by letter, which takes its time."""
_SHORTEST = 3
"""Letters of a name that stand for a longer one, as `prob` does for `probability`."""


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names that resemble `name`, most alike first, four at most.

    Where some are one slip away, or the same but for capitals and `_`, it is these alone.
    """
    from difflib import SequenceMatcher  # only mistakes pay for it

    every = tuple(dict.fromkeys(known))
    slips = {other for other in every if _slipped(name, other)}
    scored = []
    for other in dict.fromkeys((*slips, *_alike(name.lower(), every))):
        likeness = SequenceMatcher(None, name.lower(), other.lower()).ratio()
        if len(name) >= _SHORTEST and other.startswith(name):
            likeness = max(likeness, _ALIKE)
        if likeness >= _ALIKE or (other in slips and len(name) > _SHORTEST):
            scored.append((other not in slips, -likeness, other))
    scored.sort()
    first = [other for far, _, other in scored if not far] or [other for _, _, other in scored]
    return tuple(first[:_NAMED_AT_MOST])


def _slipped(name: str, known: str) -> bool:
    return plainly(name) == plainly(known) or one_slip(name.lower(), known.lower())


def plainly(name: str) -> str:
    """Return a name without what spellings of one name differ in: capitals, `_` and `-`."""
    return name.lower().replace("_", "").replace("-", "")


def _alike(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names worth comparing: of very many those that share most pairs of letters."""
    if len(known) <= _COMPARED:
        return known
    own = set(pairwise(name))
    shared = {
        other: len(own.intersection(pairwise(other.lower()))) / (len(other) + len(name))
        for other in known
    }
    return tuple(sorted(known, key=lambda other: -shared[other])[:_COMPARED])


def one_slip(name: str, known: str) -> bool:
    """Tell whether a name is a known one with one letter wrong, missing, doubled or swapped.

    Letters beside digits do not count: they tell models apart, as in `vits16` and `vitb16`.
    """
    if abs(len(name) - len(known)) > 1 or name == known:
        return False
    start = 0
    while start < min(len(name), len(known)) and name[start] == known[start]:
        start += 1
    end = 0
    while end < min(len(name), len(known)) - start and name[-1 - end] == known[-1 - end]:
        end += 1
    wrong, right = name[start : len(name) - end], known[start : len(known) - end]
    swapped = len(wrong) == 2 and wrong == right[::-1]
    if not swapped and max(len(wrong), len(right)) > 1:
        return False
    before, after = known[:start][-1:], known[len(known) - end :][:1]
    return not any(part.isdigit() for part in (before, after, *wrong, *right))


def suggestion(name: str, known: Iterable[str], what: str) -> tuple[str, ...]:
    """Return the help line that names what comes close, or none."""
    close = nearest(name, known)
    if not close:
        return ()
    names = listing(close)
    if len(close) == 1:
        return (f"{what} with a similar name exists: {names}",)
    return (f"similar names: {names}",)


def with_article(noun: str) -> str:
    """Return a noun behind `a` or `an`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def listing(
    names: Iterable[str], none: str = "none", *, between: str = ", ", most: int | None = None
) -> str:
    """Return names in backticks: `a`, `b`.

    Args:
        names: to be listed.
        none: what is said where there are none.
        between: what stands between two of them.
        most: names that are listed; of what is more only the number is said.
    """
    every = tuple(names)
    text = between.join(f"`{name}`" for name in every[:most]) or none
    return text if most is None or len(every) <= most else f"{text} and {len(every) - most} more"


def together(names: Sequence[str]) -> str:
    """Return names in backticks that belong together: `a`, `b` and `c`."""
    *first, last = (f"`{name}`" for name in names)
    return f"{', '.join(first)} and {last}" if first else last


def plural(number: int, noun: str) -> str:
    """Spell a number of things: `1 job`, `3 jobs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
