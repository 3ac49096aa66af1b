"""Findings as SARIF 2.1.0, which code hosts and editors read."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from renaissance import __version__
from renaissance.grammar.codes import codes, explanation
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.source import Span
from renaissance.render.order import ordered


def sarif(diagnostics: Iterable[Diagnostic], failures: Iterable[str] = ()) -> dict[str, Any]:
    """Return the SARIF document of a run; `failures` are sentences about what was not read."""
    findings = ordered(diagnostics)
    documented = set(codes())
    rules = sorted({finding.code for finding in findings})
    notifications = [{"level": "error", "message": {"text": text}} for text in failures]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "renaissance",
                        "version": __version__,
                        "rules": [
                            _rule(code) if code in documented else {"id": code} for code in rules
                        ],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": not notifications,
                        "toolExecutionNotifications": notifications,
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, rules.index(finding.code)) for finding in findings],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    page = explanation(code)
    return {
        "id": code,
        "shortDescription": {"text": page.title},
        "help": {"text": page.text, "markdown": page.text},
    }


def _result(finding: Diagnostic, rule: int) -> dict[str, Any]:
    message = "\n".join(
        [
            finding.message,
            *(f"help: {text}" for text in finding.help),
            *(f"note: {text}" for text in finding.notes),
        ]
    )
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": message},
        "locations": [_location(finding.span)],
        "relatedLocations": [
            {"id": number, **_location(label.span), "message": {"text": label.text}}
            for number, label in enumerate(finding.related, 1)
        ],
    }
    if finding.edits:
        description = finding.help[0] if finding.help else finding.message
        result["fixes"] = [
            {
                "description": {"text": description},
                "artifactChanges": [_change(edit) for edit in finding.edits],
            }
        ]
    return result


def _change(edit: Edit) -> dict[str, Any]:
    replacement = {
        "deletedRegion": _region(edit.span),
        "insertedContent": {"text": edit.text},
    }
    return {"artifactLocation": _artifact(edit.span), "replacements": [replacement]}


def _location(span: Span) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": _artifact(span), "region": _region(span)},
    }


def _artifact(span: Span) -> dict[str, str]:
    return {"uri": quote(span.source.name)}


def _region(span: Span) -> dict[str, int]:
    start_line, start_column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "startLine": start_line,
        "startColumn": start_column,
        "endLine": end_line,
        "endColumn": end_column,
        "charOffset": span.start,
        "charLength": span.end - span.start,
    }
