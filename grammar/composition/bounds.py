"""Make a block of the schema of its values, and say which of them are out of range."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from renaissance.grammar.declaration import Block, Share
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.places import Path, Places
from renaissance.grammar.source import Span
from renaissance.grammar.spelling import number_text

_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
"""Words for a bound, and where pydantic keeps it, by the type of its error."""


def within_bounds(
    block: type[Block],
    values: Mapping[str, Any],
    path: Path,
    where: Span,
    places: Places,
    findings: Findings,
    only: str | None = None,
) -> Block | None:
    """Return a block; None if a finding says which value it cannot have.

    Args:
        block: class of the schema.
        values: by the names of its fields.
        path: where the block stands in the spec.
        where: place to report values at that no file says.
        places: where everything was said.
        findings: receives what is wrong.
        only: the one field that matters, where others are missing.
    """
    try:
        return block.model_validate(values)
    except ValidationError as error:
        problems = [problem for problem in error.errors() if problem["type"] != "missing"]
        # Of a key that takes several kinds of value, the kind that it has says what is wrong.
        problems.sort(key=lambda problem: problem["type"] not in _LIMITS)
        seen: set[str] = set()
        for problem in problems:
            location = problem["loc"]
            name = str(location[0]) if location else ""
            if (only is not None and name != only) or name in seen:
                continue
            seen.add(name)
            findings.add(_explained(name, problem, path, where, places))
        return None


def _explained(name: str, problem: Any, path: Path, where: Span, places: Places) -> Diagnostic:
    context = problem.get("ctx", {})
    inside = (*path, *problem["loc"])
    span = places.value(inside if places.said(inside) else (*path, name)) or where
    # A factor of a table is called by its address.
    last = problem["loc"][-1] if problem["loc"] and places.said(inside) else name
    shown = last if isinstance(last, str) else name
    if problem["type"] in _LIMITS:
        words, bound = _LIMITS[problem["type"]]
        label = f"{words} {_limit(context[bound], problem['input'])} is wanted"
        message = f"`{shown}` is out of range"
    elif problem["type"] == "too_short":
        label, message = "empty", f"`{name}` needs at least {context['min_length']} entry"
    else:
        label, message = "", f"`{name}`: {problem['msg'].removeprefix('Value error, ')}"
    return Diagnostic(code="VL405", message=message, span=span, label=label)


def _limit(bound: float, value: object) -> str:
    """Return a bound as a file would spell it."""
    if isinstance(value, Share):
        return Share(bound).spelling
    return f"{bound:_}" if isinstance(bound, int) and bound >= 100_000 else number_text(bound)
