"""Which features of frozen towers the stages of a study keep for each other, before any runs."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from renaissance.compiler.planning.benefit import Caching
from renaissance.grammar.chain import chain_of
from renaissance.grammar.checks.caching import kept_streams
from renaissance.grammar.schema.identity import reduced
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.runtime.studies.data import Data, DataUnknownError
from renaissance.runtime.studies.operations import Planned
from renaissance.runtime.studies.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """Features of a frozen tower that several stages read.

    Attributes:
        stream: name of the tower.
        after: job that leaves it as it is from then on; None where no job has changed it.
        jobs: names of the jobs whose stages read them.
        cells: names of the cells that have these stages.
        stages: how many there are.
        inputs: what the tower reads, in a word.
        count: different inputs whose features are computed, each once.
        once: operations of that.
        each_time: operations of computing them whenever a stage needs them.
    """

    stream: str
    after: str | None
    jobs: tuple[str, ...]
    cells: tuple[str, ...]
    stages: int
    inputs: str
    count: int
    once: float
    each_time: float


@dataclass(slots=True)
class _Readers:
    """Stages that read features of one tower with the same weights."""

    stream: str
    after: str | None
    kept: Caching
    stages: list[Stage] = field(default_factory=list)
    inputs: list[np.ndarray] = field(default_factory=list)
    runs: float = 0.0


def kept_for_others(
    stages: Iterable[tuple[Stage, int | None]], planned: Planned, data: Data
) -> tuple[KeptPlan, ...]:
    """Find features that more than one stage reads.

    Args:
        stages: of a study, each with its steps; None where it is an evaluation, or not known.
        planned: plans its jobs.
        data: says which images and texts they see.
    """
    readers: dict[tuple[object, ...], _Readers] = {}
    for stage, steps in stages:
        plan = planned.paces(stage.spec, stage.job).plan
        for kept in plan.model.caching:
            runs = _runs(stage, kept, steps, planned, data)
            try:
                inputs = data.inputs(stage.spec, stage.job, kept.modality)
            except DataUnknownError:
                continue
            if runs is None or _refused(stage, kept, runs, len(inputs), planned.devices):
                continue
            after, weights = _weights(stage, kept.stream)
            key = (kept.stream, weights, kept.tokens, kept.value_bytes)
            found = readers.setdefault(key, _Readers(kept.stream, after, kept))
            found.stages.append(stage)
            found.inputs.append(inputs)
            found.runs += runs
    return tuple(_kept(found) for found in readers.values() if len(found.stages) > 1)


def _kept(found: _Readers) -> KeptPlan:
    count = len(np.unique(np.concatenate(found.inputs)))
    return KeptPlan(
        stream=found.stream,
        after=found.after,
        jobs=tuple(dict.fromkeys(stage.job for stage in found.stages)),
        cells=tuple(dict.fromkeys(cell for stage in found.stages for cell in stage.users)),
        stages=len(found.stages),
        inputs=found.kept.inputs,
        count=count,
        once=float(count * found.kept.flops),
        each_time=found.runs * found.kept.flops,
    )


def _runs(
    stage: Stage, kept: Caching, steps: int | None, planned: Planned, data: Data
) -> float | None:
    """Return how often a stage needs the features of an image or a text; None if not known."""
    plan = planned.paces(stage.spec, stage.job).plan
    tower = next((each for each in plan.sharing.towers if each.stream == kept.stream), None)
    if tower is None or plan.search is not None:
        return None
    if isinstance(stage.spec.jobs[stage.job], Evaluate):
        try:
            rows = data.texts(stage.spec, stage.job)
        except DataUnknownError:
            return None
    elif steps is None:
        return None
    else:
        rows = steps * plan.batch
    return tower.rows / plan.sharing.texts * rows


def _refused(
    stage: Stage, kept: Caching, runs: float, inputs: int, devices: tuple[str, ...]
) -> bool:
    """Tell whether the job will not keep features, on one of the devices."""
    of_images = isinstance(stage.spec.jobs[stage.job], Evaluate) and kept.modality == "vision"
    views = 1.0 if of_images else runs / max(inputs, 1)
    return any(kept.refusal(device, inputs=inputs, views=views) is not None for device in devices)


def _weights(stage: Stage, stream: str) -> tuple[str | None, object]:
    """Return the job that last changed a tower, and what its weights are known by."""
    spec, chain = stage.spec, chain_of(stage.spec.jobs, stage.job)
    for name, id in zip(chain, (stage.id, *stage.sources), strict=True):
        learns = not isinstance(spec.jobs[name], Evaluate)
        if learns and stream not in {kept for _, kept in kept_streams(spec.model_of(name))}:
            return name, id
    source = spec.model_of(chain[-1]).streams[stream]
    seed = None if source.loads_weights else spec.training_job(chain[-1]).seed
    return None, (str(reduced(source)), seed)
