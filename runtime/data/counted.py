"""How many images and texts an evaluation scores, where it scores each with each."""

from collections.abc import Mapping

from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.parts import Parts


def counted_pairs(spec: Spec, name: str) -> tuple[int, int] | None:
    """Return the images and texts of a job that scores each with each, as they lie there.

    Returns:
        None for other jobs, and where they cannot be read.
    """
    job, asked = spec.jobs[name], spec.data_job(name)
    if not isinstance(job, Evaluate) or not isinstance(asked, Finetune):
        return None
    if not asked.task.searches:
        return None
    try:
        part = Parts(spec, asked)[job.split]
    except (DataError, OSError):
        return None
    return len(part.images), len(part)


def every_counted(spec: Spec) -> Mapping[str, tuple[int, int]]:
    """Return the same by name of the jobs of a spec of which it is known."""
    found = {name: counted_pairs(spec, name) for name in spec.jobs}
    return {name: pairs for name, pairs in found.items() if pairs is not None}
