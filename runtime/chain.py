"""Which job starts from which: the order they run in, and what is made from what."""

from collections.abc import Iterable

from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec


def source_of(spec: Spec, name: str) -> str | None:
    """Return the job whose weights a job starts from or measures; None if there is none."""
    job = spec.jobs[name]
    if isinstance(job, Evaluate):
        return job.of
    return job.source if isinstance(job, Finetune) else None


def chain_of(spec: Spec, name: str) -> tuple[str, ...]:
    """Return a job and those that it starts from, the nearest first."""
    chain = [name]
    while (source := source_of(spec, chain[-1])) is not None:
        chain.append(source)
    return tuple(chain)


def sources_first(spec: Spec, names: Iterable[str]) -> tuple[str, ...]:
    """Return names of jobs, each after the one that it starts from."""
    wanted = dict.fromkeys(names)
    ordered: dict[str, None] = {}
    for name in wanted:
        ordered |= dict.fromkeys(job for job in reversed(chain_of(spec, name)) if job in wanted)
    return tuple(ordered)


def with_dependents(spec: Spec, names: Iterable[str]) -> tuple[str, ...]:
    """Return names of jobs and of all that start from them, directly or not, sources first."""
    found = set(names)
    ordered = sources_first(spec, spec.jobs)
    for name in ordered:
        if source_of(spec, name) in found:
            found.add(name)
    return tuple(name for name in ordered if name in found)
