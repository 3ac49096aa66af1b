"""Which jobs cost the same, so that one plan serves them all."""

import json
from typing import Any

from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job
from renaissance.grammar.schema.spec import Spec

_NAMES = ("name", "source", "of", "seed")
_LENGTH = ("steps", "epochs")
_OF_MEASURING = ("split", "write", "trained_on")


def same_costs(spec: Spec, name: str, *, length: bool) -> str:
    """Return a text that is the same for jobs whose steps cost the same.

    Args:
        spec: the whole experiment.
        name: of the job.
        length: jobs of different lengths are told apart.
    """
    job, training = spec.jobs[name], spec.training_job(name)
    left_out = _NAMES if length else (*_NAMES, *_LENGTH)
    found: list[dict[str, Any]] = []
    for each in [job] if job is training else [job, training]:
        dumped = each.model_dump(mode="json")
        for key in (*left_out, *(_OF_MEASURING if _reads_rows(each, training) else ())):
            dumped.pop(key, None)
        found.append(dumped)
    model = spec.model_of(name).model_dump(mode="json")
    return json.dumps([found, model], sort_keys=True)


def _reads_rows(job: Job, training: Job) -> bool:
    """Tell whether a job measures row by row, which costs the same whatever split it is."""
    if not isinstance(job, Evaluate):
        return False
    if job.task is not None:
        return job.task.unlearned_pairs(job.split) is None
    return not isinstance(training, Finetune) or training.task.pairs(job.split) is None
