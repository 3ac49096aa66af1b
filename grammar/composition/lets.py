"""Follow named values, `let width = 256`, to what they stand for."""

from collections.abc import Callable

from renaissance.grammar import tree
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings


def follow(
    value: tree.Value,
    scope: Scope,
    findings: Findings,
    keep: Callable[[str], bool] = lambda name: False,
) -> tree.Value | None:
    """Return what a value stands for: itself, unless it is the name of another one.

    Args:
        value: as a file states it.
        scope: where names are looked up.
        findings: told of a name that stands for itself, for which None is returned.
        keep: tells of names of values whether they mean something else where the value stands.
    """
    seen: dict[str, tree.Let] = {}
    while isinstance(value, tree.Address) and len(value.parts) == 1:
        name = value.parts[0]
        let = scope.lets.get(name.text) if isinstance(name, tree.Name) else None
        if let is None or not isinstance(name, tree.Name) or keep(name.text):
            return value
        scope.used_lets.add(name.text)
        if name.text in seen:
            findings.add(
                Diagnostic(
                    code="VL111",
                    message=f"the value of `{name.text}` depends on itself",
                    span=let.name.span,
                    related=tuple(
                        Label(span=step.value.span, text=f"`{other}` is defined by this")
                        for other, step in seen.items()
                    ),
                    help=("give one of them a value of its own",),
                )
            )
            return None
        seen[name.text] = let
        value = let.value
    return value
