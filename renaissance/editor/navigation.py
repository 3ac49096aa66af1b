"""Where names are declared and used, and what a file consists of."""

from collections.abc import Iterable, Iterator, Mapping

from lsprotocol import types

from renaissance.editor.documents import Analysis
from renaissance.editor.owners import models_of, part_of
from renaissance.editor.places import Columns
from renaissance.editor.reading import Reading, Role
from renaissance.grammar import tree
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.source import Span

_SYMBOLS: Mapping[str, types.SymbolKind] = {
    "model": types.SymbolKind.Class,
    "data": types.SymbolKind.Array,
    "study": types.SymbolKind.Package,
    "let": types.SymbolKind.Constant,
    "backbone": types.SymbolKind.Field,
    "embed": types.SymbolKind.Field,
    "fusion": types.SymbolKind.Field,
}
"""Statements with a name; those that are none of them are jobs."""


def declaration_of(role: Role, scope: Scope) -> Span | None:
    """Return the name that a word refers to, or declares, where it is declared."""
    name = role.text
    if role.what == "address":
        name = role.address
    if role.what == "address" or role.family == "stream":
        part = part_of(scope, role.owner, name)
        return None if part is None or part.name is None else part.name.span
    known: Mapping[str, Mapping[str, tree.Declaration | tree.Let]] = {
        "model": scope.models,
        "data": scope.data,
        "job": scope.jobs,
        "study": scope.studies,
        "value": scope.lets,
    }
    found = known.get(role.family, {}).get(name)
    return None if found is None or found.name is None else found.name.span


def imported_at(analysis: Analysis, offset: int) -> str | None:
    """Return the spelling of the path that an import names at a place."""
    for statement in analysis.statements:
        if isinstance(statement, tree.Import):
            span = statement.path.span
            if span.start <= offset <= span.end:
                return statement.path.value
    return None


def occurrences(declared: Span, known: Iterable[Analysis]) -> Iterator[Span]:
    """Yield every place of a name, where it is declared included, in some files."""
    for analysis in known:
        reading = Reading(analysis.source.text, analysis.tokens, analysis.scope)
        for role in reading.roles:
            if not role.family and role.what != "address":
                continue
            found = declaration_of(role, analysis.scope)
            if found is not None and role.text == declared.text and _same(found, declared):
                token = role.token
                yield Span(source=analysis.source, start=token.start, end=token.end)


def symbols(analysis: Analysis, columns: Columns) -> list[types.DocumentSymbol]:
    """Return the statements of a file that have names, with those in them."""
    return list(_symbols(analysis.statements, columns))


def _symbols(
    statements: Iterable[tree.Statement], columns: Columns
) -> Iterator[types.DocumentSymbol]:
    for statement in statements:
        if not isinstance(statement, tree.Declaration | tree.Let) or statement.name is None:
            continue
        word = "let" if isinstance(statement, tree.Let) else statement.keyword.text
        body = None if isinstance(statement, tree.Let) else statement.body
        yield types.DocumentSymbol(
            name=statement.name.text,
            detail=word,
            kind=_SYMBOLS.get(word, types.SymbolKind.Function),
            range=columns.range(statement.span),
            selection_range=columns.range(statement.name.span),
            children=list(_symbols(body.statements if body else (), columns)),
        )


def parts_of_model(scope: Scope, owner: tuple[str, str]) -> dict[str, str]:
    """Return the statements that declare parts of a model, by the names of the parts."""
    found: dict[str, str] = {}
    for model in models_of(scope, owner):
        for statement in model.body.statements if model.body else ():
            part = isinstance(statement, tree.Declaration) and statement.name is not None
            if part and statement.keyword.text in ("backbone", "embed", "fusion"):  # type: ignore[union-attr]
                found.setdefault(statement.name.text, statement.keyword.text)  # type: ignore[union-attr]
    return found


def _same(one: Span, other: Span) -> bool:
    return (one.source.name, one.start) == (other.source.name, other.start)
