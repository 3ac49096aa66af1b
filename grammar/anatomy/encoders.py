"""What a stream or a stack consists of: its layers, and which kinds of parameters stand where.

Of encoders of libraries this is known by family. Where nothing is known, `EncoderAnatomy.known` is
False and the rest is what most transformers have.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from renaissance.grammar.architectures import Architecture
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_folder import FolderError, read_folder
from renaissance.grammar.paths import is_folder
from renaissance.grammar.schema.streams import (
    HuggingFace,
    Patches,
    PlainStack,
    PlainText,
    PlainVision,
    RandomArchitecture,
    Stack,
    Stream,
    Timm,
    Wordpiece,
)

UNKNOWN_LAYERS = 48
"""Layers that an encoder of unknown depth is taken to have."""


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


_WORDS = frozenset({"weight", "norm", "position"})
_PATCHES = frozenset({"weight", "bias", "position"})
_ALL = frozenset({"weight", "bias", "norm", "position"})
_VIT = EncoderAnatomy(layers=None, embeddings=_PATCHES)
_BERT = EncoderAnatomy(layers=None, embeddings=_WORDS, norm=False)
_CLIP = EncoderAnatomy(layers=None, embeddings=_WORDS)
_BEIT = EncoderAnatomy(
    layers=None, embeddings=frozenset({"weight", "bias"}), relative=True, norm=False
)
_SWIN = EncoderAnatomy(layers=None, embeddings=frozenset({"weight", "bias", "norm"}), relative=True)
_UNKNOWN = EncoderAnatomy(layers=None, embeddings=_ALL, known=False)

_TRANSFORMERS = {
    "bert": _BERT,
    "beit": _BEIT,
    "camembert": _BERT,
    "clip_vision_model": _CLIP,
    "deit": _VIT,
    "distilbert": _BERT,
    "electra": _BERT,
    "roberta": _BERT,
    "swin": _SWIN,
    "vit": _VIT,
    "xlm-roberta": _BERT,
}
"""Families of transformers whose parts are known, by `model_type`."""


def architecture_of(block: Stream | Stack) -> Architecture | None:
    """Return what is known about the architecture that a block names, without any network."""
    name = identifier(block)
    if name is None:
        return None
    known = find(name)
    if known is None and is_folder(name):
        try:
            return read_folder(name)
        except FolderError:
            return None
    return known


def folder_problem(block: Stream | Stack) -> str | None:
    """Say in a sentence why the folder that a block names is no model; None if nothing is wrong."""
    name = identifier(block)
    if name is None or find(name) is not None or not is_folder(name):
        return None
    try:
        read_folder(name)
    except FolderError as error:
        return str(error)
    return None


def identifier(block: Stream | Stack) -> str | None:
    """Return the hub id, timm name or folder that a block names, if any."""
    if isinstance(block, HuggingFace | RandomArchitecture | Wordpiece):
        return block.id
    return block.name if isinstance(block, Timm) else None


def stack_width(encoder: Stack) -> int | None:
    """Return the width of a stack, where it is known without a network."""
    own: int | None = getattr(encoder, "width", None)
    if own is not None:
        return own
    known = architecture_of(encoder)
    return known.width if known else None


STACKS = frozenset(
    {
        "bert",
        "camembert",
        "clip_vision_model",
        "deit",
        "dinov2",
        "distilbert",
        "electra",
        "roberta",
        "vit",
        "xlm-roberta",
    }
)
"""Families of transformers whose layers map tokens and a mask to tokens, and nothing else."""


def can_stack(known: Architecture) -> bool:
    """Tell whether the layers of an encoder can run over one sequence of texts and images."""
    if known.library == "transformers":
        return known.model_type in STACKS
    family = _timm_family(known.model_type)
    return known.sequence and (family is None or not family.relative)


def stream_anatomy(stream: Stream | None) -> EncoderAnatomy:
    """Return the parts of a stream; of None nothing is known."""
    match stream:
        case None:
            return _UNKNOWN
        case PlainText(layers=layers):
            return EncoderAnatomy(layers=layers, embeddings=_WORDS)
        case PlainVision(layers=layers, stem=stem):
            return EncoderAnatomy(layers=layers, embeddings=_stem(stem))
        case Wordpiece():
            return EncoderAnatomy(layers=0, embeddings=_WORDS, norm=False)
        case Patches(stem=stem):
            return EncoderAnatomy(layers=0, embeddings=_stem(stem), norm=False)
        case _:
            return _of_library(stream, architecture_of(stream))


def stack_anatomy(stack: Stack) -> EncoderAnatomy:
    """Return the parts of the stack of a one-tower model, which has no embeddings."""
    if isinstance(stack, PlainStack):
        return EncoderAnatomy(layers=stack.layers)
    found = _of_library(stack, architecture_of(stack))
    return EncoderAnatomy(layers=found.layers, norm=found.norm, known=found.known)


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


def _embedding_leaves(address: str, held: frozenset[str]) -> Iterable[Leaf]:
    yield leaf(address, "embeddings")
    for kind in held - {"weight"}:
        yield leaf(address, "embeddings", kind)
    if "norm" in held:
        yield leaf(address, "embeddings", "norm", "bias")


def _stem(stem: str) -> frozenset[str]:
    return _ALL if stem == "convolutional" else _PATCHES


def _of_library(block: Stream | Stack, known: Architecture | None) -> EncoderAnatomy:
    own = block.layers if isinstance(block, RandomArchitecture) else None
    layers = own or (known.layers if known is not None else None)
    family = _family(known) if known is not None else None
    if known is None or family is None or layers is None:
        return EncoderAnatomy(layers=layers, embeddings=_ALL, known=False)
    embeddings = family.embeddings
    if known.model_type == "electra" and _projects(block, known):
        embeddings |= {"bias"}
    return EncoderAnatomy(
        layers=layers,
        embeddings=embeddings,
        relative=family.relative,
        norm=family.norm,
        downsampling=_ends_of_stages(known, layers) if family is _SWIN else (),
    )


def _family(known: Architecture) -> EncoderAnatomy | None:
    """Return the family of an architecture; None where its configuration says something unusual."""
    if known.library == "timm":
        return _timm_family(known.model_type)
    config = known.config
    if known.model_type == "beit" and (
        not config.get("use_relative_position_bias", False)
        or config.get("use_absolute_position_embeddings", False)
        or config.get("use_shared_relative_position_bias", False)
        or not config.get("use_mean_pooling", True)
    ):
        return None
    if known.model_type == "swin" and config.get("use_absolute_embeddings", False):
        return None
    if config.get("qkv_bias", True) is False or config.get("sinusoidal_pos_embds", False):
        return None
    return _TRANSFORMERS.get(known.model_type)


def _timm_family(name: str) -> EncoderAnatomy | None:
    if find(name) is None:
        return None
    if "_clip_" in name:
        return _CLIP
    return {"vit": _VIT, "deit": _VIT, "beit": _BEIT, "swin": _SWIN}.get(name.partition("_")[0])


def _projects(block: Stream | Stack, known: Architecture) -> bool:
    """Tell whether a linear map leads from ELECTRA's embeddings to its layers."""
    width = block.width if isinstance(block, RandomArchitecture) else None
    if width is None or known.embedding_width == known.width:
        return known.embedding_width != known.width
    return width != known.embedding_width


def _ends_of_stages(known: Architecture, layers: int) -> tuple[int, ...]:
    depths = known.config.get("depths") or (2, 2, layers - 6, 2)
    ends: list[int] = []
    for depth in depths[:-1]:
        ends.append((ends[-1] if ends else -1) + depth)
    return tuple(ends)
