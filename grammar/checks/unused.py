"""Names: declared and never used, or taken by the language."""

from renaissance.grammar.composition.findings import Findings
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.schema.declaration import Block
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import Kind, kind_of
from renaissance.grammar.source import Span


def check_unused(scope: Scope, findings: Findings) -> None:
    """Warn about names of the main file that nothing uses.

    A file without jobs is a library: its models and data are there for others.
    """
    for name, let in scope.lets.items():
        if scope.own(let) and name not in scope.used_lets:
            findings.add(_unused("value", name, let.name.span))
    if not any(scope.own(job) for job in scope.jobs.values()):
        return
    for what, declared, used in (
        ("model", scope.models, scope.used_models),
        ("data", scope.data, scope.used_data),
    ):
        for name, declaration in declared.items():
            if declaration.name and scope.own(declaration) and name not in used:
                findings.add(_unused(what, name, declaration.name.span))


def check_reserved(scope: Scope, findings: Findings) -> None:
    """Report named values whose name is a word of the language: it would never be looked up."""
    words = reserved_words()
    for name, let in scope.lets.items():
        if name in words:
            findings.add(
                Diagnostic(
                    code="VL106",
                    message=f"`{name}` cannot be the name of a value",
                    span=let.name.span,
                    label=f"is a word of the language: {words[name]}",
                )
            )


def reserved_words() -> dict[str, str]:
    """Return the words that stand for themselves as a value, and what each is."""
    words = {"none": "no value", "random": "a stack without weights"}
    seen: set[type[Block]] = set()
    for root in (Spec, Model):
        _collect(root, words, seen)
    return words


def _collect(block: type[Block], words: dict[str, str], seen: set[type[Block]]) -> None:
    if block in seen:
        return
    seen.add(block)
    for name, info in block.model_fields.items():
        _words(kind_of(info), name, words, seen)


def _words(kind: Kind, name: str, words: dict[str, str], seen: set[type[Block]]) -> None:
    for word in kind.words:
        words.setdefault(word, f"`{name} = {word}`")
    for word, block in kind.blocks.items():
        words.setdefault(word, f"a kind of {name.removesuffix('s')}")
        _collect(block, words, seen)
    for inner in (kind.item, kind.table):
        if inner is not None:
            _words(inner, name, words, seen)


def _unused(what: str, name: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code="VL110",
        message=f"{what} `{name}` is never used",
        span=span,
        severity="warning",
    )
