"""Selectors of `freeze`: addresses with slices of layers, and kinds of parameters."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from renaissance.compiler.addresses import KINDS, ParameterAddress
from renaissance.compiler.errors import FreezeError

_SEGMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\[\]]*)\])?")
_NUMBER = r"\s*(-?\d+)?\s*"
_SLICE = re.compile(rf"{_NUMBER}(?:(:){_NUMBER}(?:(:){_NUMBER})?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One part of an address: a name, and which of its numbered members; None for all of them."""

    name: str
    members: int | slice | None = None


def select(
    selector: str, parameters: Mapping[str, ParameterAddress], model_name: str
) -> tuple[str, ...]:
    """Return the names of the parameters that a selector means, in the order of the model.

    An address means everything below it. Its last part may be a kind of `KINDS` instead, which
    means the parameters of that kind below the rest of the address, or in the whole model.

    Args:
        selector: such as `vision`, `text.layers[:4]`, `text.norm` or `bias`.
        parameters: what there is, by name.
        model_name: for messages.

    Raises:
        FreezeError: if it means nothing; the message says what there is.
    """
    segments = parse(selector)
    last = segments[-1]
    kind = last.name if last.name in KINDS and last.members is None else None
    counts = layer_counts(entry.address for entry in parameters.values())
    below = segments[:-1] if kind else segments
    chosen = [
        name
        for name, entry in parameters.items()
        if _covers(below, entry.address, counts) and (kind is None or kind in entry.kinds)
    ]
    if not chosen:
        raise FreezeError(_nothing(selector, segments, parameters, counts, model_name))
    return tuple(chosen)


def parse(selector: str) -> tuple[Segment, ...]:
    """Split a selector into its parts.

    Raises:
        FreezeError: if it is not written as an address.
    """
    segments = []
    for text in re.split(r"\.(?![^\[]*\])", selector.strip()):
        match = _SEGMENT.fullmatch(text)
        if match is None:
            raise FreezeError(f"`freeze` selector `{selector}` is not written as an address")
        name, inside = match.groups()
        segments.append(Segment(name=name, members=_members(inside, selector)))
    return tuple(segments)


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
        raise FreezeError(f"`freeze` selector `{selector}`: `[{inside}]` is no index and no slice")
    start, colon, stop, _, step = match.groups()
    numbers = [None if number is None else int(number) for number in (start, stop, step)]
    if colon is None:
        return int(start)
    if numbers[2] == 0:
        raise FreezeError(f"`freeze` selector `{selector}`: the step of a slice cannot be zero")
    return slice(*numbers)


def _covers(segments: tuple[Segment, ...], address: str, counts: Mapping[str, int]) -> bool:
    parts = address.split(".")
    if len(segments) > len(parts):
        return False
    base = ""
    for segment, part in zip(segments, parts, strict=False):
        name, _, number = part.rstrip("]").partition("[")
        base = f"{base}.{name}" if base else name
        if segment.name != name:
            return False
        if segment.members is not None:
            if not number:
                return False
            if int(number) not in _chosen(segment.members, counts[base]):
                return False
        base = f"{base}[{number}]" if number else base
    return True


def _chosen(members: int | slice, count: int) -> range | tuple[int, ...]:
    if isinstance(members, slice):
        return range(count)[members]
    return (members + count if members < 0 else members,)


def _nothing(
    selector: str,
    segments: tuple[Segment, ...],
    parameters: Mapping[str, ParameterAddress],
    counts: Mapping[str, int],
    model_name: str,
) -> str:
    addresses = [entry.address for entry in parameters.values()]
    roots = list(dict.fromkeys(address.split(".")[0] for address in addresses))
    message = f"`freeze` selector `{selector}` matches nothing in model `{model_name}`"
    root = segments[0].name
    if root not in roots:
        near = difflib.get_close_matches(root, [*roots, *KINDS], n=1)
        hint = f", did you mean `{near[0]}`?" if near else ""
        return f"{message}{hint} Components are {_listed(roots)}; kinds are {_listed(KINDS)}"
    inside = dict.fromkeys(
        _with_count(address.split(".")[1], root, counts)
        for address in addresses
        if address.startswith(f"{root}.") and "." in address
    )
    return f"{message}; `{root}` has {_listed(inside)}"


def _with_count(part: str, root: str, counts: Mapping[str, int]) -> str:
    name, bracket, _ = part.partition("[")
    return f"{name}[0:{counts[f'{root}.{name}']}]" if bracket else name


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
