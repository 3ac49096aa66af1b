"""Is what a study reports measured by anything that it runs?"""

from collections.abc import Iterable, Iterator

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import LOSS
from renaissance.grammar.kinds.registry import origin
from renaissance.grammar.names import listing, suggestion
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Span


def check_report(
    report: Iterable[tuple[str, Span]], specs: Iterable[Spec], findings: Findings
) -> None:
    """Report metrics that no evaluation of a study gives.

    What kinds of other packages measure is not known before they do.

    Args:
        report: metrics that the study names, and where.
        specs: of its variants.
        findings: receives what is wrong.
    """
    known: dict[str, None] = {}
    evaluations: set[str] = set()
    for spec in specs:
        for name, job in spec.jobs.items():
            if isinstance(job, Evaluate):
                if _of_others(spec, job):
                    return
                evaluations.add(name)
                known |= dict.fromkeys(_metrics(spec, job))
    for metric, span in report:
        first, _, rest = metric.partition(".")
        named = rest if first in evaluations else metric
        # Behind a point stands a part of the rows: `accuracy.number`.
        if named in known or named.partition(".")[0] in known:
            continue
        findings.add(
            Diagnostic(
                code="VL525",
                message=f"nothing that the study runs measures `{named}`",
                span=span,
                help=suggestion(named, known, "a metric"),
                notes=(f"its evaluations measure {listing(known)}",)
                if known
                else ("none of its jobs is measured by an `evaluate`",),
            )
        )


def _of_others(spec: Spec, job: Evaluate) -> bool:
    """Tell whether a kind of another package says what an evaluation measures."""
    measured = spec.data_job(job.name)
    kinds = (measured.task,) if isinstance(measured, Finetune) else measured.objectives
    return any(origin(kind) is not None for kind in kinds)


def _metrics(spec: Spec, job: Evaluate) -> Iterator[str]:
    """Yield what an evaluation measures."""
    measured = spec.data_job(job.name)
    if isinstance(measured, Finetune):
        yield from measured.task.evaluated()
        return
    for objective in measured.objectives:
        yield from (objective.metric, *objective.further_metrics)
        yield objective.head_name()  # its loss
    yield LOSS
