"""Which model a part's name belongs to, by what a file declares: also where it has mistakes."""

from collections.abc import Iterator

from renaissance.grammar import tree
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.declaration import Block
from renaissance.grammar.kinds.registry import KindError, schema

_FAMILIES = {"backbone": "source", "embed": "source", "fusion": "fusion"}


def job_of(scope: Scope, name: str) -> tree.Declaration | None:
    """Return the declaration of a job."""
    return scope.jobs.get(name)


def related(declaration: tree.Declaration, *words: str) -> str | None:
    """Return the name behind the first of some relations that a declaration has."""
    found = {relation.word.text: relation.target.text for relation in declaration.relations}
    return next((found[word] for word in words if word in found), None)


def models_of(scope: Scope, owner: tuple[str, str]) -> Iterator[tree.Declaration]:
    """Yield the declarations of a model from the nearest to the one that it comes from.

    Args:
        scope: what is declared.
        owner: statement and name: a model, or a job or a study that has one.
    """
    word, name = owner
    seen: set[tuple[str, str]] = set()
    while (word, name) not in seen:
        seen.add((word, name))
        known = {"model": scope.models, "study": scope.studies}.get(word, scope.jobs)
        declaration = known.get(name)
        if declaration is None:
            return
        if word == "model":
            yield declaration
        name = _comes_from(word, declaration) or ""
        word = "model" if word == "model" or related(declaration, "on") else "job"


def _comes_from(word: str, declaration: tree.Declaration) -> str | None:
    """Return the model or the job that leads on to the model of a statement."""
    if word == "study":
        return _first_job(declaration)
    return related(
        declaration, *(("extends",) if word == "model" else ("on", "from", "of", "extends"))
    )


def part_of(scope: Scope, owner: tuple[str, str], name: str) -> tree.Declaration | None:
    """Return the statement that declares a stream or the fusion, with its value.

    In addresses the fusion may also be called `fusion`.
    """
    if name in ("backbone", "embed"):
        return None
    first: tree.Declaration | None = None
    for model in models_of(scope, owner):
        for statement in model.body.statements if model.body else ():
            if (
                isinstance(statement, tree.Declaration)
                and statement.name is not None
                and name in (statement.name.text, statement.keyword.text)
            ):
                if statement.value is not None:
                    return statement
                first = first or statement
    return first


def block_of_stream(scope: Scope, owner: tuple[str, str], name: str) -> type[Block] | None:
    """Return the class of what a stream or a fusion is."""
    part = part_of(scope, owner, name)
    if part is None or part.value is None:
        return None
    match part.value:
        case tree.Call(function=function):
            word = function.text
        case tree.Address(parts=(tree.Name(text=word),)):
            pass
        case _:
            return None
    try:
        return schema(_FAMILIES.get(part.keyword.text, "source"), word)
    except KindError:
        return None


def _first_job(study: tree.Declaration) -> str | None:
    """Return the first job that a study runs."""
    for statement in study.body.statements if study.body else ():
        named = isinstance(statement, tree.Assignment) and statement.address.span.text == "of"
        if named and isinstance(statement, tree.Assignment):
            for address in getattr(statement.value, "items", ()):
                return str(address.span.text)
    return None
