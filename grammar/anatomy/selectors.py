"""Selectors: addresses with slices of layers, and kinds of parameters.

Those of `freeze`, `adapt`, `scale_lr` and `decay_lr` are read by this one parser, in a check as in
a built model.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Protocol, TypeVar

from renaissance.grammar.record import Record

KINDS = ("attention", "bias", "embeddings", "mlp", "norm", "position")
"""Kinds of parameters that a selector may name besides addresses."""

_SEGMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\[\]]*)\])?")
_NUMBER = r"\s*(-?\d+)?\s*"
_SLICE = re.compile(rf"{_NUMBER}(?:(:){_NUMBER}(?:(:){_NUMBER})?)?")


class SelectorError(ValueError):
    """A selector that is not written as one; says what is wrong."""


class Placed(Protocol):
    """Parameters with a place: their component's address, and the members of `KINDS` they are."""

    @property
    def address(self) -> str:
        """Such as `text.layers[3].attention`."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """Members of `KINDS`."""
        ...


Key = TypeVar("Key")


class Segment(Record):
    """One part of an address: a name, and which of its numbered members; None for all of them."""

    name: str
    members: int | slice | None = None


@lru_cache(maxsize=4096)
def parse(selector: str) -> tuple[Segment, ...]:
    """Split a selector into its parts.

    Raises:
        SelectorError: if it is not written as an address.
    """
    segments = []
    for text in re.split(r"\.(?![^\[]*\])", selector.strip()):
        match = _SEGMENT.fullmatch(text)
        if match is None:
            raise SelectorError(f"selector `{selector}` is not written as an address")
        name, inside = match.groups()
        segments.append(Segment(name=name, members=_members(inside, selector)))
    return tuple(segments)


def select(
    selector: str, entries: Mapping[Key, Placed], counts: Mapping[str, int] | None = None
) -> tuple[Key, ...]:
    """Return the keys of what a selector means, in order; none where it means nothing.

    An address means everything below it. Its last part may be a kind of `KINDS` instead, which
    means the parameters of that kind below the rest of the address, or in the whole model.

    Args:
        selector: such as `vision`, `text.layers[:4]`, `text.norm` or `bias`.
        entries: what there is.
        counts: members of each numbered part, as `layer_counts` gives them; counted if absent.

    Raises:
        SelectorError: if it is not written as an address.
    """
    segments = parse(selector)
    last = segments[-1]
    kind = last.name if last.name in KINDS and last.members is None else None
    if counts is None:
        counts = layer_counts(entry.address for entry in entries.values())
    below = segments[:-1] if kind else segments
    return tuple(
        key
        for key, entry in entries.items()
        if (kind is None or kind in entry.kinds) and _covers(below, entry.address, counts)
    )


def specificity(selector: str) -> int:
    """Return how many parts a selector has, slices included: of two, the larger one is narrower."""
    return sum(1 if segment.members is None else 2 for segment in parse(selector))


def layer_counts(addresses: Iterable[str]) -> dict[str, int]:
    """Return how many members each numbered part has, by its address without the number."""
    counts: dict[str, int] = {}
    for address in addresses:
        for match in re.finditer(r"\[(\d+)\]", address):
            base = address[: match.start()]
            counts[base] = max(counts.get(base, 0), int(match[1]) + 1)
    return counts


def _members(inside: str | None, selector: str) -> int | slice | None:
    if inside is None:
        return None
    match = _SLICE.fullmatch(inside)
    if match is None or not inside.strip():
        raise SelectorError(f"selector `{selector}`: `[{inside}]` is no index and no slice")
    start, colon, stop, _, step = match.groups()
    numbers = [None if number is None else int(number) for number in (start, stop, step)]
    if colon is None:
        return int(start)
    if numbers[2] == 0:
        raise SelectorError(f"selector `{selector}`: the step of a slice cannot be zero")
    return slice(*numbers)


@lru_cache(maxsize=65536)
def _parts(address: str) -> tuple[tuple[str, int | None], ...]:
    parts = []
    for part in address.split("."):
        name, _, number = part.rstrip("]").partition("[")
        parts.append((name, int(number) if number else None))
    return tuple(parts)


def _covers(segments: tuple[Segment, ...], address: str, counts: Mapping[str, int]) -> bool:
    parts = _parts(address)
    if len(segments) > len(parts):
        return False
    base = ""
    for segment, (name, number) in zip(segments, parts, strict=False):
        if segment.name != name:
            return False
        base = f"{base}.{name}" if base else name
        if segment.members is not None:
            if number is None:
                return False
            if number not in _chosen(segment.members, counts[base]):
                return False
        base = f"{base}[{number}]" if number is not None else base
    return True


def _chosen(members: int | slice, count: int) -> range | tuple[int, ...]:
    if isinstance(members, slice):
        return range(count)[members]
    return (members + count if members < 0 else members,)
