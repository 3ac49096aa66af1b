"""Where embeddings and layers stand in an encoder of timm, as timm's own `group_matcher` says.

timm keeps for each of its encoders what a learning rate that falls with depth goes by: the stem,
the blocks of all stages in order, and what belongs to the block before it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from torch import nn

from renaissance.compiler.backbones.layers import find_layers
from renaissance.compiler.model.tower import LayerPaths

Place = tuple[float, ...]
"""Orders groups of parameters from the input to the output."""

_WITH_PREVIOUS = 99999
"""Last number of a group that timm counts to the one before it."""


@dataclass(slots=True)
class _Layer:
    """Names of the parameters of one block, and of what else belongs to it."""

    block: list[str]
    belonging: list[str] = field(default_factory=list)


def timm_layers(encoder: nn.Module) -> tuple[tuple[str, ...], LayerPaths]:
    """Return paths of embeddings and of layers.

    Where timm's groups are no finer than the largest list of blocks, as in vision transformers,
    that list is taken.

    Args:
        encoder: of timm, without its classifier.

    Returns:
        Paths of modules and parameters in front of the first layer that names do not tell, and of
        each layer.
    """
    plain = tuple(paths for paths in find_layers(encoder) if _inside(encoder, paths))
    match: Any = getattr(encoder, "group_matcher", None)
    matcher = match() if match is not None else None
    if not matcher:
        return (), plain
    names = [name for name, _ in encoder.named_parameters()]
    stem, layers = _grouped(names, _placing(matcher))
    listed = {name for paths in plain for name in _inside(encoder, paths)}
    matched = {name for layer in layers for name in layer.block + layer.belonging}
    finer = len(plain) > len(layers) or (len(plain) == len(layers) and matched <= listed)
    if finer and listed.isdisjoint(stem):
        return (), plain
    return tuple(_paths(encoder, stem)), tuple(
        (*_paths(encoder, layer.block), *_paths(encoder, layer.belonging)) for layer in layers
    )


def _inside(encoder: nn.Module, paths: Iterable[str]) -> list[str]:
    """Return the names of the parameters at some paths."""
    starts = tuple(f"{path}." for path in paths)
    return [name for name, _ in encoder.named_parameters() if name.startswith(starts)]


def _grouped(
    names: Iterable[str], place: Callable[[str], tuple[bool, Place | None]]
) -> tuple[list[str], list[_Layer]]:
    """Return the names of the stem and of each layer; what is neither is in none."""
    groups: defaultdict[Place, list[str]] = defaultdict(list)
    stems = set()
    for name in names:
        is_stem, where = place(name)
        if where is not None:
            groups[where].append(name)
            if is_stem:
                stems.add(where)
    first: list[str] = []
    layers: list[_Layer] = []
    waiting: list[str] = []
    for where in sorted(groups):
        if where in stems and not layers:
            first += groups[where]
        elif where in stems:
            waiting += groups[where]  # a stem between stages goes with the block behind it
        elif where[-1] == _WITH_PREVIOUS and layers:
            layers[-1].belonging += groups[where]
        else:
            layers.append(_Layer(groups[where], waiting))
            waiting = []
    if waiting and layers:
        layers[-1].belonging += waiting
    return first, layers


def _placing(matcher: Any) -> Callable[[str], tuple[bool, Place | None]]:
    """Return what tells of a parameter's name whether it is of a stem, and its place.

    The place is None behind the last layer: final norms and convolutions.
    """
    if callable(matcher):
        return lambda name: _of_number(matcher(name))
    patterns = [
        (re.compile(pattern), part.startswith("stem"), number, suffix)
        for number, (part, spec) in enumerate(matcher.items())
        if spec is not None
        for pattern, suffix in ([(spec, None)] if isinstance(spec, str) else spec)
    ]

    def place(name: str) -> tuple[bool, Place | None]:
        for pattern, is_stem, number, suffix in patterns:
            match = pattern.match(name)
            if match is None:
                continue
            numbers = [group for group in match.groups() if group is not None]
            if not is_stem and not numbers and (suffix or (_WITH_PREVIOUS,))[-1] == _WITH_PREVIOUS:
                return False, None
            return is_stem, tuple(map(float, chain((number,), numbers, suffix or ())))
        return False, None

    return place


def _of_number(number: Any) -> tuple[bool, Place | None]:
    place = tuple(number) if isinstance(number, Iterable) else (float(number),)
    if place[0] == float("inf"):
        return False, None
    return place == (0.0,), place


def _paths(encoder: nn.Module, names: Iterable[str]) -> list[str]:
    """Return the paths of the largest modules all of whose parameters are named, in order."""
    wanted = set(names)
    # A parameter that several modules share has the name that it has first.
    known = {name for name, _ in encoder.named_parameters()}
    found: list[str] = []

    def visit(module: nn.Module, path: str) -> None:
        inside = known.intersection(_join(path, name) for name, _ in module.named_parameters())
        if wanted.isdisjoint(inside):
            return
        if path and inside <= wanted:
            found.append(path)
            return
        own = (_join(path, name) for name, _ in module.named_parameters(recurse=False))
        found.extend(name for name in own if name in wanted)
        for name, child in module.named_children():
            visit(child, _join(path, name))

    visit(encoder, "")
    return found


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
