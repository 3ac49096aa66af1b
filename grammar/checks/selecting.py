"""What is wrong with a selector: it matches nothing, or reaches beyond the layers."""

from collections.abc import Iterator

from renaissance.grammar.anatomy.model import Anatomy, every_head
from renaissance.grammar.anatomy.selectors import KINDS, Segment, SelectorError, parse
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.names import listing, nearest
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


def no_match(word: str, selector: str, model: str, anatomy: Anatomy, span: Span) -> Diagnostic:
    """Return the finding that a selector matches nothing.

    Args:
        word: `freeze`, `adapt`, `scale_lr` or `decay_lr`.
        selector: as the file spells it.
        model: name of the model.
        anatomy: what the model consists of.
        span: of the selector.
    """
    code, what = _CODES[word]
    message = f"`{word}` {what} `{selector}` matches nothing in model `{model}`"
    try:
        segments = parse(selector)
    except SelectorError as error:
        return Diagnostic(code=code, message=message, span=span, label=str(error))
    root = segments[0].name
    if root not in anatomy.roots and root not in KINDS:
        return _no_root(code, message, root, anatomy, span)
    notes = []
    inside = _parts(anatomy, root)
    count = anatomy.layers(root)
    if inside:
        notes.append(f"`{root}` has {', '.join(inside)}")
        if count:
            notes.append(f"layers of `{root}` are counted from 0 to {count - 1}")
    notes.append(f"kinds are {', '.join(KINDS)}")
    sliced = any(segment.members is not None for segment in segments)
    wrong = segments[1].name if len(segments) > 1 else ""
    there = (*inside, *KINDS)
    close = nearest(wrong, there) if wrong and wrong not in there else ()
    if (meant := _PARTS.get(wrong)) in there:
        close = (meant,)
    return Diagnostic(
        code=code,
        message=message,
        span=span,
        label=f"{count} layer{'s' * (count != 1)}"
        if sliced and count and not close
        else "no such part",
        help=(f"a part with a similar name exists: `{root}.{close[0]}`",) if close else (),
        notes=tuple(notes),
    )


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


def _no_root(code: str, message: str, root: str, anatomy: Anatomy, span: Span) -> Diagnostic:
    close = nearest(root, (*anatomy.roots, *KINDS, "fusion"))
    edits: tuple[Edit, ...] = ()
    if len(close) == 1:
        first = Span(source=span.source, start=span.start, end=span.start + len(root))
        edits = (Edit(span=first, text=close[0]),)
    help: tuple[str, ...] = ()
    if root == "none":
        help = ("write `freeze nothing`, which takes back what a model freezes",)
    elif close:
        alone = len(close) == 1
        names = listing(close)
        help = (
            f"a component with a similar name exists: {names}"
            if alone
            else f"similar names: {names}",
        )
    return Diagnostic(
        code=code,
        message=message,
        span=span,
        label="no component of this name",
        help=help,
        notes=(f"components are {', '.join(filter(None, anatomy.roots))}",),
        edits=edits,
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
