"""`renaissance check`: find all mistakes of specs."""

import sys
from argparse import Namespace

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.files import find_specs
from renaissance.grammar.checks.data import absent_data
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.names import FEW, listing
from renaissance.grammar.source import SourceError, read_source
from renaissance.settings import settings_of


def run(arguments: Namespace) -> int:
    """Print what is wrong with each file, and a line that sums it up."""
    findings: list[Diagnostic] = []
    failures: list[str] = []
    settings = settings_of(arguments.settings)
    absent: dict[str, None] = {}
    paths = find_specs(arguments.files)
    for path in paths:
        try:
            found = resolve(read_source(path), settings=settings)
            findings.extend(found.diagnostics)
            absent.update(dict.fromkeys(() if found.spec is None else absent_data(found.spec)))
        except SourceError as error:
            failures.append(str(error))
    bad = any(finding.severity == "error" for finding in findings)
    code = NO_ANSWER if failures else NO if bad else FINE
    answer(arguments, code, diagnostics=findings, failures=failures, absent=list(absent))
    if arguments.format == "text" and len(paths) > len(failures):
        from renaissance.render.text import printable, render_summary

        said = "".join(finding.message for finding in findings if finding.code == "VL520")
        unsaid = [path for path in absent if f"`{path}`" not in said]
        if unsaid:
            sys.stderr.write(
                f"note: not there, seen from this folder: {printable(listing(unsaid, most=FEW))}; "
                "`renaissance data FILE --how` says what belongs there\n"
            )
        sys.stderr.write(render_summary(findings, len(paths) - len(failures)))
    return code
