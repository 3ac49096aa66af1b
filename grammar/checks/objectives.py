"""Do the objectives of a job go together, and with the model?"""

from renaissance.grammar.checks.job_freezing import frozen_leaves
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.places import Places
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Model


def check_objectives(job: Pretrain, model: Model, places: Places, findings: Findings) -> None:
    """Report what objectives have to say about each other and about the model."""
    for index, objective in enumerate(job.objectives):
        path = ("jobs", job.name, "objectives", index)
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
