"""What a model consists of, as far as is known without building it: enough to check selectors.

The compiler resolves selectors to parameters. Here a model is a set of leaves, one for each kind of
parameter of each part, so that questions about freezing become questions about sets.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from renaissance.grammar.composition.derive import architecture_of
from renaissance.grammar.composition.models import KINDS
from renaissance.grammar.schema.model import CrossAttention, Fusion, Model
from renaissance.grammar.schema.streams import Patches, PlainStack, Stack, Stream, Wordpiece

_PART = re.compile(r"([A-Za-z_]\w*)|\[(-?\d*)(:?)(-?\d*)\]")
_UNKNOWN_LAYERS = 48

HEADS = ("mlm", "itm", "answer")
"""Heads that jobs add to a model."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Parameters of one kind in one part of a model: `text.layers[3].attention`, biases."""

    address: tuple[str | int, ...]
    kinds: frozenset[str]

    @property
    def root(self) -> str:
        """The stream, the fusion, `pool` or `heads`."""
        return str(self.address[0])


@dataclass(frozen=True)
class Components:
    """The parts of a model.

    Attributes:
        streams: inputs by name; of None nothing more is known.
        fusion_name: root address of the fusion.
        fusion: how they are joined; None where nothing more is known.
    """

    streams: dict[str, Stream | None]
    fusion_name: str
    fusion: Fusion | None

    @classmethod
    def of(cls, model: Model) -> "Components":
        """Return the parts of a model."""
        return cls(dict(model.streams), model.fusion_name, model.fusion)

    @property
    def roots(self) -> tuple[str, ...]:
        """Names that addresses start with."""
        return (*self.streams, self.fusion_name, "pool", "heads")

    @cached_property
    def leaves(self) -> frozenset[Leaf]:
        """All leaves."""
        found: set[Leaf] = set()
        for name, stream in self.streams.items():
            found |= _leaves((name, "embeddings"), "embeddings")
            if stream is not None and not isinstance(stream, Wordpiece | Patches):
                found |= _stack(name, layers_of(stream))
            found |= _leaves((self.fusion_name, "projection", name), "")
            found |= _leaves(("pool", name), "")
        found |= _leaves((self.fusion_name, "type_embedding"), "")
        fusion = self.fusion
        if isinstance(fusion, CrossAttention):
            found |= _co_attention(self.fusion_name, fusion)
        elif fusion is not None:
            found |= _stack(self.fusion_name, layers_of(fusion.encoder))
        for head in HEADS:
            found |= _leaves(("heads", head), "")
        return frozenset(found)

    def layers(self, root: str) -> int | None:
        """Return how many layers a root has, None where that is not known."""
        if self._unknown(root):
            return None
        stream = self.streams.get(root)
        if stream is not None:
            return layers_of(stream)
        if root != self.fusion_name or self.fusion is None:
            return 0
        if isinstance(self.fusion, CrossAttention):
            return self.fusion.layers
        return layers_of(self.fusion.encoder)

    def select(self, selector: str) -> frozenset[Leaf]:
        """Return the leaves that a selector means; empty where it matches nothing."""
        parts = parse_selector(selector)
        if not parts:
            return frozenset()
        if self._unknown(str(parts[0])):
            return frozenset({Leaf((parts[0], selector), frozenset())})  # type: ignore[arg-type]
        chosen: Iterable[Leaf] = self.leaves
        if parts == (parts[0],) and parts[0] in KINDS:
            return frozenset(leaf for leaf in chosen if parts[0] in leaf.kinds)
        position = 0
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            if isinstance(part, slice):
                root = str(parts[0])
                count = self.layers(root)
                steps = range(*part.indices(count if count is not None else _UNKNOWN_LAYERS))
                wanted = set(steps)
                chosen = [
                    leaf
                    for leaf in chosen
                    if len(leaf.address) > position and leaf.address[position] in wanted
                ]
                position += 1
                continue
            named = [
                leaf
                for leaf in chosen
                if len(leaf.address) > position and leaf.address[position] == part
            ]
            if named:
                chosen, position = named, position + 1
                if part == "layers" and not last and not isinstance(parts[index + 1], slice):
                    # `text.layers.attention` means the attention of every layer.
                    position += 1
            elif last and part in KINDS:
                chosen = [leaf for leaf in chosen if part in leaf.kinds]
            else:
                return frozenset()
        return frozenset(chosen)

    def _unknown(self, root: str) -> bool:
        """Tell whether a root exists of which nothing more is known."""
        if root in self.streams:
            return self.streams[root] is None
        return root == self.fusion_name and self.fusion is None


def parse_selector(selector: str) -> tuple[str | slice, ...]:
    """Return the names and slices that a selector consists of."""
    parts: list[str | slice] = []
    for match in _PART.finditer(selector):
        name, start, colon, stop = match.groups()
        if name is not None:
            parts.append(name)
        elif colon:
            parts.append(slice(int(start) if start else None, int(stop) if stop else None))
        else:
            index = int(start)
            parts.append(slice(index, index + 1 or None))
    return tuple(parts)


def layers_of(block: Stream | Stack) -> int | None:
    """Return the number of transformer layers of a stream or stack, None where unknown."""
    if isinstance(block, Wordpiece | Patches):
        return 0
    own = getattr(block, "layers", None)
    if own is not None or isinstance(block, PlainStack):
        return own
    known = architecture_of(block)
    return known.layers if known else None


def starts_random(block: Stream | Stack | Fusion) -> bool:
    """Tell whether no weights are loaded for a block."""
    return getattr(block, "source", "") not in ("huggingface", "timm")


def _stack(root: str, layers: int | None) -> set[Leaf]:
    found: set[Leaf] = set()
    for index in range(_UNKNOWN_LAYERS if layers is None else layers):
        for part in ("attention", "mlp"):
            found |= _leaves((root, "layers", index, part), part)
    found |= _leaves((root, "norm"), "norm")
    return found


def _co_attention(root: str, fusion: CrossAttention) -> set[Leaf]:
    found: set[Leaf] = set()
    for index in range(fusion.layers):
        layer = (root, "layers", index)
        found |= _leaves((*layer, "cross"), "attention")
        for name in fusion.inputs:
            for part in ("attention", "mlp"):
                found |= _leaves((*layer, name, part), part)
    return found


def _leaves(address: tuple[str | int, ...], part: str) -> set[Leaf]:
    """Return weights, biases and norms of a part; the part's own kind goes with each of them."""
    own = {part} if part else set()
    found = {
        Leaf(address, frozenset(own)),
        Leaf(address, frozenset({*own, "bias"})),
        Leaf(address, frozenset({*own, "norm"})),
    }
    if part == "embeddings":
        found.add(Leaf(address, frozenset({*own, "position"})))
    return found
