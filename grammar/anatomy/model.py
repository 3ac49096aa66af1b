"""The parts of a model, as far as is known without building it.

A model is a sequence of components with addresses, and a set of leaves, so that questions about
freezing become questions about sets. What is said here of an encoder of the catalogue or of a plain
one is what is built. Checks, selectors, the plan, the report and the identity of a spec read it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from renaissance.grammar.anatomy.encoders import stream_anatomy
from renaissance.grammar.anatomy.parts import (
    PLAIN,
    WITH_ADAPTERS,
    Component,
    Components,
    EncoderAnatomy,
    FusionAnatomy,
    Leaf,
    encoder_parts,
    joining_parts,
)
from renaissance.grammar.anatomy.selectors import (
    KINDS,
    Segment,
    SelectorError,
    layer_counts,
    parse,
    select,
)
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.head import PARAMETERS, Head
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.registry import Kinds, facet
from renaissance.grammar.kinds.source import SourceBlock, is_embedding
from renaissance.grammar.record import Record


@lru_cache(maxsize=64)
def head_parts(heads: tuple[Head, ...]) -> Components:
    """Return the parts of heads."""
    return Components(
        tuple(Component(f"heads.{head.name}", "head", PARAMETERS[head.form]) for head in heads)
    )


def every_head() -> tuple[Head, ...]:
    """Return the heads that jobs can add to a model, of all objectives and tasks that there are."""
    found: dict[str, Head] = {}
    kinds: list[type[ObjectiveBlock] | type[TaskBlock]] = [
        *Kinds(ObjectiveBlock).values(),
        *Kinds(TaskBlock).values(),
    ]
    for kind in kinds:
        if kind.head_form is not None:
            name = kind.head_name()
            # What a task reads may be told by its keys; the parts of its head are the same.
            reads = kind.head_reads if issubclass(kind, ObjectiveBlock) else "pooled"
            found.setdefault(name, Head(name=name, reads=reads, form=kind.head_form))
    return tuple(found.values())


class Selected(Record):
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
        pooler: what a pooled vector goes through; `none` has no parameters.
        heads: what jobs put on top; None where any job may come.
        adapted: selectors, and exceptions to them, of what has low-rank adapters.
    """

    streams: Mapping[str, SourceBlock | None]
    inputs: tuple[str, ...]
    fusion_name: str
    fusion: FusionBlock | None
    pool: str
    pooler: str = "tanh"
    heads: tuple[Head, ...] | None = None
    adapted: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()

    @property
    def roots(self) -> tuple[str, ...]:
        """Names that addresses start with."""
        return (*self.streams, self.fusion_name, "pool", "heads")

    @property
    def leaves(self) -> frozenset[Leaf]:
        """All leaves."""
        return self._leaves.all

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """Everything with an address, in the order of the model."""
        return tuple(component for parts in self._parts for component in parts.components)

    def width(self, stream: str) -> int | None:
        """Return the channels of a stream before the fusion, None where that is not known."""
        own, block = self._encoders[stream].width, self.streams[stream]
        if own is None and block is not None and is_embedding(block):
            return self.fused_width(stream)  # that of the stack, where they have none of their own
        return own

    def fused_width(self, stream: str) -> int | None:
        """Return the channels of a stream behind the fusion, None where that is not known."""
        return None if self._fusion is None else self._fusion.widths.get(stream)

    def layers(self, root: str) -> int | None:
        """Return how many layers a root has, None where that is not known."""
        if root == self.fusion_name:
            return None if self._fusion is None else self._fusion.layers
        return self._encoders[root].layers if root in self._encoders else 0

    def known(self, root: str) -> bool:
        """Tell whether everything about a root is known."""
        if root == self.fusion_name:
            return self._fusion is not None and self._fusion.known
        if root == "heads":
            return all(head.form != "own" for head in self.heads or ())
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
        root = segments[0].name
        if root == "heads" and self.heads is None:
            return replace(self, heads=every_head()).select(selector)
        found = self._leaves_below(root).select(selector)
        known = self.known(root) or (root == "heads" and self._names_no_own_head(segments))
        if known:
            return Selected(leaves=found, certain=root not in KINDS or self._all_known)
        certain = bool(found) and not any(_from_the_end(segment.members) for segment in segments)
        somewhere = Leaf(selector, frozenset())
        return Selected(leaves=found or frozenset({somewhere}), certain=certain)

    def _names_no_own_head(self, segments: tuple[Segment, ...]) -> bool:
        """Tell whether an address below `heads` stays clear of heads of which nothing is known."""
        own = {head.name for head in self.heads or () if head.form == "own"}
        return len(segments) > 1 and segments[1].name not in {*own, *KINDS}

    def selected(self, selectors: Iterable[str], excluded: Iterable[str] = ()) -> frozenset[Leaf]:
        """Return what selectors mean together, without what others mean."""
        chosen = frozenset[Leaf]().union(*(self.select(text).leaves for text in selectors))
        return chosen.difference(*(self.select(text).leaves for text in excluded))

    def linear(self, leaves: frozenset[Leaf]) -> tuple[Component, ...]:
        """Return the components, of those that can have adapters, whose weights are among some."""
        return tuple(
            component
            for component in self.components
            if component.kind in WITH_ADAPTERS and component.weights in leaves
        )

    @cached_property
    def adapters(self) -> frozenset[str]:
        """Addresses of the components that have adapters."""
        plain = replace(self, adapted=())
        return frozenset(
            component.address
            for selectors, excluded in self.adapted
            for component in plain.linear(plain.selected(selectors, excluded))
        )

    @cached_property
    def _encoders(self) -> dict[str, EncoderAnatomy]:
        """Towers and embeddings by root."""
        return {name: stream_anatomy(stream) for name, stream in self.streams.items()}

    @cached_property
    def _fusion(self) -> FusionAnatomy | None:
        if self.fusion is None or not self.fusion.takes(len(self.fusion.inputs)):
            return None
        found: FusionAnatomy = facet(self.fusion, "anatomy").anatomy(
            self.fusion, self.fusion_name, self.streams
        )
        return found

    @property
    def _pooled(self) -> tuple[str, ...]:
        if self.pooler == "none":
            return ()
        return self.inputs[:1] if self.pool == "first" else self.inputs

    @cached_property
    def _parts(self) -> tuple[Components, ...]:
        """Parts in the order of the model: streams as the fusion joins them, then the rest."""
        streams = sorted(self._encoders, key=lambda name: (name not in self.inputs, self._at(name)))
        found = [encoder_parts(name, self._encoders[name]) for name in streams]
        if self._fusion is None:
            found.append(joining_parts(self.fusion_name, self.inputs))
            unknown = EncoderAnatomy(layers=None, known=False)
            found.append(encoder_parts(self.fusion_name, unknown))
        else:
            found.extend(self._fusion.parts)
        found += [_pool_parts(self._pooled), head_parts(self.heads or ())]
        if self.adapted:
            found = [_with_adapters(parts, self.adapters) for parts in found]
        return tuple(found)

    def _at(self, stream: str) -> int:
        return self.inputs.index(stream) if stream in self.inputs else 0

    @cached_property
    def _leaves(self) -> "_Leaves":
        return _assembled(*self._parts)

    def _leaves_below(self, root: str) -> "_Leaves":
        """Return at least the leaves below a root; of a stream alone where that is enough."""
        if root in self._encoders and not self.adapted and root not in KINDS:
            return _assembled(encoder_parts(root, self._encoders[root]))
        return self._leaves

    @cached_property
    def _all_known(self) -> bool:
        return all(self.known(root) for root in self.roots)


def starts_random(block: SourceBlock | FusionBlock) -> bool:
    """Tell whether no weights are loaded for a block."""
    return block.weights_of is None


class _Leaves:
    """The leaves of a model and what selectors mean among them, worked out when first asked for."""

    def __init__(self, leaves: frozenset[Leaf]) -> None:
        self.all = leaves
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
                among = {leaf: leaf for leaf in self.all}
            self._selected[selector] = frozenset(select(selector, among, self._counts))
        return self._selected[selector]


@lru_cache(maxsize=64)
def _with_adapters(parts: Components, adapted: frozenset[str]) -> Components:
    """Return parts with the adapters behind each component that has some."""
    found: list[Component] = []
    for component in parts.components:
        found.append(component)
        if component.address in adapted:
            found.append(component.adapter)
    return Components(tuple(found))


@lru_cache(maxsize=64)
def _assembled(*parts: Components) -> _Leaves:
    return _Leaves(frozenset[Leaf]().union(*(group.leaves for group in parts)))


@lru_cache(maxsize=64)
def _pool_parts(pooled: tuple[str, ...]) -> Components:
    return Components(tuple(Component(f"pool.{name}", "pool", PLAIN) for name in pooled))


def _from_the_end(members: int | slice | None) -> bool:
    if isinstance(members, slice):
        return any(bound is not None and bound < 0 for bound in (members.start, members.stop))
    return members is not None and members < 0
