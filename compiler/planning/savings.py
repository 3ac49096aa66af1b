"""What freezing one tower more would save: the same job planned once more for each tower."""

from collections.abc import Iterator

from renaissance.compiler.planning.figures import JobPlan, Saving, Stage
from renaissance.compiler.planning.fitting import largest
from renaissance.compiler.planning.models import drafted
from renaissance.compiler.planning.stages import Conditions, Stages
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Freeze, Model


def savings(
    job: Pretrain | Finetune, declared: Model, conditions: Conditions, planned: JobPlan
) -> Iterator[Saving]:
    """Yield what freezing each tower that learns from the first step on would save.

    Args:
        job: what is learned.
        declared: the model with the changes of the job.
        conditions: what is supposed.
        planned: the job as it is.

    Raises:
        CompileError: if the model cannot be built.
    """
    found = list(planned.stages)
    for tower in () if declared.adapt else declared.streams:
        frozen = Freeze(selectors=(tower,))
        changed = declared.model_copy(update={"freeze": (*declared.freeze, frozen)})
        model, resolved = drafted(changed, job)
        stages = Stages(Objectives(model, changed, job), resolved, job, job, conditions)
        if planned.recomputes:
            stages.recompute()
        others = [stage for _, stage in stages.traced()]
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
