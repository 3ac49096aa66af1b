"""Fill in what follows from a backbone: its length or image size, its dimensions."""

from renaissance.grammar.anatomy.architecture import (
    architecture_named,
    architecture_of,
    problem_of,
)
from renaissance.grammar.anatomy.library import POOLING, can_stack, has_embedding_size
from renaissance.grammar.architectures import Architecture
from renaissance.grammar.catalogue import named_as_timm_does, names_like, timm_version
from renaissance.grammar.composition.embeddings import complete_weights
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import (
    OF_IMAGES,
    OF_TEXTS,
    Dimensions,
    NamedArchitecture,
    Shortened,
    SourceBlock,
    is_embedding,
    pools_itself,
)
from renaissance.grammar.names import one_slip, suggestion
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.vocabulary import default_of, positional_key
from renaissance.grammar.source import Span

LONGEST_LEARNED_VOCABULARY = 8192
_OWN_DIMENSIONS = ("layers", "width", "heads", "mlp_ratio", "dropout")


def complete_stream(
    stream: SourceBlock, path: Path, places: Places, findings: Findings
) -> SourceBlock | None:
    """Return a backbone or embedding with everything set that its architecture determines.

    Afterwards exactly one of `max_tokens` and `image_size` is set. None if a finding says why not.
    """
    if is_embedding(stream):
        named = _complete_embedding(stream, path, places, findings)
        return None if named is None else complete_weights(named, path, places, findings)
    if not isinstance(stream, NamedArchitecture):
        return stream
    if not _is_model(stream, path, places, findings, reads=True):
        return None
    known = architecture_of(stream)
    if not _fits_library(stream, known, path, places, findings):
        return None
    modality = _modality(stream, known, path, places, findings)
    if modality is None:
        return None
    wanted, other = ("max_tokens", "image_size")
    if modality == "vision":
        wanted, other = other, wanted
    if known is not None and getattr(stream, other, None) is not None:
        key = places.key((*path, other))
        findings.add(
            Diagnostic(
                code="VL306",
                message=f"`{known.id}` reads {'text' if modality == 'text' else 'images'}",
                span=key or places.value(path),  # type: ignore[arg-type]
                label=f"`{other}` does not apply",
                help=(f"set `{wanted}`",),
            )
        )
        return None
    _of_one_half(stream, known, path, places, findings)
    for name in OF_IMAGES:
        if modality == "text" and places.said((*path, name)):
            findings.add(_no_effect((*path, name), "a text stream has no images", places))
    for name in OF_TEXTS:
        if modality == "vision" and places.said((*path, name)):
            findings.add(_no_effect((*path, name), "a stream of images has no texts", places))
    if modality == "vision" and not _pools(stream, known, path, places, findings):
        return None
    updates: dict[str, object] = {}
    if getattr(stream, wanted) is None:
        default = getattr(known, wanted) if known else None
        if default is None:
            findings.add(_length_unknown(stream, wanted, path, places))
            return None
        updates[wanted] = default
        places.derived[*path, wanted] = f"from `{stream.identifier}`"
    _misspelt(stream, known, path, places, findings)
    stream = stream.model_copy(update=updates)
    if isinstance(stream, Dimensions):
        return _complete_dimensions(stream, known, path, places, findings)
    return stream if _has_layers(stream, known, path, places, findings) else None


def complete_stack(
    stack: SourceBlock, path: Path, places: Places, findings: Findings
) -> SourceBlock | None:
    """Return the encoder of a one-tower model with its dimensions filled in."""
    if not isinstance(stack, NamedArchitecture):
        return stack
    if not _is_model(stack, path, places, findings, reads=False):
        return None
    known = architecture_of(stack)
    _misspelt(stack, known, path, places, findings)
    for name in ("max_tokens", "image_size", "embedding_size", *OF_IMAGES, *OF_TEXTS):
        if places.said((*path, name)):
            findings.add(
                _no_effect((*path, name), "the embeddings decide what the stack reads", places)
            )
            neutral = default_of(type(stack).model_fields[name])
            stack = stack.model_copy(update={name: neutral})
    if not _fits_library(stack, known, path, places, findings):
        return None
    if known is not None and not can_stack(known):
        findings.add(
            Diagnostic(
                code="VL310",
                message=f"`{known.id}` cannot be the stack of a one-tower model",
                span=places.value((*path, _named_by(stack))) or places.value(path),  # type: ignore[arg-type]
                label="its layers do not attend over one sequence of tokens",
                notes=(
                    "they take tokens by their place in an image, or are not known to take others",
                    "a stack can be that of a ViT, DeiT, BERT, ELECTRA or RoBERTa",
                ),
            )
        )
        return None
    if isinstance(stack, Dimensions):
        return _complete_dimensions(stack, known, path, places, findings)
    return stack if _has_layers(stack, known, path, places, findings) else None


def _complete_dimensions(
    block: NamedArchitecture,
    known: Architecture | None,
    path: Path,
    places: Places,
    findings: Findings,
) -> NamedArchitecture | None:
    if known is None:
        return block
    if getattr(block, "embedding_size", None) is not None and not has_embedding_size(known):
        findings.add(
            Diagnostic(
                code="VL305",
                message=f"`embedding_size` cannot be chosen for `{known.id}`",
                span=places.key((*path, "embedding_size")),  # type: ignore[arg-type]
                label="its embeddings are as wide as its layers",
            )
        )
        return None
    if not known.sequence:
        said = [name for name in _OWN_DIMENSIONS if places.said((*path, name))]
        for name in said:
            findings.add(
                Diagnostic(
                    code="VL305",
                    message=f"`{name}` cannot be chosen for `{known.id}`",
                    span=places.key((*path, name)),  # type: ignore[arg-type]
                    label="its stages have sizes of their own"
                    if known.described
                    else "it is no plain stack of equal layers",
                )
            )
        return None if said else block
    if not known.described:
        return block
    updates: dict[str, object] = {}
    for name in _OWN_DIMENSIONS:
        own = getattr(known, name)
        if getattr(block, name) is None and own is not None:
            updates[name] = own
            places.derived[*path, name] = f"from `{block.identifier}`"
    return block.model_copy(update=updates)


def _has_layers(
    block: NamedArchitecture,
    known: Architecture | None,
    path: Path,
    places: Places,
    findings: Findings,
) -> bool:
    """Report more layers than the weights have, or some of an encoder in stages."""
    wanted = block.layers if isinstance(block, Shortened) else None
    if wanted is None or known is None:
        return True
    if not known.sequence and known.described:
        label = "its stages have sizes of their own"
    elif known.layers is not None and wanted > known.layers:
        label = f"it has {known.layers}"
    else:
        return True
    findings.add(
        Diagnostic(
            code="VL305",
            message=f"`{known.id}` has no first {wanted} layers",
            span=places.value((*path, "layers")),
            label=label,
        )
    )
    return False


def _complete_embedding(
    stream: SourceBlock, path: Path, places: Places, findings: Findings
) -> SourceBlock | None:
    if "vocabulary" not in type(stream).model_fields:
        return stream
    if stream.identifier is None:
        if stream.learned_vocabulary is None:
            return stream.model_copy(update={"vocabulary": LONGEST_LEARNED_VOCABULARY})
        return stream
    if places.said((*path, "vocabulary")):
        findings.add(
            _no_effect(
                (*path, "vocabulary"), f"the tokenizer of `{stream.identifier}` has its own", places
            )
        )
        stream = stream.model_copy(update={"vocabulary": None})
    known = architecture_of(stream)
    _misspelt(stream, known, path, places, findings)
    if known is not None and known.modality != "text":
        findings.add(
            Diagnostic(
                code="VL306",
                message=f"`{stream.identifier}` reads images",
                span=places.value((*path, _named_by(stream))),  # type: ignore[arg-type]
                label="has no tokenizer",
            )
        )
        return None
    return stream


def _is_model(
    block: NamedArchitecture, path: Path, places: Places, findings: Findings, *, reads: bool
) -> bool:
    """Report a folder that holds no model or says too little, and encoders that can be no tower."""
    problem = problem_of(block, reads=reads)
    if problem is None:
        return True
    findings.add(
        Diagnostic(
            code="VL304",
            message=problem.message,
            span=places.value((*path, _named_by(block))) or places.value(path),  # type: ignore[arg-type]
            label="is no encoder that can be built",
            help=problem.help,
        )
    )
    return False


def _of_one_half(
    stream: NamedArchitecture,
    known: Architecture | None,
    path: Path,
    places: Places,
    findings: Findings,
) -> None:
    """Warn where a half is said of an encoder that has none."""
    if not places.said((*path, "half")) or known is None:
        return
    if architecture_named(known.id, "text") != architecture_named(known.id, "vision"):
        return
    label = f"`{known.id}` is one encoder"
    findings.add(_no_effect((*path, "half"), label, places))


def _pools(
    stream: NamedArchitecture,
    known: Architecture | None,
    path: Path,
    places: Places,
    findings: Findings,
) -> bool:
    """Report an encoder that is to pool by attention, and does not."""
    if known is None or not pools_itself(stream) or known.model_type in POOLING:
        return True
    findings.add(
        Diagnostic(
            code="VL309",
            message=f"`{known.id}` pools nothing by attention",
            span=places.value((*path, "pooling")),  # type: ignore[arg-type]
            label="SigLIP's encoder of images does",
        )
    )
    return False


def _fits_library(
    block: SourceBlock,
    known: Architecture | None,
    path: Path,
    places: Places,
    findings: Findings,
) -> bool:
    """Report a name of one library that is given to the other."""
    wanted = block.library
    if known is None or wanted is None or known.library == wanted:
        return True
    kinds = Kinds(SourceBlock).items()
    word = next((word for word, kind in kinds if kind.library == known.library), "…")
    name = block.identifier
    findings.add(
        Diagnostic(
            code="VL312",
            message=f"`{name}` is a model of {known.library}",
            span=places.key(path),  # type: ignore[arg-type]
            help=(f'write `{word}("{name}")`',),
        )
    )
    return False


def _misspelt(
    block: SourceBlock,
    known: Architecture | None,
    path: Path,
    places: Places,
    findings: Findings,
) -> None:
    """Warn about a name that is one slip away from that of a known model, or no name of timm."""
    name = block.identifier
    span = places.value((*path, _named_by(block)))
    if known is not None or name is None or span is None:
        return
    meant = _meant(name)
    if meant is not None:
        message = f"`{name}` is not known here, `{meant}` is"
        likely: tuple[str, ...] = (_was_meant(meant),)
    elif block.library == "timm" and not named_as_timm_does(name):
        message = f"timm {timm_version()} has no model `{name}`"
        likely = suggestion(name, names_like(name), "a model")
    else:
        return
    findings.add(
        Diagnostic(
            code="VL521",
            message=message,
            span=span,
            severity="warning",
            help=likely,
            edits=() if meant is None else (_renamed(span, meant),),
        )
    )


def _meant(name: str) -> str | None:
    """Return the known model whose name is one slip of the pen away."""
    return next((other for other in names_like(name) if one_slip(name, other)), None)


def _was_meant(name: str) -> str:
    return f"was `{name}` meant?"


def _renamed(span: Span, name: str) -> Edit:
    return Edit(span=span, text=f'"{name}"')


def _modality(
    stream: NamedArchitecture,
    known: Architecture | None,
    path: Path,
    places: Places,
    findings: Findings,
) -> str | None:
    if known is not None:
        return known.modality
    lengths = ("max_tokens", "image_size")
    if "max_tokens" not in type(stream).model_fields:
        return "vision"
    text, vision = (getattr(stream, name, None) is not None for name in lengths)
    if text and vision:
        findings.add(
            Diagnostic(
                code="VL306",
                message="a stream reads text or images, not both",
                span=places.key((*path, "image_size")),  # type: ignore[arg-type]
                label="`max_tokens` is set as well",
            )
        )
        return None
    if not text and not vision:
        findings.add(_length_unknown(stream, "max_tokens` or `image_size", path, places))
        return None
    return "text" if text else "vision"


def _length_unknown(stream: SourceBlock, wanted: str, path: Path, places: Places) -> Diagnostic:
    name = stream.identifier or ""
    takes_text = "max_tokens" in type(stream).model_fields
    span = places.value((*path, _named_by(stream)))
    meant = _meant(name)
    return Diagnostic(
        code="VL304",
        message=f"nothing is known about `{name}` here",
        span=span,  # type: ignore[arg-type]
        label=f"`{wanted}` has to be set",
        edits=() if meant is None or span is None else (_renamed(span, meant),),
        help=(
            *(
                suggestion(name, names_like(name), "a known model")
                if meant is None
                else (_was_meant(meant),)
            ),
            "set `image_size` for a vision encoder"
            + (", `max_tokens` for a text encoder" if takes_text else ""),
        ),
        notes=(
            "checking reads no network; known are the models of timm, those of transformers that "
            "`renaissance explain catalogue` lists, and local folders",
        ),
    )


def _named_by(block: SourceBlock) -> str:
    """Return the key that names the architecture."""
    return positional_key(type(block)) or ""


def _no_effect(path: Path, reason: str, places: Places) -> Diagnostic:
    return Diagnostic(
        code="VL506",
        message=f"`{path[-1]}` has no effect here",
        span=places.key(path),  # type: ignore[arg-type]
        severity="warning",
        label=reason,
        help=("leave it out",),
    )
