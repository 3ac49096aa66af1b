"""Can a pretraining be measured by a task that it never learned?"""

from collections.abc import Iterator, Mapping

from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.names import listing
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.source import Span


def check_unlearned(
    job: Evaluate, jobs: Mapping[str, Job | None], places: Places, findings: Findings
) -> bool:
    """Report an evaluation by a task for which nothing was learned that could answer.

    Args:
        job: states a task of its own.
        jobs: all jobs by name.
        places: where everything was said.
        findings: receives what is wrong.

    Returns:
        Whether something can answer, as far as that is known.
    """
    task, measured = job.task, jobs.get(job.of)
    if task is None or measured is None:
        return True
    said = places.value(("jobs", job.name, "task"))
    of = places.value(("jobs", job.name, "of"))
    assert said is not None and of is not None  # both are stated
    if isinstance(measured, Finetune) and measured.task.word() == task.word():
        _refuse(
            findings,
            f"job `{measured.name}` has learned its task",
            said,
            "an evaluation has the task of its job by itself",
            help=("leave `task` out",),
            related=(Label(span=of, text="a fine-tuning"),),
        )
    elif isinstance(measured, Finetune):
        _refuse(
            findings,
            f"job `{measured.name}` has learned a task of its own",
            said,
            "is another one",
            help=("leave `task` out, or measure a pretraining by it",),
            related=(Label(span=of, text="a fine-tuning"),),
        )
    elif not task.zero_shot:
        words = [word for word, kind in Kinds(TaskBlock).items() if kind.zero_shot]
        _refuse(
            findings,
            f"`{task.word()}` cannot be measured without being learned",
            said,
            "its answers are no texts that go with an image",
            help=(f"write `finetune … from {job.of}`, and measure that",),
            notes=(f"tasks that can are {listing(words)}",),
        )
    elif isinstance(measured, Pretrain) and not any(map(scores_pairs, measured.objectives)):
        _refuse(
            findings,
            f"job `{measured.name}` learns nothing that says how well a text goes with an image",
            of,
            f"`{task.word()}` would be measured by that",
            help=(f"add {listing(_scoring(), between=' or ')} to its objectives",),
            related=_objectives(measured, places),
        )
    else:
        return True
    return False


def scores_pairs(objective: ObjectiveBlock) -> bool:
    """Tell whether what an objective learns says how well a text goes with an image."""
    return objective.compares or objective.matches is not None


def check_unused_keys(job: Finetune, places: Places, findings: Findings) -> None:
    """Warn about keys of a task that only count where nothing is learned."""
    for name in job.task.zero_shot_keys:
        path: Path = ("jobs", job.name, "task", name)
        span = places.value(path)
        if places.said(path) and span is not None:
            findings.add(
                Diagnostic(
                    code="VL506",
                    message=f"`{name}` has no effect here",
                    span=span,
                    severity="warning",
                    label="the task is learned, and its head answers",
                )
            )


def _scoring() -> list[str]:
    return [word for word, kind in Kinds(ObjectiveBlock).items() if kind.compares or kind.matches]


def _objectives(job: Pretrain, places: Places) -> tuple[Label, ...]:
    def found() -> Iterator[Label]:
        for place, objective in enumerate(job.objectives):
            span = places.key(("jobs", job.name, "objectives", place))
            if span is not None:
                yield Label(span=span, text=f"learns `{objective.word()}`")

    return tuple(found())


def _refuse(
    findings: Findings,
    message: str,
    span: Span,
    label: str,
    *,
    help: tuple[str, ...],
    related: tuple[Label, ...] = (),
    notes: tuple[str, ...] = (),
) -> None:
    findings.add(
        Diagnostic(
            code="VL537",
            message=message,
            span=span,
            label=label,
            help=help,
            related=related,
            notes=notes,
        )
    )
