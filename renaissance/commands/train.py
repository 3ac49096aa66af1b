"""`renaissance train`: run the jobs of a spec; a run that was stopped goes on where it was."""

from argparse import Namespace

from renaissance.execution import execute_jobs, spec_meant
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.loading import load_with_warnings
from renaissance.settings import settings_of


def run(arguments: Namespace) -> int:
    """Run all jobs of a spec in order, or the one that is named."""
    path, job = spec_meant(arguments)
    spec, warnings = load_with_warnings(path, settings_of(arguments.settings))
    only = None if job is None else (job,)
    return execute_jobs(
        arguments, spec, path, only, fresh=arguments.fresh, warnings=map(_line, warnings)
    )


def _line(warning: Diagnostic) -> str:
    """Return a finding in one line."""
    line, column = warning.span.source.position(warning.span.start)
    place = f"{warning.span.source.name}:{line}:{column}"
    return f"warning[{warning.code}] {place}: {warning.message}"
