"""Findings in the order of their places, each once."""

from collections.abc import Iterable

from renaissance.grammar.diagnostics import Diagnostic


def ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return findings sorted by file and place; one that was made twice appears once."""
    unique: dict[tuple[str, int, str, int, str], Diagnostic] = {}
    for diagnostic in diagnostics:
        span = diagnostic.span
        key = (span.source.name, span.start, diagnostic.code, span.end, diagnostic.message)
        unique.setdefault(key, diagnostic)
    return [unique[key] for key in sorted(unique)]


def counts(diagnostics: Iterable[Diagnostic]) -> tuple[int, int]:
    """Return how many errors and how many warnings there are."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    return severities.count("error"), severities.count("warning")
