"""Which run, and which job of it, a person means."""

from pathlib import Path

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.checkpoints import BEST
from renaissance.runtime.errors import JobError, UsageError
from renaissance.runtime.identity import kept_spec


def spec_in(folder: Path) -> Spec:
    """Return the spec of a run folder; UsageError if it is none."""
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder `{folder}`; a run lies where `renaissance train -o` put it, else "
            "in `runs/` under the name of its spec"
        )
    kept = kept_spec(folder)
    if kept.spec is None:
        raise UsageError(f"`{folder}` is no run that can be read: {kept.problem}")
    return kept.spec


def training_meant(spec: Spec, folder: Path, job: str | None) -> str:
    """Return the name of the training that is meant.

    Args:
        spec: of the run.
        folder: of the run.
        job: a training, or an evaluation of one; may be left out where there is one fine-tuning.

    Raises:
        UsageError: if there is no such job, or none is named and several have learned.
        JobError: if none has learned anything yet.
    """
    if job is not None:
        if job not in spec.jobs:
            raise UsageError(f"there is no job `{job}`; jobs are {listing(spec.jobs)}")
        return spec.training_job(job).name
    learned = {
        name: declared
        for name, declared in spec.jobs.items()
        if not isinstance(declared, Evaluate) and (folder / name / BEST).exists()
    }
    tuned = [name for name, declared in learned.items() if isinstance(declared, Finetune)]
    found = tuned or list(learned)
    if len(found) == 1:
        return found[0]
    if not found:
        raise JobError(f"no job of `{folder}` has learned anything yet")
    raise UsageError(f"`{folder}` has several jobs that learned: say one of {listing(found)}")


def task_of(spec: Spec, job: str) -> TaskBlock:
    """Return what a training was fine-tuned on; UsageError if it was pretrained only."""
    declared = spec.jobs[job]
    if not isinstance(declared, Finetune):
        raise UsageError(
            f"job `{job}` is a pretraining, whose heads answer no questions; a fine-tuning can "
            "predict, and in Python `renaissance.load_run(...)` gives features by its `inputs` and "
            "`model`"
        )
    return declared.task
