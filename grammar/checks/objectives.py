"""Do the objectives of a job go together, and with the model?"""

from collections.abc import Mapping

from renaissance.grammar.checks.job_freezing import frozen_leaves
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.source import Modality, modality
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Model

_HIDDEN: Mapping[str, Modality] = {"tokens": "text", "patches": "vision"}
"""What the inputs are of which a head reads each one."""
_CALLED: Mapping[Modality, tuple[str, str]] = {
    "text": ("text", "images"),
    "vision": ("image", "texts"),
}


def check_objectives(job: Pretrain, model: Model, places: Places, findings: Findings) -> None:
    """Report what objectives have to say about each other and about the model."""
    for index, objective in enumerate(job.objectives):
        path = ("jobs", job.name, "objectives", index)
        _check_reached(path, objective, model, places, findings)
        for remark in objective.remarks_among(job.objectives, model.fusion):
            span = None if remark.key is None else places.value((*path, remark.key))
            span = span or places.key(path) or places.value(path)
            assert span is not None  # an objective is written somewhere
            findings.add(
                Diagnostic(
                    code=remark.code,
                    message=remark.message,
                    span=span,
                    severity=remark.severity,
                    label=remark.label,
                    help=remark.help,
                )
            )
        if objective.moving(model.fusion.space) is not None:
            _check_moving(job, index, model, places, findings)


def _check_reached(
    path: Path, objective: ObjectiveBlock, model: Model, places: Places, findings: Findings
) -> None:
    """Warn about what is hidden of a stream that the fusion tells nothing of the others."""
    head, fusion = objective.head(), model.fusion
    reads = None if head is None else _HIDDEN.get(head.reads)
    if reads is None or reads not in objective.changes:
        return
    streams = {name: model.streams[name] for name in fusion.inputs if name in model.streams}
    stream = next((name for name, source in streams.items() if modality(source) == reads), None)
    if stream is None or fusion.reaches(stream):
        return
    if reads == "text" and not fusion.joins:
        return  # two towers by themselves: that of texts learns words from texts, as ever
    it, others = _CALLED[reads]
    span = places.key(path) or places.value(path)
    assert span is not None  # an objective is written somewhere
    turned = fusion.turned(stream)
    better = f"write `{turned}`" if turned else "take a fusion that joins them"
    findings.add(
        Diagnostic(
            code="VL506",
            message=f"{others} have no effect on `{objective.word()}` here",
            span=span,
            severity="warning",
            label=f"behind `{fusion.word()}` no {it} knows of its {others[:-1]}",
            help=(f"{better}, or learn without the {others} as it is",),
        )
    )


def _check_moving(
    job: Pretrain, index: int, model: Model, places: Places, findings: Findings
) -> None:
    """Warn about a moving copy of towers that never move."""
    anatomy = model.anatomy(job.heads())
    frozen = frozen_leaves(model, anatomy)
    towers = [anatomy.select(name).leaves for name in model.fusion.inputs]
    if any(not leaves <= frozen for leaves in towers):
        return
    span = places.value(("jobs", job.name, "objectives", index, "momentum"))
    assert span is not None  # it has no default
    findings.add(
        Diagnostic(
            code="VL506",
            message="`momentum` has no effect here",
            span=span,
            severity="warning",
            label="no tower learns: a copy of them is what they are",
            help=("leave it out, or freeze less",),
        )
    )
