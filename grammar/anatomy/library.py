"""What the encoders of libraries consist of, by family.

Where nothing is known, `EncoderAnatomy.known` is False and the rest is what most transformers have.
"""

from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.anatomy.parts import EVERY, PATCHES, WORDS, EncoderAnatomy
from renaissance.grammar.architectures import Architecture
from renaissance.grammar.catalogue import find
from renaissance.grammar.kinds.source import NamedArchitecture

_VIT = EncoderAnatomy(layers=None, embeddings=PATCHES)
_BERT = EncoderAnatomy(layers=None, embeddings=WORDS, norm=False)
_CLIP = EncoderAnatomy(layers=None, embeddings=WORDS)
_BEIT = EncoderAnatomy(
    layers=None, embeddings=frozenset({"weight", "bias"}), relative=True, norm=False
)
_SWIN = EncoderAnatomy(layers=None, embeddings=frozenset({"weight", "bias", "norm"}), relative=True)

_TRANSFORMERS = {
    "bert": _BERT,
    "beit": _BEIT,
    "camembert": _BERT,
    "clip_text_model": EncoderAnatomy(layers=None, embeddings=frozenset({"weight", "position"})),
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


EMBEDDING_SIZES = frozenset({"albert", "convbert", "electra", "mobilebert", "roformer"})
"""Families of transformers that map their word embeddings to the width of their layers."""

POOLING = frozenset({"siglip_vision_model"})
"""Families of transformers that pool their tokens by attention."""

ANY_SHAPE = frozenset({"clip_vision_model", "deit", "dinov2", "siglip_vision_model", "vit"})
"""Families of transformers that interpolate a position embedding for images of any shape."""


def takes_any_shape(known: Architecture) -> bool:
    """Tell whether an encoder can read images that are not square, each of its own shape.

    Of what nobody described, the build tells.
    """
    if not known.described:
        return True
    if known.library == "transformers":
        return known.model_type in ANY_SHAPE
    return known.sequence and known.model_type.partition("_")[0] in ("deit", "vit")


def can_stack(known: Architecture) -> bool:
    """Tell whether the layers of an encoder can run over one sequence of texts and images."""
    if known.library == "transformers":
        return known.model_type in STACKS
    family = _timm_family(known)
    return known.sequence and (family is None or not family.relative)


def has_embedding_size(known: Architecture) -> bool:
    """Tell whether the word embeddings of an encoder may be narrower than its layers."""
    return known.library == "transformers" and known.model_type in EMBEDDING_SIZES


def library_anatomy(block: NamedArchitecture) -> EncoderAnatomy:
    """Return the parts of an encoder that a block names."""
    known = architecture_of(block)
    layers, width = (_dimension(block, known, name) for name in ("layers", "width"))
    if known is not None and known.model_type == "albert":
        # All of its layers share the weights of a few.
        config = known.config
        layers = config.get("num_hidden_groups", 1) * config.get("inner_group_num", 1)
    family = _family(known) if known is not None else None
    if known is None or family is None or layers is None:
        return EncoderAnatomy(layers=layers, width=width, embeddings=EVERY, known=False)
    embeddings = family.embeddings
    if known.model_type == "electra" and _projects(block, known):
        embeddings |= {"bias"}
    return EncoderAnatomy(
        layers=layers,
        width=width,
        embeddings=embeddings,
        relative=family.relative,
        norm=family.norm,
        downsampling=_ends_of_stages(known, layers) if family is _SWIN else (),
    )


def _dimension(block: NamedArchitecture, known: Architecture | None, name: str) -> int | None:
    """Return a size that a block sets or, failing that, its architecture has."""
    own: int | None = getattr(block, name, None)
    return own or getattr(known, name, None)


def _family(known: Architecture) -> EncoderAnatomy | None:
    """Return the family of an architecture; None where its configuration says something unusual."""
    if known.library == "timm":
        return _timm_family(known)
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


def _timm_family(known: Architecture) -> EncoderAnatomy | None:
    name = known.model_type
    if not known.described or find(name) is None:
        return None
    if "_clip_" in name:
        return _CLIP
    return {"vit": _VIT, "deit": _VIT, "beit": _BEIT, "swin": _SWIN}.get(name.partition("_")[0])


def _projects(block: NamedArchitecture, known: Architecture) -> bool:
    """Tell whether a linear map leads from ELECTRA's embeddings to its layers."""
    width, embedding = (getattr(block, name, None) for name in ("width", "embedding_size"))
    if embedding is None and known.embedding_width == known.width:
        return False  # both follow where one is chosen
    return (embedding or known.embedding_width) != (width or known.width)


def _ends_of_stages(known: Architecture, layers: int) -> tuple[int, ...]:
    depths = known.config.get("depths") or (2, 2, layers - 6, 2)
    ends: list[int] = []
    for depth in depths[:-1]:
        ends.append((ends[-1] if ends else -1) + depth)
    return tuple(ends)
