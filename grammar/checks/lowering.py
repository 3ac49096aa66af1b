"""Is something asked for that a plain model does not take?"""

from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model


def check_attention(parts: PartialModel, places: Places, findings: Findings) -> None:
    """Warn about an implementation of attention that `lower = none` overrules."""
    if parts.lower == "none" and parts.attention in ("triton", "sdpa"):
        _add((*parts.path, "attention"), "attention", places, findings)


def check_compilation(
    job: Pretrain | Finetune, model: Model, places: Places, findings: Findings
) -> None:
    """Warn about a compilation or a recomputation that `lower = none` overrules."""
    for name in ("compile", "recompute"):
        if not model.lowers and getattr(job, name) != "none":
            _add(("jobs", job.name, name), name, places, findings)


def _add(path: Path, name: str, places: Places, findings: Findings) -> None:
    span = places.value(path)
    if span is not None and places.said(path):
        findings.add(
            Diagnostic(
                code="VL506",
                message=f"`{name}` has no effect here",
                span=span,
                severity="warning",
                label="the model says `lower = none`, so that nothing is lowered",
            )
        )
