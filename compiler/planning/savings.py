"""What freezing one tower more would save: steps of the same job are traced once more for each."""

from collections.abc import Iterator

from renaissance.compiler.freeze import resolve
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.fitting import largest
from renaissance.compiler.planning.job_plan import Saving, Stage
from renaissance.compiler.planning.stages import Conditions, Stages
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Freeze, Model


def savings(
    model: VisionLanguageModel,
    declared: Model,
    job: Pretrain | Finetune,
    conditions: Conditions,
    found: list[Stage],
    *,
    recomputes: bool,
) -> Iterator[Saving]:
    """Yield what freezing each tower that learns from the first step on would save.

    Args:
        model: as drafted for the job; afterwards it is frozen as for the last tower.
        declared: its declaration with the changes of the job.
        job: what is learned.
        conditions: what is supposed.
        found: the stages of the job as it is.
        recomputes: repeated layers of the model are computed again.
    """
    for tower in () if declared.adapt else declared.streams:
        frozen = Freeze(selectors=(tower,))
        changed = declared.model_copy(update={"freeze": (*declared.freeze, frozen)})
        objectives, resolved = Objectives(model, changed, job), resolve(model, changed.frozen)
        stages = Stages(objectives, resolved, job, job, conditions, recomputes=recomputes)
        others = [stage for _, stage in stages.traced()]
        stages.release()
        if others[0].trainable in (0, found[0].trainable):
            continue
        before, after = _time(found), _time(others)
        yield Saving(
            tower=tower,
            share=1 - after / before,
            seconds=before - after if all(stage.steps is not None for stage in found) else None,
            bytes=largest(found).memory.peak - largest(others).memory.peak,
        )


def _time(stages: list[Stage]) -> float:
    """Return seconds of a run, or of its slowest step where its length is not known."""
    speeds = [(stage.steps, stage.speed.step) for stage in stages if stage.speed is not None]
    if any(steps is None for steps, _ in speeds):
        return max(step for _, step in speeds)
    return sum((steps or 0) * step for steps, step in speeds)
