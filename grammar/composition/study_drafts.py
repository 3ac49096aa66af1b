"""Studies as their blocks state them: keys, factors with levels, cells that are taken out."""

from dataclasses import dataclass, field

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import Setting, misplaced, plain_text, put
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.composition.study_mistakes import (
    factor_without_word,
    no_cells,
    no_level,
    unknown,
)
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.record import Record, replace
from renaissance.grammar.source import Span

_LISTS = ("of", "baseline", "seeds", "report")


class FactorDraft(Record):
    """A factor: its name, and its levels by name."""

    name: tree.Name
    levels: dict[str, tree.Declaration]


class Filter(Record):
    """`only { … }` or `except { … }`: cells that have one of the levels of each factor named."""

    word: tree.Name
    levels: dict[str, tuple[str, ...]]

    def matches(self, cell: dict[str, str]) -> bool:
        """Tell whether a cell has one of the levels of each factor."""
        return all(cell[factor] in levels for factor, levels in self.levels.items())


@dataclass(slots=True, kw_only=True)
class StudyDraft:
    """A study as its block states it.

    Attributes:
        name: place and text of its name.
        keys: what it sets.
        factors: by name, in order.
        filters: `only` and `except`.
        broken: part of the block could not be read.
    """

    name: tree.Name
    keys: dict[str, Setting] = field(default_factory=dict)
    factors: dict[str, FactorDraft] = field(default_factory=dict)
    filters: list[Filter] = field(default_factory=list)
    broken: bool = False


def draft_study(declaration: tree.Declaration, scope: Scope, findings: Findings) -> StudyDraft:
    """Return what the block of a study states, with what is set from outside."""
    assert declaration.name is not None
    draft = StudyDraft(name=declaration.name)
    body = declaration.body
    draft.broken = body is None or body.broken
    filters: list[tree.Declaration] = []
    for statement in body.statements if body else ():
        match statement:
            case tree.Assignment(address=address):
                value = _listed(address, statement.value)
                put(draft.keys, address.span, plain_text(address), value, findings)
            case tree.Declaration(keyword=tree.Name(text="factor")):
                _factor(draft, statement, findings)
            case tree.Declaration(keyword=tree.Name(text="only" | "except"), name=None):
                filters.append(statement)
            case tree.Declaration(keyword=name, name=None, body=tree.Body(statements=levels)) if (
                len(levels) > 1 and all(map(_is_level, levels))
            ):
                findings.add(factor_without_word(name))
                _factor(draft, replace(statement, name=name), findings)
            case _:
                findings.add(
                    misplaced(
                        statement,
                        "not part of a study",
                        "a study has keys, `factor NAME { … }`, `only { … }` and `except { … }`",
                        known=("only", "except", "factor"),
                    )
                )
                draft.broken = True
    for outside in scope.settings_of("study", draft.name.text):
        for setting in outside.statements:
            if isinstance(setting, tree.Assignment):
                key = plain_text(setting.address)
                value = _listed(setting.address, setting.value)
                draft.keys[key] = Setting(place=setting.address.span, value=value)
    for statement in filters:
        _filter(draft, statement, findings)
    return draft


def _listed(address: tree.Address, value: tree.Value) -> tree.Value:
    """Return a list of one where a key takes a list and one value stands alone."""
    if plain_text(address) not in _LISTS or not isinstance(value, tree.Address | tree.Number):
        return value
    return tree.Sequence(span=value.span, items=(value,))


def _is_level(statement: tree.Statement) -> bool:
    return isinstance(statement, tree.Declaration) and statement.name is None


def _factor(draft: StudyDraft, statement: tree.Declaration, findings: Findings) -> None:
    name = statement.name
    assert name is not None
    draft.broken |= statement.body is None or statement.body.broken
    levels: dict[str, tree.Declaration] = {}
    for level in statement.body.statements if statement.body else ():
        if not isinstance(level, tree.Declaration) or level.name is not None or level.value:
            findings.add(no_level(level, name))
            draft.broken = True
        elif level.keyword.text in levels:
            findings.add(_twice("level", level.keyword, levels[level.keyword.text].keyword))
        else:
            levels[level.keyword.text] = level
    if name.text in draft.factors:
        findings.add(_twice("factor", name, draft.factors[name.text].name))
        return
    draft.factors[name.text] = FactorDraft(name=name, levels=levels)
    if len(levels) < 2 and not draft.broken:
        findings.add(
            no_cells(name.span, f"factor `{name.text}` has fewer than two levels", "varies nothing")
        )


def _filter(draft: StudyDraft, statement: tree.Declaration, findings: Findings) -> None:
    chosen: dict[str, tuple[str, ...]] = {}
    sound = True
    for inner in statement.body.statements if statement.body else ():
        if not isinstance(inner, tree.Assignment):
            findings.add(misplaced(inner, "levels of factors stand here: `freeze = both`"))
            continue
        name = plain_text(inner.address)
        factor = draft.factors.get(name)
        if draft.broken or name in draft.keys:
            continue  # a factor or a level may be what could not be read
        if factor is None:
            findings.add(unknown("factor", name, inner.address.span, tuple(draft.factors)))
            sound = False
            continue
        values = inner.value.items if isinstance(inner.value, tree.Sequence) else (inner.value,)
        levels = tuple((value.span.text, value.span) for value in values)
        for level, span in levels:
            sound &= known_level(level, span, factor, findings)
        chosen[name] = tuple(level for level, _ in levels)
    if sound and chosen:
        draft.filters.append(Filter(word=statement.keyword, levels=chosen))


def known_level(level: str, span: Span, factor: FactorDraft, findings: Findings) -> bool:
    """Tell whether a factor has a level; report it if not."""
    if level in factor.levels:
        return True
    findings.add(unknown(f"level of `{factor.name.text}`", level, span, tuple(factor.levels)))
    return False


def _twice(what: str, name: tree.Name, first: tree.Name) -> Diagnostic:
    return Diagnostic(
        code="VL105",
        message=f"{what} `{name.text}` is defined twice",
        span=name.span,
        label="defined again",
        related=(Label(span=first.span, text="first defined here"),),
        help=("choose another name, or leave one of them out",),
    )
