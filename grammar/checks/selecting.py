"""What is wrong with a selector: it matches nothing, or reaches beyond the layers."""

from collections.abc import Iterator, Sequence

from renaissance.grammar.anatomy.model import Anatomy, every_head
from renaissance.grammar.anatomy.selectors import KINDS, Segment, SelectorError, parse
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.names import listing, nearest, plural, suggestion
from renaissance.grammar.record import Record
from renaissance.grammar.source import Span

_CODES = {
    "freeze": ("VL204", "selector"),
    "adapt": ("VL204", "selector"),
    "scale_lr": ("VL510", "address"),
    "decay_lr": ("VL510", "address"),
}

_PARTS = {
    **dict.fromkeys(
        ("blocks", "block", "layer", "encoder", "h", "stages", "transformer"), "layers"
    ),
    **dict.fromkeys(("attn", "self_attn", "self_attention"), "attention"),
    **dict.fromkeys(("ffn", "feed_forward", "intermediate", "fc"), "mlp"),
    **dict.fromkeys(("embed", "emb", "word_embeddings", "patch_embed"), "embeddings"),
    **dict.fromkeys(("ln", "layernorm", "layer_norm", "norms"), "norm"),
}
"""What libraries call parts of an encoder, and what they are called in an address."""


class Unmatched(Record):
    """What is said of a selector that matches nothing, in a check as of a built model.

    Attributes:
        message: what is wrong.
        label: a few words on the selector.
        help: how to fix it.
        notes: what there is.
        root: what its first name has to be, where that is clear.
    """

    message: str
    label: str
    help: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    root: str | None = None


def unmatched(
    word: str,
    selector: str,
    model: str,
    roots: Sequence[str],
    inside: Sequence[str],
    layers: int | None,
) -> Unmatched:
    """Explain that a selector matches nothing.

    Args:
        word: `freeze`, `adapt`, `scale_lr` or `decay_lr`.
        selector: as the file spells it.
        model: name of the model.
        roots: names that addresses start with.
        inside: parts of the one that it starts with; none where there is no such root.
        layers: how many layers that has, if any.

    Raises:
        SelectorError: if it is not written as an address.
    """
    message = _message(word, selector, model)
    segments = parse(selector)
    root = segments[0].name
    if root not in roots and root not in KINDS:
        return _no_root(message, root, roots)
    notes = []
    if inside:
        notes.append(f"`{root}` has {', '.join(inside)}")
        if layers:
            notes.append(f"layers of `{root}` are counted from 0 to {layers - 1}")
    notes.append(f"kinds are {', '.join(KINDS)}")
    sliced = any(segment.members is not None for segment in segments)
    wrong = segments[1].name if len(segments) > 1 else ""
    there = (*inside, *KINDS)
    close = nearest(wrong, there) if wrong and wrong not in there else ()
    if (meant := _PARTS.get(wrong)) in there:
        close = (meant,)
    return Unmatched(
        message=message,
        label=plural(layers, "layer") if sliced and layers and not close else "no such part",
        help=(f"a part with a similar name exists: `{root}.{close[0]}`",) if close else (),
        notes=tuple(notes),
    )


def no_match(word: str, selector: str, model: str, anatomy: Anatomy, span: Span) -> Diagnostic:
    """Return the finding that a selector matches nothing.

    Args:
        word: `freeze`, `adapt`, `scale_lr` or `decay_lr`.
        selector: as the file spells it.
        model: name of the model.
        anatomy: what the model consists of.
        span: of the selector.
    """
    code, _ = _CODES[word]
    try:
        root = parse(selector)[0].name
        inside, layers = _parts(anatomy, root), anatomy.layers(root)
        said = unmatched(word, selector, model, anatomy.roots, inside, layers)
    except SelectorError as error:
        message = _message(word, selector, model)
        return Diagnostic(code=code, message=message, span=span, label=str(error))
    first = Span(source=span.source, start=span.start, end=span.start + len(root))
    return Diagnostic(
        code=code,
        message=said.message,
        span=span,
        label=said.label,
        help=said.help,
        notes=said.notes,
        edits=() if said.root is None else (Edit(span=first, text=said.root),),
    )


def _message(word: str, selector: str, model: str) -> str:
    return f"`{word}` {_CODES[word][1]} `{selector}` matches nothing in model `{model}`"


def no_head(word: str, selector: str, heads: tuple[str, ...], span: Span) -> Diagnostic:
    """Return the finding that no job has the heads that a selector means."""
    code, what = _CODES[word]
    return Diagnostic(
        code=code,
        message=f"`{word}` {what} `{selector}` matches nothing",
        span=span,
        label="no job with this model has such a head",
        notes=(
            f"its jobs have {listing(f'heads.{head}' for head in heads)}",
            "`pretrain` has a head for each objective, `finetune` has `heads.answer`",
        ),
    )


def beyond_layers(selector: str, anatomy: Anatomy, span: Span) -> Iterator[Diagnostic]:
    """Yield the finding that a slice names layers that there are not, though some of it exist."""
    segments = parse(selector)
    if len(segments) < 2 or segments[1].name != "layers":
        return
    count = anatomy.layers(segments[0].name)
    members = segments[1].members
    if count is None or not isinstance(members, slice):
        return
    bounds = [bound for bound in (members.start, members.stop) if bound is not None]
    if any(bound > count or bound < -count for bound in bounds):
        yield Diagnostic(
            code="VL210",
            message=f"`{selector}` reaches beyond the layers of `{segments[0].name}`",
            span=span,
            severity="warning",
            label=f"{count} {'layer' if count == 1 else 'layers'}",
            help=(f"write `{_whole(segments)}` for all of them",),
        )


def _no_root(message: str, root: str, roots: Sequence[str]) -> Unmatched:
    close = nearest(root, (*roots, *KINDS, "fusion"))
    help: tuple[str, ...] = ()
    if root == "none":
        help = ("write `freeze nothing`, which takes back what a model freezes",)
    elif close:
        help = suggestion(root, close, "a component")
    return Unmatched(
        message=message,
        label="no component of this name",
        help=help,
        notes=(f"components are {', '.join(filter(None, roots))}",),
        root=close[0] if len(close) == 1 else None,
    )


def _parts(anatomy: Anatomy, root: str) -> tuple[str, ...]:
    if root == "heads":
        return tuple(sorted(head.name for head in anatomy.heads or every_head()))
    names = {
        leaf.address.split(".")[1].partition("[")[0]
        for leaf in anatomy.leaves
        if leaf.root == root and "." in leaf.address
    }
    return tuple(sorted(names))


def _whole(segments: tuple[Segment, ...]) -> str:
    return ".".join(segment.name for segment in segments)
