"""What follows for embeddings from the model whose tokenizer or weights they start from."""

from collections.abc import Mapping
from pathlib import Path as FilePath

from renaissance.grammar.anatomy.architecture import (
    architecture_named,
    problem_of_name,
    vocabulary_named,
)
from renaissance.grammar.architectures import Architecture
from renaissance.grammar.composition.encoder_names import (
    NamedEncoder,
    no_such_folder,
    warn_if_misspelt,
)
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.encoder_flaws import Flaw
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.paths import is_folder
from renaissance.grammar.places import Path, Places
from renaissance.grammar.tokenizer_files import flaw_of_tokenizer

_FIXED = ("width", "patch")
_OFFERED = ("image_size", "eps")
LONGEST_LEARNED_VOCABULARY = 8192


def complete_embedding(
    stream: SourceBlock, path: Path, places: Places, findings: Findings
) -> SourceBlock | None:
    """Return embeddings with everything set that a named model determines.

    None if a finding says why it cannot be their model.
    """
    named = _with_vocabulary(stream, path, places, findings)
    return None if named is None else _with_weights(named, path, places, findings)


def _with_vocabulary(
    stream: SourceBlock, path: Path, places: Places, findings: Findings
) -> SourceBlock | None:
    """Return embeddings of texts with the size of the vocabulary that they learn, if they do."""
    if "vocabulary" not in type(stream).model_fields:
        return stream
    if stream.identifier is None:
        if stream.learned_vocabulary is None:
            return stream.model_copy(update={"vocabulary": LONGEST_LEARNED_VOCABULARY})
        return stream
    name = stream.identifier
    known = architecture_named(name, "text")
    encoder = NamedEncoder(block=stream, known=known, path=path, places=places, findings=findings)
    if encoder.says("vocabulary"):
        encoder.has_no_effect("vocabulary", f"the tokenizer of `{name}` has its own")
        stream = stream.model_copy(update={"vocabulary": None})
    warn_if_misspelt(encoder)
    flaw = _flaw_of_words(name, known)
    if flaw is None:
        return stream
    code = "VL306" if known is not None and known.modality == "vision" else "VL304"
    findings.add(
        Diagnostic(
            code=code,
            message=flaw.message,
            span=encoder.named_at,
            label="its tokenizer is wanted",
            help=flaw.help,
        )
    )
    return None


def _flaw_of_words(name: str, known: Architecture | None) -> Flaw | None:
    """Say why nobody knows how many tokens a tokenizer has, or that they lack rows; None if fine.

    Args:
        name: hub id or folder whose tokenizer is used.
        known: the encoder of texts of that name, or the only encoder.
    """
    folder = is_folder(name)
    if vocabulary_named(name) is not None:
        if not folder or known is None or known.modality != "text":
            return None
        return flaw_of_tokenizer(FilePath(name), known)
    if folder:
        return Flaw(
            message=f"the folder `{name}` holds neither the config.json of an encoder of texts nor "
            "a tokenizer.json that tells its tokens",
            help=("save the tokenizer into it: `tokenizer.save_pretrained(folder)`",),
        )
    if known is not None and known.modality == "vision":
        return Flaw(message=f"`{name}` reads images", help=("name one that reads texts",))
    return Flaw(
        message=f"nothing is known about the tokenizer of `{name}` here",
        help=("give the path of a folder that holds a tokenizer.json", no_such_folder(name)),
    )


def _with_weights(
    stream: SourceBlock, path: Path, places: Places, findings: Findings
) -> SourceBlock | None:
    """Return embeddings with everything set that the model of their weights determines."""
    name = stream.weights_of
    if name is None:
        return stream
    problem = problem_of_name(name, weights=True)
    if problem is not None:
        label = "is no model that can be built"
        findings.add(_about(path, "VL304", problem.message, label, places, problem.help))
        return None
    known = architecture_named(name)
    if known is None:
        return stream
    reads = "text" if "max_tokens" in type(stream).model_fields else "vision"
    if known.modality != reads:
        said = "images" if reads == "text" else "texts"
        label = "embeddings of texts are wanted" if reads == "text" else "patches are wanted"
        findings.add(_about(path, "VL306", f"`{name}` reads {said}", label, places))
        return None
    given = _of_model(stream, known)
    sound = True
    updates: dict[str, object] = {}
    for key in (*_FIXED, *_OFFERED):
        value = given.get(key)
        if value is None or getattr(stream, key) == value:
            continue
        if not places.said((*path, key)):
            updates[key] = value
            places.derived[*path, key] = f"from `{name}`"
        elif key in _FIXED:
            sound = False
            findings.add(_fixed(path, key, name, value, places))
    return stream.model_copy(update=updates) if sound else None


def _of_model(stream: SourceBlock, known: Architecture) -> Mapping[str, object]:
    found = {
        "width": known.embedding_width,
        "patch": known.patch,
        "image_size": known.image_size,
        "eps": known.config.get("layer_norm_eps", 1e-12),
    }
    return {key: value for key, value in found.items() if key in type(stream).model_fields}


def _about(
    path: Path, code: str, message: str, label: str, places: Places, help: tuple[str, ...] = ()
) -> Diagnostic:
    where = (*path, "weights")
    span = places.value(where) or places.value(path)
    return Diagnostic(code=code, message=message, span=span, label=label, help=help)  # type: ignore[arg-type]


def _fixed(path: Path, key: str, name: str, value: object, places: Places) -> Diagnostic:
    return Diagnostic(
        code="VL305",
        message=f"`{key}` cannot be chosen for embeddings that start from `{name}`",
        span=places.key((*path, key)),  # type: ignore[arg-type]
        label=f"it is {value} there",
        help=(f"leave `{key}` out, or `weights`",),
    )
