"""Explain what is wrong with a study: its factors, their levels, its cells."""

from collections.abc import Iterable, Mapping

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import misplaced
from renaissance.grammar.composition.study_levels import Override
from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.names import listing, suggestion
from renaissance.grammar.source import Span


def came_along(factor: str, level: tree.Name, other: tree.Name, extra: Override) -> Diagnostic:
    """Explain a level that states a key which another level of its factor does not state."""
    return Diagnostic(
        code="VL601",
        message=f"level `{level.text}` of factor `{factor}` also sets `{extra.spelled}`",
        span=extra.place,
        label=f"level `{other.text}` does not state it",
        related=(Label(span=other.span, text="states other keys"),),
        help=(
            f"state `{extra.spelled}` in every level of `{factor}`, make it a factor of its own, "
            "or leave it out",
        ),
        notes=("levels that differ in more than one thing do not say which one made a difference",),
    )


def factor_without_word(name: tree.Name) -> Diagnostic:
    """Explain a factor in front of which its word is missing."""
    start = Span(source=name.span.source, start=name.span.start, end=name.span.start)
    return Diagnostic(
        code="VL410",
        message=f"`{name.text}` does not say what it is to the study",
        span=name.span,
        label="has levels",
        help=(f"write `factor {name.text} {{ … }}`",),
        edits=(Edit(span=start, text="factor "),),
    )


def no_level(statement: tree.Statement, factor: tree.Name) -> Diagnostic:
    """Explain a statement in a factor that is no level of it."""
    help = "a level is a name with braces: `vision { … }`"
    match statement:
        case tree.Assignment(address=tree.Address(parts=(tree.Name(text=name),)), value=value):
            help = f"a level is a name with what it sets: `{name} {{ {factor.text} = … }}`"
            if isinstance(value, tree.Number | tree.Percentage | tree.Text | tree.Boolean):
                help = help.replace("…", value.span.text)
    return misplaced(statement, "not a level", help)


def same_levels(factor: str, first: tree.Name, second: tree.Name) -> Diagnostic:
    """Explain two levels of a factor that make the same spec."""
    return Diagnostic(
        code="VL602",
        message=f"levels `{first.text}` and `{second.text}` of factor `{factor}` are the same",
        span=second.span,
        label="differs in nothing",
        related=(Label(span=first.span, text="means the same"),),
        help=("leave one of them out",),
    )


def set_by_two(first: str, second: str, one: Override, other: Override) -> Diagnostic:
    """Explain a key that two factors set."""
    return Diagnostic(
        code="VL603",
        message=f"factors `{first}` and `{second}` both set `{other.spelled}`",
        span=other.place,
        label="only one of them can count",
        help=("let one factor set it, with a level for each value",),
        related=(Label(span=one.place, text=f"set by `{first}`"),),
    )


def decided_by_study(key: str, what: str, span: Span, decided: Span) -> Diagnostic:
    """Explain a level that sets what the study itself says."""
    return Diagnostic(
        code="VL604",
        message=f"a level sets `{key}`, which the study decides",
        span=span,
        related=(Label(span=decided, text=f"`{what}` of the study"),),
        help=(f"leave out `{what}`, or `{key}` here",) if what != "seeds" else (),
    )


def seed_twice(seed: int, first: Span, second: Span) -> Diagnostic:
    """Explain a seed with which every variant would run twice."""
    return Diagnostic(
        code="VL404",
        message=f"seed {seed} stands twice",
        span=second,
        label="runs nothing more",
        help=("leave it out",),
        related=(Label(span=first, text="the same one"),),
    )


def unequal_steps(job: str, variant: str, budget: Span, place: Span) -> Diagnostic:
    """Explain a budget of steps that cells do not keep."""
    return Diagnostic(
        code="VL604",
        message=f"job `{job}` does not take equal steps in every cell",
        span=budget,
        label="says that it does",
        related=(Label(span=place, text="its length follows from what differs"),),
        help=(f"state `steps` for job `{job}`",),
        notes=(f"it differs from the baseline in the cell `{variant}`",),
    )


def no_cells(span: Span, message: str, label: str, *notes: str, help: str = "") -> Diagnostic:
    """Explain a grid of which nothing, or too much, is left."""
    return Diagnostic(
        code="VL605",
        message=message,
        span=span,
        label=label,
        notes=notes,
        help=(help,) if help else (),
    )


def other_job(override: Override, jobs: tuple[str, ...], of: Span) -> Diagnostic:
    """Explain a level that changes a job which the study does not run."""
    return Diagnostic(
        code="VL606",
        message=f"job `{override.name}` is no part of the study",
        span=override.place,
        label="changes nothing here",
        related=(Label(span=of, text="the jobs that it runs"),),
        help=(f"leave it out, or name `{override.name}` in `of`",),
        notes=(f"it runs {listing(jobs)}",),
    )


def unknown(what: str, name: str, span: Span, known: tuple[str, ...]) -> Diagnostic:
    """Explain the name of a factor, a level or a job that there is not."""
    return Diagnostic(
        code="VL104",
        message=f"there is no {what} named `{name}`",
        span=span,
        help=suggestion(name, known, f"a {what}"),
        notes=(f"there is {listing(known)}",) if known else (),
    )


def other_order(span: Span, levels: tuple[str, ...]) -> Diagnostic:
    """Explain a baseline that names its levels in another order than that of the factors."""
    meant = f"[{', '.join(levels)}]"
    return Diagnostic(
        code="VL404",
        message="`baseline` names levels in the order of their factors",
        span=span,
        label="in another order",
        help=(f"write `baseline = {meant}`",),
        edits=(Edit(span=span, text=meant),),
    )


def one_level_each(span: Span, factors: Mapping[str, Iterable[str]]) -> Diagnostic:
    """Explain a baseline that does not name one level of each factor.

    Args:
        span: of what it names.
        factors: the levels of each factor, in order.
    """
    levels = [next(iter(levels), "LEVEL") for levels in factors.values()]
    return Diagnostic(
        code="VL404",
        message="`baseline` takes a level of each factor",
        span=span,
        label=f"of {listing(factors, between=' and ')}" if factors else "",
        help=(f"such as `baseline = [{', '.join(levels)}]`",),
        notes=tuple(f"levels of `{name}` are {listing(known)}" for name, known in factors.items()),
    )
