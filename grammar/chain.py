"""Which job starts from which: the order they run in, and what is made from what."""

from collections.abc import Iterable, Mapping

from renaissance.grammar.schema.jobs import Evaluate, Job

Jobs = Mapping[str, Job | None]
"""Jobs by name; None for one that could not be read."""


def source_of(jobs: Jobs, name: str) -> str | None:
    """Return the job whose weights a job starts from or measures; None if there is none."""
    job = jobs.get(name)
    if isinstance(job, Evaluate):
        return job.of
    return None if job is None else job.source


def chain_of(jobs: Jobs, name: str) -> tuple[str, ...]:
    """Return a job and those that it starts from, the nearest first.

    In a file with mistakes the chain ends at a job that could not be read, is not there, or stands
    in the chain already.
    """
    chain: dict[str, None] = {}
    step: str | None = name
    while step is not None and step not in chain and jobs.get(step) is not None:
        chain[step] = None
        step = source_of(jobs, step)
    return tuple(chain)


def sources_first(jobs: Jobs, names: Iterable[str]) -> tuple[str, ...]:
    """Return names of jobs, each after the one that it starts from."""
    wanted = dict.fromkeys(names)
    ordered: dict[str, None] = {}
    for name in wanted:
        ordered |= dict.fromkeys(job for job in reversed(chain_of(jobs, name)) if job in wanted)
    return tuple(ordered)


def with_dependents(jobs: Jobs, names: Iterable[str]) -> tuple[str, ...]:
    """Return names of jobs and of all that start from them, directly or not, sources first."""
    found = set(names)
    ordered = sources_first(jobs, jobs)
    for name in ordered:
        if source_of(jobs, name) in found:
            found.add(name)
    return tuple(name for name in ordered if name in found)
