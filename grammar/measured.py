"""What the metrics of a job are, and whether two jobs measure the same by them."""

from collections.abc import Iterator, Mapping
from typing import Any

from renaissance.grammar.kinds.data import LOSS, TaskBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.quantity import ERROR, Quantity, quantity
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Finetune
from renaissance.grammar.schema.spec import Spec


def quantity_of(spec: Spec | None, job: str, metric: str) -> Quantity:
    """Return what a metric of a job is.

    Args:
        spec: that has the job; where it is not known, or has no such job, the name of the metric
            tells as much as it can.
        job: name of a training or an evaluation.
        metric: its name; a loss of one head is called as the head.
    """
    declared: dict[str, Quantity] = {LOSS: ERROR}
    for head, kind in _asked(spec, job).items():
        declared |= {head: ERROR, **kind.quantities}
    return quantity(metric, declared)


def other_question(spec: Spec | None, other: Spec | None, job: str, metric: str) -> str:
    """Say why values of a metric are no answers to one question; empty where they are.

    Args:
        spec: that has the job.
        other: that has it as well; where one of the two is not known nothing is said.
        job: name of a training or an evaluation.
        metric: its name.

    Returns:
        What differs, first as the one spec has it: it is measured by `itc` and `mlm`, not by
        `itm` and `mlm`.
    """
    mine, theirs = _measured_by(spec, job, metric), _measured_by(other, job, metric)
    if not mine or not theirs:
        return ""
    words, others = (listing(map(_word, kinds), between=" and ") for kinds in (mine, theirs))
    if words != others:
        return f"it is measured by {words}, not by {others}"
    for kind, like in zip(mine, theirs, strict=True):
        for key in (*kind.asks, *(("weight",) if metric == LOSS and len(mine) > 1 else ())):
            one, two = getattr(kind, key), getattr(like, key)
            if one != two:
                return f"`{key}` of {_word(kind)} is {_said(one)}, not {_said(two)}"
    batches = [_batch(each, job) for each in (spec, other)]
    if batches[0] != batches[1] and any(_global(kind) for kind in mine):
        return f"it compares the rows of a batch of {batches[0]:,}, not of {batches[1]:,}"
    return ""


def _asked(spec: Spec | None, job: str) -> Mapping[str, ObjectiveBlock | TaskBlock]:
    """Return the objectives or the task of a job, by name of the head."""
    if spec is None or job not in spec.jobs:
        return {}
    asked = spec.data_job(job)
    if isinstance(asked, Finetune):
        return {asked.task.head_name(): asked.task}
    return {objective.head_name(): objective for objective in asked.objectives}


def _measured_by(spec: Spec | None, job: str, metric: str) -> list[ObjectiveBlock | TaskBlock]:
    """Return the kinds that a metric is about, in the order of their words."""
    found = dict(_about(spec, job, metric))
    return [found[word] for word in sorted(found)]


def _about(
    spec: Spec | None, job: str, metric: str
) -> Iterator[tuple[str, ObjectiveBlock | TaskBlock]]:
    for head, kind in _asked(spec, job).items():
        own = isinstance(kind, TaskBlock) or metric in (
            LOSS,
            head,
            kind.metric,
            *kind.further_metrics,
        )
        if own:
            yield _word(kind), kind


def _word(kind: ObjectiveBlock | TaskBlock) -> str:
    return kind.spelled or kind.word()


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _batch(spec: Spec | None, job: str) -> int:
    declared = None if spec is None else spec.jobs[job]
    return declared.batch if declared is not None else 0


def _global(kind: ObjectiveBlock | TaskBlock) -> bool:
    return isinstance(kind, ObjectiveBlock) and kind.scope == "global_batch"
