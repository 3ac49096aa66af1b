"""`renaissance eval`: measure trained models, again if they were measured before."""

from argparse import Namespace

from renaissance.answer import NO_ANSWER, answer
from renaissance.execution import evaluations, execute_jobs, spec_meant
from renaissance.grammar import load
from renaissance.grammar.names import listing
from renaissance.settings import settings_of


def run(arguments: Namespace) -> int:
    """Run the evaluations of a spec: all, the one that is named, or those of the named job."""
    path, job = spec_meant(arguments)
    spec = load(path, settings_of(arguments.settings))
    names = evaluations(spec, job)
    if not names:
        known = listing(evaluations(spec, None))
        what = "the spec" if job is None else f"job `{job}`"
        failure = f"there is no evaluation of {what}; evaluations are {known}"
        return answer(arguments, NO_ANSWER, failures=[failure])
    return execute_jobs(arguments, spec, path, names, again=True)
