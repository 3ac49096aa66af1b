"""Findings for programs: one JSON document, the same shape for every verb.

`format_version` changes its first number when a reader would break; readers ignore fields they do
not know, and lists are never null. Lines and columns count from 1, offsets from 0, all in
characters (code points); ends are exclusive.
"""

import json
from collections.abc import Iterable
from typing import Any

from renaissance import __version__
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import Span
from renaissance.render.order import counts, ordered

FORMAT_VERSION = "1.0"


def envelope(
    command: str,
    /,
    *,
    ok: bool,
    diagnostics: Iterable[Diagnostic] = (),
    failures: Iterable[str] = (),
    **content: Any,
) -> dict[str, Any]:
    """Return the document of a verb.

    Args:
        command: the verb.
        ok: whether the answer is the good one; the exit code is 0.
        diagnostics: what was found in specs.
        failures: sentences about what could not be done at all, such as a file that is missing.
        content: what else the verb has to say, under its own names.
    """
    findings = ordered(diagnostics)
    errors, warnings = counts(findings)
    return {
        "format_version": FORMAT_VERSION,
        "tool": f"renaissance {__version__}",
        "command": command,
        "ok": ok,
        "summary": {
            "errors": errors,
            "warnings": warnings,
            "fixable": sum(bool(finding.edits) for finding in findings),
        },
        "diagnostics": [diagnostic_data(finding) for finding in findings],
        "failures": [{"message": message} for message in failures],
        **content,
    }


def diagnostic_data(finding: Diagnostic) -> dict[str, Any]:
    """Return one finding as plain data."""
    labels = [{"primary": True, "text": finding.label, **_place(finding.span)}]
    labels.extend(
        {"primary": False, "text": label.text, **_place(label.span)} for label in finding.related
    )
    fixes = [
        {
            "title": finding.help[0] if finding.help else finding.message,
            "edits": [
                {
                    "file": edit.span.source.name,
                    "start": edit.span.start,
                    "end": edit.span.end,
                    "text": edit.text,
                }
                for edit in finding.edits
            ],
        }
    ]
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "labels": labels,
        "notes": list(finding.notes),
        "help": list(finding.help),
        "fixes": fixes if finding.edits else [],
    }


def to_json(document: dict[str, Any]) -> str:
    """Return a document as text that ends with a line end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.source.name,
        "start": _position(span, span.start),
        "end": _position(span, span.end),
    }


def _position(span: Span, offset: int) -> dict[str, int]:
    line, column = span.source.position(offset)
    return {"line": line, "column": column, "offset": offset}
