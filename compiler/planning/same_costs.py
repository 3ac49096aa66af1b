"""Which jobs cost the same, so that one plan serves them all."""

import json
from typing import Any

from renaissance.compiler.planning.stages import SUPPOSED, steps_of_job
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec

_NAMES = ("name", "source", "of", "seed")
_LENGTH = ("steps", "epochs")
_OF_MEASURING = ("split", "write", "trained_on")


def same_costs(spec: Spec, name: str, *, length: bool) -> str:
    """Return a text that is the same for jobs whose steps cost the same.

    Args:
        spec: the whole experiment.
        name: of the job.
        length: jobs of different lengths are told apart, even where they have the same stages.
    """
    job, training, declared = spec.jobs[name], spec.training_job(name), spec.model_of(name)
    left_out = _NAMES if length else (*_NAMES, *_LENGTH)
    found: list[dict[str, Any]] = []
    for each in [job] if job is training else [job, training]:
        dumped = each.model_dump(mode="json")
        for key in (*left_out, *(_OF_MEASURING if _reads_rows(each, training) else ())):
            dumped.pop(key, None)
        found.append(dumped)
    stages = _thawing(job, declared)
    return json.dumps([found, stages, declared.model_dump(mode="json")], sort_keys=True)


def _thawing(job: Job, declared: Model) -> list[int | None]:
    """Return the stage from which on each directive that ends lets learn; None for never.

    A short run may end before it does, and shares and numbers of steps change their order.
    """
    if isinstance(job, Evaluate):
        return []
    total = steps_of_job(job, None) or SUPPOSED
    ends = [each.until for each in declared.freeze if each.until is not None]
    places = [round(end * total) if isinstance(end, Share) else end for end in ends]
    order = sorted({0, *places})
    return [order.index(place) if place < total else None for place in places]


def _reads_rows(job: Job, training: Job) -> bool:
    """Tell whether a job measures row by row, which costs the same whatever split it is."""
    if not isinstance(job, Evaluate):
        return False
    if job.task is not None:
        return job.task.unlearned_pairs(job.split) is None
    return not isinstance(training, Finetune) or training.task.pairs(job.split) is None
