"""Words that statements and blocks start with; a kind that cannot be used has none."""

from typing import Any

from renaissance.grammar.kinds.registry import KindError, schema, words
from renaissance.grammar.syntax.tokens import tables

CHOSEN = ("objective", "optimizer", "schedule")
"""Keywords behind which a kind stands that a job has."""

_STATEMENTS = ("freeze", "adapt", "let", "import", "study", "factor")


def blocks() -> frozenset[str]:
    """Return the kinds of tokens of the keywords that blocks start with."""
    return frozenset(tables().blocks)


def starting() -> tuple[str, ...]:
    """Return the keywords that statements start with."""
    known = tables()
    opening = (text for text, kind in known.keywords.items() if kind in known.blocks)
    return (*opening, *_STATEMENTS)


def words_of(family: str) -> tuple[str, ...]:
    """Return the words of the kinds of a family."""
    try:
        return words(family)
    except KindError:
        return ()


def word_called(family: str, name: str) -> str | None:
    """Return the word of the kind that others call so; None if none is."""
    from renaissance.grammar.kinds.block import kind_called  # only mistakes pay for it

    found = {word: _schema(family, word) for word in words_of(family)}
    return kind_called(name, {word: kind for word, kind in found.items() if kind is not None})


def _schema(family: str, word: str) -> Any:
    try:
        return schema(family, word)
    except KindError:
        return None
