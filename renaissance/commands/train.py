"""`renaissance train`: run the jobs of a spec; a run that was stopped goes on where it was."""

from argparse import Namespace

from renaissance.execution import execute_jobs, meant
from renaissance.grammar import load
from renaissance.settings import settings_of


def run(arguments: Namespace) -> int:
    """Run all jobs of a spec in order, or the one that is named."""
    path, job = meant(arguments.file)
    spec = load(path, settings_of(arguments.settings))
    only = None if job is None else (job,)
    return execute_jobs(arguments, spec, path, only, fresh=arguments.fresh)
