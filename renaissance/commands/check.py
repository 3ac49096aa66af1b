"""`renaissance check`: find all mistakes of specs."""

import sys
from argparse import Namespace

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.files import find_specs
from renaissance.grammar.check import check
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import SourceError, read_source


def run(arguments: Namespace) -> int:
    """Print what is wrong with each file, and a line that sums it up."""
    findings: list[Diagnostic] = []
    failures: list[str] = []
    paths = find_specs(arguments.files)
    for path in paths:
        try:
            findings.extend(check(read_source(path)))
        except SourceError as error:
            failures.append(str(error))
    bad = any(finding.severity == "error" for finding in findings)
    code = NO_ANSWER if failures else NO if bad else FINE
    answer(arguments, code, diagnostics=findings, failures=failures)
    if arguments.format == "text" and len(paths) > len(failures):
        from renaissance.render.text import render_summary

        sys.stderr.write(render_summary(findings, len(paths) - len(failures)))
    return code
