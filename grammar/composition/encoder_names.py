"""Encoders by name: what is known of one here, and which may be meant by a name that is not."""

from renaissance.grammar.anatomy.architecture import architecture_of, problem_of
from renaissance.grammar.architectures import Architecture
from renaissance.grammar.catalogue import named_as_timm_does, names_like, timm_version
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.names import one_slip, suggestion
from renaissance.grammar.places import Path, Places
from renaissance.grammar.record import Record
from renaissance.grammar.schema.vocabulary import positional_key
from renaissance.grammar.source import Span


class NamedEncoder(Record):
    """A block that names an encoder, with what is known of that name.

    Attributes:
        block: the source, or the stack of a one-tower model.
        known: the architecture; None where nothing is known of the name.
        path: where the block stands in the spec.
        places: where everything was said.
        findings: receives what is wrong.
    """

    block: SourceBlock
    known: Architecture | None
    path: Path
    places: Places
    findings: Findings

    def says(self, key: str) -> bool:
        """Tell whether a file sets a key of the block."""
        return self.places.said((*self.path, key))

    def key(self, key: str) -> Span:
        """Return the span of a key."""
        return self.places.key((*self.path, key))  # type: ignore[return-value]

    def value(self, key: str) -> Span:
        """Return the span of the value of a key."""
        return self.places.value((*self.path, key))  # type: ignore[return-value]

    @property
    def named_at(self) -> Span:
        """The span of the name."""
        return self.value(positional_key(type(self.block)) or "")

    def derive(self, key: str) -> None:
        """Note that a value follows from the name."""
        self.places.derived[*self.path, key] = f"from `{self.block.identifier}`"

    def has_no_effect(self, key: str, reason: str) -> None:
        """Warn about a key that changes nothing."""
        self.findings.add(
            Diagnostic(
                code="VL506",
                message=f"`{key}` has no effect here",
                span=self.key(key),
                severity="warning",
                label=reason,
                help=("leave it out",),
            )
        )


def named_encoder(
    block: SourceBlock, path: Path, places: Places, findings: Findings, *, reads: bool
) -> NamedEncoder | None:
    """Return what is known of the encoder that a block names.

    None if a finding says why it can be no tower: its folder holds no model or says too little.

    Args:
        block: the source, or the stack of a one-tower model.
        path: where it stands in the spec.
        places: where everything was said.
        findings: receives what is wrong.
        reads: it reads texts, with the tokenizer of a folder, and not vectors.
    """
    problem = problem_of(block, reads=reads)
    known = None if problem else architecture_of(block)
    encoder = NamedEncoder(block=block, known=known, path=path, places=places, findings=findings)
    if problem is None:
        return encoder
    findings.add(
        Diagnostic(
            code="VL304",
            message=problem.message,
            span=encoder.named_at or places.value(path),
            label="is no encoder that can be built",
            help=problem.help,
        )
    )
    return None


def is_of_its_library(encoder: NamedEncoder) -> bool:
    """Tell whether a name is one of the library that it is given to; False is a finding."""
    known, name = encoder.known, encoder.block.identifier
    if known is None or encoder.block.library in (None, known.library):
        return True
    kinds = Kinds(SourceBlock).items()
    word = next((word for word, kind in kinds if kind.library == known.library), "…")
    encoder.findings.add(
        Diagnostic(
            code="VL312",
            message=f"`{name}` is a model of {known.library}",
            span=encoder.places.key(encoder.path),  # type: ignore[arg-type]
            help=(f'write `{word}("{name}")`',),
        )
    )
    return False


def warn_if_misspelt(encoder: NamedEncoder) -> None:
    """Warn about a name that is one slip away from that of a known model, or no name of timm."""
    name, span = encoder.block.identifier, encoder.named_at
    if encoder.known is not None or name is None or span is None:
        return
    meant = _meant(name)
    if meant is not None:
        message = f"`{name}` is not known here, `{meant}` is"
        likely: tuple[str, ...] = (_was_meant(meant),)
    elif encoder.block.library == "timm" and not named_as_timm_does(name):
        message = f"timm {timm_version()} has no model `{name}`"
        likely = suggestion(name, names_like(name), "a model")
    else:
        return
    encoder.findings.add(
        Diagnostic(
            code="VL521",
            message=message,
            span=span,
            severity="warning",
            help=likely,
            edits=() if meant is None else (_renamed(span, meant),),
        )
    )


def length_unknown(encoder: NamedEncoder, wanted: str) -> Diagnostic:
    """Return the finding that a name does not tell a length or size, which the file has to set.

    Args:
        encoder: of which nothing is known, or not this.
        wanted: the key, or keys, of which one has to be set.
    """
    if encoder.known is not None:
        return _length_unsaid(encoder, wanted)
    name, span = encoder.block.identifier or "", encoder.named_at
    takes_text = "max_tokens" in type(encoder.block).model_fields
    meant = _meant(name)
    return Diagnostic(
        code="VL304",
        message=f"nothing is known about `{name}` here",
        span=span,
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
            no_such_folder(name),
            "checking reads no network; known are the models of timm, those of transformers that "
            "`renaissance explain catalogue` lists, and local folders",
        ),
    )


def _length_unsaid(encoder: NamedEncoder, wanted: str) -> Diagnostic:
    images = wanted == "image_size"
    size = "large its images are" if images else "long its texts may be"
    return Diagnostic(
        code="VL304",
        message=f"`{encoder.block.identifier}` does not say how {size}",
        span=encoder.named_at,
        label=f"`{wanted}` has to be set",
        help=(f"write `{wanted} = {224 if images else 128}`, or what its weights were made for",),
    )


def no_such_folder(name: str) -> str:
    """Say that a name that nothing is known of is no folder either, and where one was looked for.

    Args:
        name: hub id or path, of no folder.
    """
    return f"there is no folder `{name}` in the working folder, from where paths are looked for"


def _meant(name: str) -> str | None:
    """Return the known model whose name is one slip of the pen away."""
    return next((other for other in names_like(name) if one_slip(name, other)), None)


def _was_meant(name: str) -> str:
    return f"was `{name}` meant?"


def _renamed(span: Span, name: str) -> Edit:
    return Edit(span=span, text=f'"{name}"')
