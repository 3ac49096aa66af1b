"""The parts that models consist of: components by address, and kinds of parameters in each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from renaissance.grammar.record import Record, field

UNKNOWN_LAYERS = 48
"""Layers that an encoder of unknown depth is taken to have."""

WORDS = frozenset({"weight", "norm", "position"})
"""Kinds of parameters of word embeddings."""
PATCHES = frozenset({"weight", "bias", "position"})
"""Kinds of parameters of patch embeddings by one linear map."""
REGIONS = frozenset({"weight", "bias", "norm"})
"""Kinds of parameters of embeddings of regions."""
EVERY = frozenset({"weight", "bias", "norm", "position"})
"""Kinds of parameters that embeddings can have."""

ADAPTER = "adapter"
"""Last part of the address of low-rank adapters, behind that of the component they stand in."""
WITH_ADAPTERS = frozenset({"attention", "cross_attention", "mlp", "projection"})
"""Kinds of components whose linear maps can have adapters."""

_NUMBERED = "["
_ADDRESSED: Mapping[str, frozenset[str]] = {
    "attention": frozenset({"attention"}),
    "cross_attention": frozenset({"attention"}),
    "embeddings": frozenset({"embeddings"}),
    "mlp": frozenset({"mlp"}),
}
"""Kinds that every parameter of a component is of, by the kind of the component."""


class Leaf(NamedTuple):
    """Parameters of one component that are of the same kinds: biases of `text.layers[3].mlp`."""

    address: str
    kinds: frozenset[str]

    @property
    def root(self) -> str:
        """The stream, the fusion, `pool` or `heads`."""
        return self.address.partition(".")[0]

    @property
    def adapts(self) -> bool:
        """Whether these are low-rank adapters, which nothing freezes."""
        return self.address.endswith(f".{ADAPTER}")


class Component(NamedTuple):
    """A part of a model that has an address of its own.

    Attributes:
        address: such as `text.layers[3].attention`.
        kind: `embeddings`, `attention`, `cross_attention`, `mlp`, `norm`, `downsample`,
            `type_embedding`, `projection`, `pool`, `head`, or its own name.
        holds: which kinds its parameters are of besides what all of them are, each combination
            once; `()` for plain weights.
        module: where its parameters stand in a fusion, spelled as an address; None where that is
            its address behind the root.
    """

    address: str
    kind: str
    holds: tuple[tuple[str, ...], ...]
    module: str | None = None

    @property
    def weights(self) -> Leaf:
        """The weights of its linear maps."""
        return Leaf(self.address, kinds_of_component(self.kind))

    @property
    def adapter(self) -> "Component":
        """The adapters of its linear maps."""
        kinds = tuple(sorted(kinds_of_component(self.kind)))
        return Component(f"{self.address}.{ADAPTER}", ADAPTER, (kinds,))

    @property
    def leaves(self) -> Iterator[Leaf]:
        """Its parameters by their kinds."""
        inherent = kinds_of_component(self.kind)
        return (Leaf(self.address, inherent.union(kinds)) for kinds in self.holds)


@dataclass(frozen=True, eq=False)
class Components:
    """Components in the order of the model."""

    components: tuple[Component, ...]

    @cached_property
    def leaves(self) -> frozenset[Leaf]:
        """What all of them hold."""
        return frozenset(leaf for component in self.components for leaf in component.leaves)


class EncoderAnatomy(Record, many=True):
    """The parts of a tower, of embeddings or of a stack.

    Attributes:
        layers: how many; None where that is not known.
        width: channels of its tokens; None where that is not known.
        embeddings: kinds of their parameters, `weight` for those of no other kind.
        relative: each layer's attention holds positions.
        norm: there is a norm behind the last layer.
        downsampling: layers that reduce the resolution behind them.
        known: the parts are exactly these.
    """

    layers: int | None
    width: int | None = None
    embeddings: frozenset[str] = frozenset()
    relative: bool = False
    norm: bool = True
    downsampling: tuple[int, ...] = ()
    known: bool = True


UNKNOWN = EncoderAnatomy(layers=None, embeddings=EVERY, known=False)
"""What most transformers have."""


class FusionAnatomy(Record):
    """The parts of a fusion.

    A parameter belongs to the component whose address its name starts with, as that of
    `layers.3.cross.weight` starts with `layers[3].cross`. Components stand in the order in
    which the module registers its parts.

    Attributes:
        layers: how many; None where that is not known.
        parts: of the whole fusion, in groups.
        widths: channels of each stream behind it, None where that is not known.
        known: the parts are exactly these.
    """

    layers: int | None
    parts: tuple[Components, ...]
    widths: Mapping[str, int | None] = field(default_factory=dict)
    known: bool = True


PLAIN: tuple[tuple[str, ...], ...] = ((), ("bias",))
"""What a linear map holds."""
NORMED: tuple[tuple[str, ...], ...] = (*PLAIN, ("norm",), ("norm", "bias"))
"""What linear maps with a norm hold."""
NORM: tuple[tuple[str, ...], ...] = (("norm",), ("norm", "bias"))
"""What a norm holds."""


def kinds_of_component(kind: str) -> frozenset[str]:
    """Return the kinds that every parameter of a component of this kind is of."""
    return _ADDRESSED.get(kind, frozenset())


def named_kind(address: str) -> str:
    """Return what a component is as far as its address says it: its last name, mostly."""
    names = [name.partition(_NUMBERED)[0] for name in address.split(".")]
    if names[0] == "heads":
        return "head"
    return names[0] if names[0] == "pool" else names[-1]


@lru_cache(maxsize=256)
def encoder_parts(root: str, anatomy: EncoderAnatomy) -> Components:
    """Return the parts of an encoder at an address."""
    return Components(tuple(_encoder(root, anatomy)))


@lru_cache(maxsize=64)
def joining_parts(root: str, projected: tuple[str, ...], *, typed: bool = True) -> Components:
    """Return what stands before the layers of a fusion.

    Args:
        root: address of the fusion.
        projected: streams that a linear map stands in front of, in the order of the fusion.
        typed: there is a type embedding.
    """
    parts = [Component(f"{root}.projection.{name}", "projection", PLAIN) for name in projected]
    if typed:
        parts.append(Component(f"{root}.type_embedding", "type_embedding", ((),)))
    return Components(tuple(parts))


def stem_kinds(stem: str) -> frozenset[str]:
    """Return the kinds of parameters of patch embeddings."""
    return EVERY if stem == "convolutional" else PATCHES


def _encoder(root: str, anatomy: EncoderAnatomy) -> Iterator[Component]:
    if anatomy.embeddings:
        holds = tuple(_embedded(anatomy.embeddings))
        yield Component(f"{root}.embeddings", "embeddings", holds)
    attention = (*NORMED, ("position",)) if anatomy.relative else NORMED
    for index in range(UNKNOWN_LAYERS if anatomy.layers is None else anatomy.layers):
        layer = f"{root}.layers[{index}]"
        yield Component(f"{layer}.attention", "attention", attention)
        yield Component(f"{layer}.mlp", "mlp", NORMED)
        if index in anatomy.downsampling:
            yield Component(f"{layer}.downsample", "downsample", ((), *NORM))
    if anatomy.norm:
        yield Component(f"{root}.norm", "norm", NORM)


def _embedded(held: frozenset[str]) -> Iterable[tuple[str, ...]]:
    yield ()
    for kind in sorted(held - {"weight"}):
        yield (kind,)
    if "norm" in held:
        yield ("norm", "bias")
