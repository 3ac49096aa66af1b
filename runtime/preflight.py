"""What would stop a later job of a run, found before the first one begins."""

from collections.abc import Iterable, Mapping

import torch

from renaissance.compiler.assembly import assemble
from renaissance.compiler.errors import CompileError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.kinds.data import VALIDATION
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import DataError
from renaissance.runtime.data.parts import Parts
from renaissance.runtime.errors import CheckpointError, JobError
from renaissance.runtime.training.transfer import check_transfer


def check_chains(spec: Spec, names: Iterable[str]) -> None:
    """Make sure that jobs which change the model can be built and take its weights.

    Models stand on torch's meta device, where nothing is allocated.

    Args:
        spec: the whole experiment.
        names: of the jobs that are to run.

    Raises:
        JobError: if one cannot; says which, and why.
    """
    for name in names:
        job = spec.jobs[name]
        if isinstance(job, Evaluate) or job.source is None:
            continue
        if spec.model_of(name) == spec.model_of(job.source):
            continue
        source = _planned(spec, job.source)
        try:
            check_transfer(_planned(spec, name), source)
        except (CompileError, CheckpointError) as problem:
            raise JobError(
                f"job `{name}` could not start from job `{job.source}`: {problem}"
            ) from None


def check_readable(spec: Spec, names: Iterable[str], parts: Mapping[str, Parts]) -> None:
    """Make sure that the tables of fine-tunings and evaluations can be read; images are not opened.

    Args:
        spec: the whole experiment.
        names: of the jobs that are to run.
        parts: the splits of the jobs of the spec.

    Raises:
        DataError: if one cannot; says of which job, and where it says what to get.
    """
    for name in names:
        job = spec.jobs[name]
        owner = spec.data_job(name)
        if not isinstance(owner, Finetune):
            continue
        try:
            if isinstance(job, Evaluate):
                parts[name][job.split]
            else:
                parts[name].before_withholding()
                if owner.task.split(VALIDATION) is not None:
                    parts[name][VALIDATION]
        except (DataError, OSError) as problem:
            raise DataError(
                f"job `{name}` could not run: {problem}; `renaissance data` with `--how` says what "
                "belongs where"
            ) from None


def _planned(spec: Spec, name: str) -> VisionLanguageModel:
    with torch.device("meta"):
        return assemble(spec.model_of(name), spec.training_job(name), weights=False)
