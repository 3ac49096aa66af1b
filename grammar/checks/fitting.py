"""Do the weights of the job that another one starts from fit the model that it trains?"""

from collections.abc import Iterator

from renaissance.grammar.anatomy.encoders import stream_anatomy
from renaissance.grammar.declaration import Block, Impact, impact_of
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.places import Path, Places
from renaissance.grammar.record import Record
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.vocabulary import keys_of, kind_of
from renaissance.grammar.source import Span
from renaissance.grammar.spelling import head_text, value_text

RESIZED = frozenset({"image_size", "max_tokens"})
"""Sizes that follow from position embeddings, which are resized."""

_USUAL = frozenset({"dropout", "resize"})
"""What another function makes of the same weights, and is changed for good reasons."""

_NO_EFFECT = frozenset({"revision"})
"""What says which published weights to load, where those of a job are loaded instead."""


class _Changed(Record):
    """A key of which a job's model has another value than that of its source."""

    address: str
    path: Path
    impact: Impact
    old: str
    new: str


def check_fit(
    job: Pretrain | Finetune,
    models: tuple[Model, Model],
    paths: tuple[Path, Path],
    places: Places,
    findings: Findings,
) -> None:
    """Report overrides that the weights of the source do not fit, or were not trained for.

    Args:
        job: starts from the weights of another job.
        models: of the source and of the job.
        paths: where these stand in the spec.
        places: where everything was said.
        findings: receives what is wrong.
    """
    for changed in _model_changes(*models):
        name = changed.path[-1]
        where = (*paths[1], *changed.path)
        if not places.said(where):
            continue
        before = (*paths[0], *changed.path)
        source = places.value(before) if places.said(before) else None
        if changed.impact == "weights" and name not in RESIZED:
            findings.add(_no_fit(job, changed, _span(places, where), source, places))
        elif name in _NO_EFFECT:
            findings.add(_ignored(job, changed, _span(places, where), places))
        elif changed.impact == "numerics" and _USUAL.isdisjoint(changed.path):
            findings.add(_other_function(job, changed, _span(places, where), source))


def _no_fit(
    job: Pretrain | Finetune, changed: _Changed, span: Span, source: Span | None, places: Places
) -> Diagnostic:
    return Diagnostic(
        code="VL515",
        message=f"the weights of job `{job.source}` do not fit `{changed.address} = {changed.new}`",
        span=span,
        label=f"job `{job.source}` has `{changed.old}`",
        related=(_trained(job, source, places),),
        help=(
            f"leave it out, set it for job `{job.source}` too, or write "
            f"`{job.job} {job.name} on {job.on}` to start without its weights",
        ),
        notes=("`image_size` and `max_tokens` may change: position embeddings are resized",),
    )


def _ignored(job: Pretrain | Finetune, changed: _Changed, span: Span, places: Places) -> Diagnostic:
    return Diagnostic(
        code="VL515",
        message=f"job `{job.name}` cannot take `{changed.address} = {changed.new}`",
        span=span,
        label=f"its weights come from job `{job.source}`",
        related=(_trained(job, None, places),),
        help=(f"leave it out, or set it for job `{job.source}` too",),
    )


def _other_function(
    job: Pretrain | Finetune, changed: _Changed, span: Span, source: Span | None
) -> Diagnostic:
    return Diagnostic(
        code="VL516",
        message=f"the weights of job `{job.source}` were not trained for "
        f"`{changed.address} = {changed.new}`",
        span=span,
        severity="warning",
        label=f"job `{job.source}` has `{changed.old}`",
        related=(Label(span=source, text="trained with this"),) if source else (),
        help=(f"leave it out, or set it for job `{job.source}` too",),
        notes=("they have the same shapes, but the model is another function of them",),
    )


def _trained(job: Pretrain | Finetune, source: Span | None, places: Places) -> Label:
    if source is not None:
        return Label(span=source, text=f"job `{job.source}` trains with this")
    return Label(span=_span(places, ("jobs", job.name, "source")), text="starts from its weights")


def _model_changes(old: Model, new: Model) -> Iterator[_Changed]:
    for name in new.streams.keys() & old.streams.keys():
        yield from _block_changes(name, ("streams", name), old.streams[name], new.streams[name])
    yield from _block_changes(new.fusion_name, ("fusion",), old.fusion, new.fusion)
    if old.pool != new.pool:
        # `cls` and `mean` have a linear map for each stream, `first` one for the first alone.
        impact: Impact = "weights" if "first" in (old.pool, new.pool) else "numerics"
        yield _Changed(address="pool", path=("pool",), impact=impact, old=old.pool, new=new.pool)
    if old.pooler != new.pooler:
        yield _Changed(
            address="pooler", path=("pooler",), impact="weights", old=old.pooler, new=new.pooler
        )


def _block_changes(address: str, path: Path, old: Block, new: Block) -> Iterator[_Changed]:
    if head_text(old) != head_text(new):
        # Another encoder: nothing of the weights can be meant for it.
        yield _Changed(
            address=address, path=path, impact="weights", old=head_text(old), new=head_text(new)
        )
        return
    for name, info in keys_of(type(new)).items():
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, Block) and isinstance(after, Block):
            yield from _block_changes(f"{address}.{name}", (*path, name), before, after)
        elif before != after:
            # Tables of relative positions have a column for each head.
            tables = name == "heads" and _relative(new)
            yield _Changed(
                address=f"{address}.{name}",
                path=(*path, name),
                impact="weights" if tables else impact_of(info),
                old="unknown" if before is None else value_text(before, kind_of(info)),
                new="unknown" if after is None else value_text(after, kind_of(info)),
            )


def _relative(block: Block) -> bool:
    return isinstance(block, SourceBlock) and stream_anatomy(block).relative


def _span(places: Places, path: Path) -> Span:
    span = places.value(path)
    if span is None:
        raise LookupError(f"nothing was said about {path}")
    return span
