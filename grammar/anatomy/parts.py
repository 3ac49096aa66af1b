"""The parts that models consist of: components by address, and kinds of parameters in each."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

UNKNOWN_LAYERS = 48
"""Layers that an encoder of unknown depth is taken to have."""

WORDS = frozenset({"weight", "norm", "position"})
"""Kinds of parameters of word embeddings."""
PATCHES = frozenset({"weight", "bias", "position"})
"""Kinds of parameters of patch embeddings by one linear map."""
EVERY = frozenset({"weight", "bias", "norm", "position"})
"""Kinds of parameters that embeddings can have."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Parameters of one component that are of the same kinds: biases of `text.layers[3].mlp`."""

    address: str
    kinds: frozenset[str]

    @property
    def root(self) -> str:
        """The stream, the fusion, `pool` or `heads`."""
        return self.address.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderAnatomy:
    """The parts of a tower, of embeddings or of a stack.

    Attributes:
        layers: how many; None where that is not known.
        embeddings: kinds of their parameters, `weight` for those of no other kind.
        relative: each layer's attention holds positions.
        norm: there is a norm behind the last layer.
        downsampling: layers that reduce the resolution behind them.
        known: the parts are exactly these.
    """

    layers: int | None
    embeddings: frozenset[str] = frozenset()
    relative: bool = False
    norm: bool = True
    downsampling: tuple[int, ...] = ()
    known: bool = True


UNKNOWN = EncoderAnatomy(layers=None, embeddings=EVERY, known=False)
"""What most transformers have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionAnatomy:
    """The parts of a fusion.

    Attributes:
        layers: how many; None where that is not known.
        leaves: of the whole fusion.
        known: the parts are exactly these.
    """

    layers: int | None
    leaves: frozenset[Leaf]
    known: bool = True


def leaf(address: str, *kinds: str) -> Leaf:
    """Return a leaf of some kinds."""
    return Leaf(address, frozenset(kinds))


def full(address: str, *kinds: str) -> Iterable[Leaf]:
    """Return the leaves of a part with weights, biases and a norm."""
    return (
        leaf(address, *kinds),
        leaf(address, *kinds, "bias"),
        leaf(address, *kinds, "norm"),
        leaf(address, *kinds, "norm", "bias"),
    )


@lru_cache(maxsize=256)
def encoder_leaves(root: str, anatomy: EncoderAnatomy) -> frozenset[Leaf]:
    """Return the leaves of an encoder at an address."""
    found: set[Leaf] = set()
    if anatomy.embeddings:
        found.update(_embedding_leaves(f"{root}.embeddings", anatomy.embeddings))
    layers = UNKNOWN_LAYERS if anatomy.layers is None else anatomy.layers
    for index in range(layers):
        layer = f"{root}.layers[{index}]"
        found.update(full(f"{layer}.attention", "attention"))
        found.update(full(f"{layer}.mlp", "mlp"))
        if anatomy.relative:
            found.add(leaf(f"{layer}.attention", "attention", "position"))
    for index in anatomy.downsampling:
        address = f"{root}.layers[{index}].downsample"
        found.update((leaf(address), leaf(address, "norm"), leaf(address, "norm", "bias")))
    if anatomy.norm:
        found.update((leaf(f"{root}.norm", "norm"), leaf(f"{root}.norm", "norm", "bias")))
    return frozenset(found)


@lru_cache(maxsize=64)
def joining_leaves(root: str, projected: tuple[str, ...]) -> frozenset[Leaf]:
    """Return the leaves of what stands before the layers of a fusion.

    Args:
        root: address of the fusion.
        projected: streams whose width a linear map changes.
    """
    found = {leaf(f"{root}.type_embedding")}
    for name in projected:
        address = f"{root}.projection.{name}"
        found.update((leaf(address), leaf(address, "bias")))
    return frozenset(found)


def stem_kinds(stem: str) -> frozenset[str]:
    """Return the kinds of parameters of patch embeddings."""
    return EVERY if stem == "convolutional" else PATCHES


def _embedding_leaves(address: str, held: frozenset[str]) -> Iterable[Leaf]:
    yield leaf(address, "embeddings")
    for kind in held - {"weight"}:
        yield leaf(address, "embeddings", kind)
    if "norm" in held:
        yield leaf(address, "embeddings", "norm", "bias")
