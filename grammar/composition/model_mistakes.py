"""Explain what is wrong with the statements of a model."""

from collections.abc import Iterable, Sequence

from renaissance.grammar import tree
from renaissance.grammar.anatomy.selectors import KINDS
from renaissance.grammar.composition.drafts import misplaced, plain_text
from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.names import listing, suggestion, with_article
from renaissance.grammar.record import replace
from renaissance.grammar.source import Span

RESERVED = frozenset({"fusion", "pool", "heads", "layers", "nothing", "none", *KINDS})
"""Names that streams and fusions cannot have: they mean something else in an address."""

_NAMED = {"fusion": "fusion joint", "backbone": "backbone text", "embed": "embed text"}
_THIRD_PERSON = {"freeze": "freezes", "adapt": "adapts"}


def empty(name: tree.Name) -> Diagnostic:
    """Explain a model that says nothing."""
    return Diagnostic(
        code="VL311",
        message=f"model `{name.text}` is empty",
        span=name.span,
        help=("braces hold its backbones and its fusion",),
    )


def extends_itself(name: str, relations: Sequence[tree.Relation]) -> Diagnostic:
    """Explain models that extend one another in a circle, the relation that closes it last."""
    *others, last = relations
    return Diagnostic(
        code="VL107",
        message=f"model `{name}` extends itself",
        span=last.target.span,
        label="closes the circle",
        related=tuple(Label(span=relation.span, text="extends the next") for relation in others),
        help=("let one of them extend nothing, or another one",),
    )


def not_extending(relation: tree.Relation, parent: tree.Relation | None) -> Diagnostic:
    """Explain a relation of a model that is none of models, or a second one."""
    finding = _not_here(relation, "a model extends one other model")
    if relation is not parent:
        return finding
    edit = Edit(span=relation.word.span, text="extends")
    return replace(finding, help=(f"write `extends {relation.target.text}`",), edits=(edit,))


def relates_to_nothing(relation: tree.Relation, word: str) -> Diagnostic:
    """Explain a relation of a stream or a fusion."""
    return _not_here(relation, f"`{word}` relates to nothing")


def _not_here(relation: tree.Relation, label: str) -> Diagnostic:
    return Diagnostic(
        code="VL410",
        message=f"`{relation.word.text} {relation.target.text}` does not belong here",
        span=relation.span,
        label=label,
    )


def beside_nothing(word: str, nothing: tree.Freeze, other: tree.Freeze) -> Diagnostic:
    """Explain a directive that takes back what a parent says beside another one.

    Args:
        word: `freeze` or `adapt`.
        nothing: the directive that selects nothing.
        other: the other one.
    """
    return Diagnostic(
        code="VL208",
        message=f"`{word} nothing` stands beside another `{word}`",
        span=nothing.span,
        related=(Label(span=other.span, text=f"{_THIRD_PERSON[word]} as well"),),
        help=("leave one of them out",),
        notes=(f"`{word} nothing` takes back what a parent says",),
    )


def no_part(statement: tree.Statement) -> Diagnostic:
    """Explain a statement that no model has."""
    word = statement.keyword.text if isinstance(statement, tree.Declaration) else ""
    home = {"objective": "`pretrain`", "optimizer": "a job", "schedule": "a job"}.get(word)
    help = (f"it belongs in {home}",) if home else ()
    return misplaced(statement, "not part of a model", *help)


def only_keys(statement: tree.Declaration) -> Diagnostic:
    """Explain a stream or a fusion of another kind in a job."""
    return misplaced(
        statement,
        "a job overrides keys and freezing",
        "declare the other architecture as a model of its own, with `extends`",
    )


def no_name(word: tree.Name) -> Diagnostic:
    """Explain a stream or a fusion without a name."""
    return Diagnostic(
        code="VL112",
        message=f"`{word.text}` has no name",
        span=word.span,
        help=(f"write `{_NAMED[word.text]} = …`",),
    )


def reserved(name: tree.Name) -> Diagnostic:
    """Explain a name that streams and fusions cannot have."""
    return Diagnostic(
        code="VL106",
        message=f"`{name.text}` cannot be the name of a stream or a fusion",
        span=name.span,
        label="means something else in an address",
        help=("choose another name",),
        notes=(f"reserved are {listing(sorted(RESERVED))}",),
    )


def defined_twice(name: tree.Name, first: Span) -> Diagnostic:
    """Explain a name that the same model has given already."""
    return Diagnostic(
        code="VL105",
        message=f"`{name.text}` is defined twice in this model",
        span=name.span,
        label="defined again",
        related=(Label(span=first, text="first defined here"),),
        help=("choose another name, or leave one of them out",),
    )


def second_fusion(name: tree.Name, first: Span) -> Diagnostic:
    """Explain a fusion beside another one."""
    return Diagnostic(
        code="VL311",
        message="a model has one fusion",
        span=name.span,
        label="a second one",
        related=(Label(span=first, text="the first one"),),
    )


def no_block(span: Span, word: str, encoder: str | None, *, sure: bool) -> Diagnostic:
    """Explain a value of a stream or a fusion that is no block.

    Args:
        span: of the value.
        word: that the stream or fusion is declared by.
        encoder: how the encoder is written that the value names; None where it names none.
        sure: the value itself names it, not what a `let` gives a name.
    """
    takes = f"`{word}` takes a block"
    example = ', such as `timm("…") { … }`' if word == "backbone" else ""
    return Diagnostic(
        code="VL404",
        message=takes + example,
        span=span,
        help=(f"write `{encoder}`",) if encoder else (),
        edits=(Edit(span=span, text=encoder),) if encoder and sure else (),
    )


def nothing_to_override(
    name: tree.Name, word: str, known: Iterable[str], *, parent: bool
) -> Diagnostic:
    """Explain keys of a stream or a fusion that is not there.

    Args:
        name: of what is not there.
        word: that it is declared by.
        known: names that are there.
        parent: the model extends another one, or is that of a job.
    """
    what = "fusion" if word == "fusion" else "stream"
    message = f"there is no {what} `{name.text}` to override"
    if not parent:
        return Diagnostic(
            code="VL108",
            message=message,
            span=name.span,
            label="this model extends no other",
            help=(f"write `{word} {name.text} = …`",),
        )
    known = tuple(known)
    return Diagnostic(
        code="VL108",
        message=message,
        span=name.span,
        help=suggestion(name.text, known, with_article(what)),
        notes=(f"the model has {listing(known)}",),
    )


def no_component(root: tree.Name, known: Sequence[str]) -> Diagnostic:
    """Explain an override by an address of which the model has not the first name."""
    return Diagnostic(
        code="VL108",
        message=f"there is no `{root.text}` to override",
        span=root.span,
        help=suggestion(root.text, known, "a component"),
        notes=(f"the model has {listing(known)}",),
    )


def no_address_of_a_key(address: tree.Address) -> Diagnostic:
    """Explain an override of layers."""
    return Diagnostic(
        code="VL108",
        message=f"`{plain_text(address)}` is not the address of a key",
        span=address.span,
        notes=("layers of a stack have no keys of their own",),
    )
