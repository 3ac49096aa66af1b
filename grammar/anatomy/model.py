"""The parts of a model, as far as is known without building it.

A model is a set of leaves, so that questions about freezing become questions about sets. What is
said here of an encoder of the catalogue or of a plain one is what is built.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from renaissance.grammar.anatomy.encoders import (
    EncoderAnatomy,
    Leaf,
    encoder_leaves,
    full,
    leaf,
    stack_anatomy,
    stack_width,
    stream_anatomy,
)
from renaissance.grammar.anatomy.selectors import KINDS, SelectorError, layer_counts, parse, select
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import CrossAttention, Fusion, Model
from renaissance.grammar.schema.streams import Patches, Stack, Stream, Wordpiece

_PLAIN = ((), ("bias",))
_NORMED = ((), ("bias",), ("norm",), ("norm", "bias"))
_HEADS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "mlm": _NORMED,
    "itm": _PLAIN,
    "answer": _NORMED,
}

HEADS = tuple(_HEADS)
"""Heads that jobs add to a model."""


def heads_of(job: Pretrain | Finetune) -> tuple[str, ...]:
    """Return the heads that a job trains."""
    if isinstance(job, Finetune):
        return ("answer",)
    return tuple(objective.objective for objective in job.objectives)


def head_leaves(heads: Iterable[str]) -> frozenset[Leaf]:
    """Return the leaves of heads."""
    return frozenset(leaf(f"heads.{head}", *kinds) for head in heads for kinds in _HEADS[head])


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a selector means.

    Attributes:
        leaves: parts of the model; none where it matches nothing.
        certain: these are exactly what is built; of an unknown encoder that cannot be said.
    """

    leaves: frozenset[Leaf]
    certain: bool = True


@dataclass(frozen=True)
class Anatomy:
    """The parts of a model.

    Attributes:
        streams: inputs by name; of None nothing more is known.
        inputs: names of the streams that the fusion joins, in its order.
        fusion_name: root address of the fusion.
        fusion: how they are joined; None where nothing more is known.
        pool: how streams are pooled.
        heads: what jobs put on top.
    """

    streams: Mapping[str, Stream | None]
    inputs: tuple[str, ...]
    fusion_name: str
    fusion: Fusion | None
    pool: str
    heads: tuple[str, ...] = HEADS

    @classmethod
    def of(cls, model: Model, heads: tuple[str, ...] = HEADS) -> "Anatomy":
        """Return the parts of a model with some heads, or with all that a job could add."""
        return cls(
            dict(model.streams),
            model.fusion.inputs,
            model.fusion_name,
            model.fusion,
            model.pool,
            heads,
        )

    @property
    def roots(self) -> tuple[str, ...]:
        """Names that addresses start with."""
        return (*self.streams, self.fusion_name, "pool", "heads")

    @property
    def leaves(self) -> frozenset[Leaf]:
        """All leaves."""
        return self._parts.leaves

    def layers(self, root: str) -> int | None:
        """Return how many layers a root has, None where that is not known."""
        if root == self.fusion_name and isinstance(self.fusion, CrossAttention):
            return self.fusion.layers
        return self._encoders[root].layers if root in self._encoders else 0

    def known(self, root: str) -> bool:
        """Tell whether everything about a root is known."""
        if root == self.fusion_name and self.fusion is None:
            return False
        return root not in self._encoders or self._encoders[root].known

    def select(self, selector: str) -> Selected:
        """Return what a selector means.

        Under a root that is not known every selector means something: nobody can say that it does
        not.
        """
        try:
            segments = parse(selector)
        except SelectorError:
            return Selected(leaves=frozenset())
        found = self._parts.select(selector)
        root = segments[0].name
        if self.known(root):
            return Selected(leaves=found, certain=root not in KINDS or self._all_known)
        certain = bool(found) and not any(_from_the_end(segment.members) for segment in segments)
        return Selected(leaves=found or frozenset({leaf(selector)}), certain=certain)

    @cached_property
    def _encoders(self) -> dict[str, EncoderAnatomy]:
        """Towers, embeddings and stacks by root."""
        encoders = {name: stream_anatomy(self.streams.get(name)) for name in self.streams}
        fusion = self.fusion
        if fusion is None:
            encoders[self.fusion_name] = EncoderAnatomy(layers=None, known=False)
        elif not isinstance(fusion, CrossAttention):
            encoders[self.fusion_name] = stack_anatomy(fusion.encoder)
        return encoders

    @property
    def _pooled(self) -> tuple[str, ...]:
        return self.inputs[:1] if self.pool == "first" else self.inputs

    @property
    def _projected(self) -> tuple[str, ...]:
        """Streams whose width a linear map changes, as far as widths are known."""
        fusion = self.fusion
        if fusion is None or isinstance(fusion, CrossAttention):
            return self.inputs
        width = stack_width(fusion.encoder)
        return tuple(name for name in self.inputs if _differs(self.streams.get(name), width))

    @cached_property
    def _parts(self) -> "_Parts":
        fusion = self.fusion
        return _assembled(
            tuple(self._encoders.items()),
            self.fusion_name,
            (fusion.inputs, fusion.layers) if isinstance(fusion, CrossAttention) else None,
            self._pooled,
            self._projected,
            self.heads,
        )

    @cached_property
    def _all_known(self) -> bool:
        return all(self.known(root) for root in self.roots)


def starts_random(block: Stream | Stack | Fusion) -> bool:
    """Tell whether no weights are loaded for a block."""
    return getattr(block, "source", "") not in ("huggingface", "timm")


class _Parts:
    """The leaves of a model and what selectors mean among them, worked out when first asked for."""

    def __init__(self, leaves: frozenset[Leaf]) -> None:
        self.leaves = leaves
        self._counts = layer_counts({leaf.address for leaf in leaves})
        self._by_root: dict[str, dict[Leaf, Leaf]] = {}
        for one in leaves:
            self._by_root.setdefault(one.root, {})[one] = one
        self._selected: dict[str, frozenset[Leaf]] = {}

    def select(self, selector: str) -> frozenset[Leaf]:
        """Return the leaves that a selector means."""
        if selector not in self._selected:
            root = parse(selector)[0].name
            among = self._by_root.get(root, {})
            if root in KINDS:
                among = {leaf: leaf for leaf in self.leaves}
            self._selected[selector] = frozenset(select(selector, among, self._counts))
        return self._selected[selector]


@lru_cache(maxsize=64)
def _assembled(
    encoders: tuple[tuple[str, EncoderAnatomy], ...],
    fusion_name: str,
    co_attention: tuple[tuple[str, ...], int] | None,
    pooled: tuple[str, ...],
    projected: tuple[str, ...],
    heads: tuple[str, ...],
) -> _Parts:
    found = set(head_leaves(heads))
    for name, encoder in encoders:
        found |= encoder_leaves(name, encoder)
    for name in pooled:
        found.update((leaf(f"pool.{name}"), leaf(f"pool.{name}", "bias")))
    found.add(leaf(f"{fusion_name}.type_embedding"))
    for name in projected:
        address = f"{fusion_name}.projection.{name}"
        found.update((leaf(address), leaf(address, "bias")))
    if co_attention is not None:
        found |= _co_attention(fusion_name, *co_attention)
    return _Parts(frozenset(found))


def _co_attention(root: str, inputs: tuple[str, ...], layers: int) -> set[Leaf]:
    found: set[Leaf] = set()
    for index in range(layers):
        layer = f"{root}.layers[{index}]"
        found.update(full(f"{layer}.cross", "attention"))
        for name in inputs:
            found.update(full(f"{layer}.{name}.attention", "attention"))
            found.update(full(f"{layer}.{name}.mlp", "mlp"))
    return found


def _differs(stream: Stream | None, width: int | None) -> bool:
    if not isinstance(stream, Wordpiece | Patches):
        return True
    return stream.width is not None and stream.width != width


def _from_the_end(members: int | slice | None) -> bool:
    if isinstance(members, slice):
        return any(bound is not None and bound < 0 for bound in (members.start, members.stop))
    return members is not None and members < 0
