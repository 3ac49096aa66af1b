"""Apply the changes that findings bring along."""

from collections.abc import Iterable

from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.source import Source

_FORM_AND_WORDS = ("VL0", "VL1", "VL4")
"""Codes of mistakes in form, names and values; what others suggest changes what is trained."""


def applicable(source: Source, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the errors whose changes can all be made in one file and mean nothing else, by place.

    Of findings whose changes touch each other, the first one; what is left is found again.
    """
    chosen: list[Diagnostic] = []
    taken: list[Edit] = []
    for finding in sorted(findings, key=lambda finding: finding.span.start):
        here = all(edit.span.source.name == source.name for edit in finding.edits)
        free = all(_apart(edit, other) for edit in finding.edits for other in taken)
        sure = finding.severity == "error" and finding.code.startswith(_FORM_AND_WORDS)
        if finding.edits and here and free and sure:
            chosen.append(finding)
            taken.extend(finding.edits)
    return tuple(chosen)


def fixed(source: Source, findings: Iterable[Diagnostic]) -> str:
    """Return the text of a file with the changes of findings that do not touch."""
    text = source.text
    edits = [edit for finding in findings for edit in finding.edits]
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _apart(edit: Edit, other: Edit) -> bool:
    return edit.span.end < other.span.start or other.span.end < edit.span.start
