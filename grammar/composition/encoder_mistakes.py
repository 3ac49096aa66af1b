"""Explain what is said of an encoder that its architecture does not have.

What tells returns whether all is right, and adds a finding where it is not.
"""

from renaissance.grammar.anatomy.architecture import architecture_named
from renaissance.grammar.anatomy.library import POOLING, can_stack, has_embedding_size
from renaissance.grammar.architectures import Architecture
from renaissance.grammar.composition.encoder_names import NamedEncoder
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.kinds.source import Shortened, pools_itself

DIMENSIONS = ("layers", "width", "heads", "mlp_ratio", "dropout")
"""Keys that an architecture fills in, and that a file may set for a plain stack of layers."""


def reads_only(encoder: NamedEncoder, modality: str, other: str) -> bool:
    """Tell whether no size of the other modality is set; a known encoder reads one of them.

    Args:
        encoder: whose keys are looked at.
        modality: what it reads.
        other: key of the size that it does not have.
    """
    known = encoder.known
    if known is None or getattr(encoder.block, other, None) is None:
        return True
    read, sized = ("text", "max_tokens") if modality == "text" else ("images", "image_size")
    encoder.findings.add(
        Diagnostic(
            code="VL306",
            message=f"`{known.id}` reads {read}",
            span=encoder.key(other) or encoder.places.value(encoder.path),
            label=f"`{other}` does not apply",
            help=(f"set `{sized}`",),
        )
    )
    return False


def warn_of_half(encoder: NamedEncoder) -> None:
    """Warn where a half is said of an encoder that has none."""
    known = encoder.known
    if known is None or not encoder.says("half"):
        return
    if architecture_named(known.id, "text") == architecture_named(known.id, "vision"):
        encoder.has_no_effect("half", f"`{known.id}` is one encoder")


def pools_as_said(encoder: NamedEncoder) -> bool:
    """Tell whether an encoder that is to pool by attention does."""
    known = encoder.known
    if known is None or not pools_itself(encoder.block) or known.model_type in POOLING:
        return True
    encoder.findings.add(
        Diagnostic(
            code="VL309",
            message=f"`{known.id}` pools nothing by attention",
            span=encoder.value("pooling"),
            label="SigLIP's encoder of images does",
        )
    )
    return False


def is_a_stack(encoder: NamedEncoder) -> bool:
    """Tell whether an encoder can be the stack of a one-tower model."""
    known = encoder.known
    if known is None or can_stack(known):
        return True
    encoder.findings.add(
        Diagnostic(
            code="VL310",
            message=f"`{known.id}` cannot be the stack of a one-tower model",
            span=encoder.named_at or encoder.places.value(encoder.path),
            label="its layers do not attend over one sequence of tokens",
            notes=(
                "they take tokens by their place in an image, or are not known to take others",
                "a stack can be that of a ViT, DeiT, BERT, ELECTRA or RoBERTa",
            ),
        )
    )
    return False


def has_layers(encoder: NamedEncoder) -> bool:
    """Tell whether weights have the first layers that are asked for, and are no stages."""
    block, known = encoder.block, encoder.known
    wanted = block.layers if isinstance(block, Shortened) else None
    if wanted is None or known is None:
        return True
    if not known.sequence and known.described:
        label = "its stages have sizes of their own"
    elif known.layers is not None and wanted > known.layers:
        label = f"it has {known.layers}"
    else:
        return True
    message = f"`{known.id}` has no first {wanted} layers"
    encoder.findings.add(
        Diagnostic(code="VL305", message=message, span=encoder.value("layers"), label=label)
    )
    return False


def takes_dimensions(encoder: NamedEncoder, known: Architecture) -> bool:
    """Tell whether the dimensions that are said are some that the architecture lets one choose."""
    own_width = getattr(encoder.block, "embedding_size", None) is not None
    if own_width and not has_embedding_size(known):
        _cannot_choose(encoder, known, "embedding_size", "its embeddings are as wide as its layers")
        return False
    if known.sequence:
        return True
    label = (
        "its stages have sizes of their own"
        if known.described
        else "it is no plain stack of equal layers"
    )
    said = [key for key in DIMENSIONS if encoder.says(key)]
    for key in said:
        _cannot_choose(encoder, known, key, label)
    return not said


def _cannot_choose(encoder: NamedEncoder, known: Architecture, key: str, label: str) -> None:
    message = f"`{key}` cannot be chosen for `{known.id}`"
    encoder.findings.add(
        Diagnostic(code="VL305", message=message, span=encoder.key(key), label=label)
    )
