"""The words of the language by what colours tell apart, from the tables and the schema."""

from collections.abc import Iterator

from renaissance.grammar.declaration import Block
from renaissance.grammar.explaining import BLOCKS
from renaissance.grammar.kinds.registry import FAMILIES, origin, schema, words
from renaissance.grammar.record import Record
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.schema.vocabulary import Kind, keys_of, kind_of, spelling_of
from renaissance.grammar.syntax.tokens import tables

_JOINING = ("extends", "on", "from", "of", "except", "until", "nothing")
_CONSTANTS = ("true", "false", "none")


class Words(Record):
    """Sorted words of each sort; of kinds only ours, whatever else is installed.

    Attributes:
        statements: that begin a statement.
        joining: that stand inside one.
        kinds: that name a kind: `adamw`.
        keys: of any block.
        values: of closed sets, `true` and `none` included.
        patterns: regular expressions of numbers, times, percentages, strings and comments.
    """

    statements: tuple[str, ...]
    joining: tuple[str, ...]
    kinds: tuple[str, ...]
    keys: tuple[str, ...]
    values: tuple[str, ...]
    patterns: dict[str, str]


def language() -> Words:
    """Return the words of the language."""
    reserved = [word for word in tables().keywords if word not in (*_JOINING, *_CONSTANTS)]
    kinds = {word: kind for family in FAMILIES for word, kind in _ours(family)}
    blocks: list[type[Block]] = [*BLOCKS.values(), StudyKeys, *kinds.values()]
    keys: set[str] = {family.tag for family in FAMILIES.values() if family.tag in ("task",)}
    values: set[str] = set(_CONSTANTS)
    keys |= {"format"}
    for block in _with_inner(blocks):
        for name, info in keys_of(block).items():
            keys.add(spelling_of(name, info))
            values.update(_words(kind_of(info)))
    return Words(
        statements=tuple(sorted(reserved)),
        joining=_JOINING,
        kinds=tuple(sorted(kinds)),
        keys=tuple(sorted(keys - set(reserved))),
        values=tuple(sorted(values)),
        patterns={name: pattern for name, pattern in tables().patterns if name in _PATTERNS},
    )


_PATTERNS = ("NUMBER", "DURATION", "PERCENTAGE", "NAME", "STRING", "COMMENT")


def _ours(family: str) -> Iterator[tuple[str, type[Block]]]:
    for word in words(family):
        kind = schema(family, word)
        if kind is not None and origin(kind) is None:
            yield word, kind


def _with_inner(blocks: list[type[Block]]) -> Iterator[type[Block]]:
    """Yield blocks, and those that stand in their keys and are no kinds."""
    for block in blocks:
        yield block
        for info in keys_of(block).values():
            inner = kind_of(info).blocks
            if isinstance(inner, dict):
                yield from inner.values()


def _words(kind: Kind) -> Iterator[str]:
    yield from kind.words
    if kind.item is not None:
        yield from _words(kind.item)
