"""Which features can be kept and read again, and why others cannot."""

from collections.abc import Iterator, Mapping

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import (
    Detected,
    Modality,
    SourceBlock,
    is_embedding,
    modality,
)
from renaissance.grammar.names import listing
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Pretrain, Training
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.source import Span


def kept_streams(model: Model) -> Iterator[tuple[Freeze, str]]:
    """Yield the streams whose features stay the same, each with the first directive about it.

    Those of a tower with adapters change.
    """
    seen = adapted_roots(model)
    for directive in model.freeze:
        for stream in cached_streams(directive, model.streams):
            if stream not in seen:
                seen.add(stream)
                yield directive, stream


def adapted_roots(model: Model) -> set[str]:
    """Return the roots below which something has adapters, as far as can be said."""
    anatomy = model.anatomy()
    chosen = (anatomy.selected(one.selectors, one.excluded) for one in model.adapt)
    return {leaf.root for leaves in chosen for leaf in leaves}


def cached_streams(directive: Freeze, streams: Mapping[str, SourceBlock | None]) -> tuple[str, ...]:
    """Return the streams whose features a directive leaves constant for the whole of a job.

    Args:
        directive: what is frozen; whether it says `cache` does not matter.
        streams: of the model, by name; None for one of which nothing more is known.
    """
    if directive.excluded or directive.until is not None:
        return ()
    return tuple(name for name in directive.selectors if _is_tower(streams.get(name)))


def obstacle(directive: Freeze, streams: Mapping[str, SourceBlock | None]) -> str | None:
    """Say why a directive leaves no features that can be kept; None where it does.

    Args:
        directive: what is frozen.
        streams: of the model, by name; None for one of which nothing more is known.
    """
    if cached_streams(directive, streams):
        return None
    whole = [name for name in directive.selectors if name in streams]
    if any(isinstance(streams[name], Detected) for name in whole):
        return "what it reads is kept already, by the detector"
    if any(streams[name] is None for name in whole):
        return None
    if directive.until is not None:
        return "the tower learns after `until`, and its features change"
    if directive.excluded:
        return "what `except` leaves out learns, and the features change"
    if whole:
        return "embeddings cost less to compute than to read"
    return "only the features of a whole tower can be kept"


def check_caching(
    directive: Freeze,
    streams: Mapping[str, SourceBlock | None],
    where: Path,
    places: Places,
    findings: Findings,
) -> None:
    """Warn about settings of a cache that change nothing.

    Args:
        directive: of a model.
        streams: of the model, by name; None for one that is already known to be wrong.
        where: path of the directive.
        places: where everything was said.
        findings: receives what is wrong.
    """
    reason = obstacle(directive, streams)
    for name in ("cache", "cache_limit"):
        if not places.said((*where, name)):
            continue
        if reason is not None and directive.cache is not False:
            help = ("write `freeze NAME` for a stream that is a `backbone`",)
            findings.add(_no_effect(name, reason, places, where, help))
        elif name == "cache_limit" and directive.cache is False:
            help = ("leave it out, or write `cache = true`",)
            findings.add(_no_effect(name, "nothing is kept", places, where, help))


def change(job: Training, kind: Modality) -> str | None:
    """Say what a job does to its images, or to all of its texts, so that none comes twice.

    Args:
        job: a training job.
        kind: `vision` or `text`.

    Returns:
        A phrase about the job; None where they come as they are.
    """
    if kind == "vision" and job.augment:
        return "changes its images at random"
    if not isinstance(job, Pretrain):
        return None
    phrases = [objective.changed().get(kind) for objective in job.objectives]
    return None if None in phrases else phrases[0]


def check_job_caching(
    job: Training, model: Model, path: Path, places: Places, findings: Findings
) -> None:
    """Warn about a cache that is asked for in a job where nothing comes twice.

    Args:
        job: a training job.
        model: the job's model, with its overrides.
        path: where the model stands in the spec.
        places: where everything was said.
        findings: receives what is wrong.
    """
    adapted = adapted_roots(model)
    for index, directive in enumerate(model.freeze):
        whole = cached_streams(directive, model.streams)
        names = [name for name in whole if name not in adapted]
        if directive.cache is True and len(names) < len(whole):
            findings.add(
                _no_effect(
                    "cache",
                    "the tower has adapters, which learn: its features change",
                    places,
                    (*path, "freeze", index),
                    ("leave it out",),
                )
            )
        changes = [change(job, modality(model.streams[name])) for name in names]
        said = [phrase for phrase in changes if phrase is not None]
        if directive.cache is True and names and len(said) == len(names):
            helps = [_help(modality(model.streams[name])) for name in names]
            findings.add(
                _no_effect(
                    "cache",
                    f"job `{job.name}` {' and '.join(said)}, so that none comes twice",
                    places,
                    (*path, "freeze", index),
                    (f"{' and '.join(helps)}, or write `cache = false`",),
                )
            )


def _help(kind: Modality) -> str:
    """Say what lets inputs come as they are."""
    if kind == "vision":
        return "leave `augment` out"
    plain = [word for word, one in Kinds(ObjectiveBlock).items() if kind not in one.changes]
    return f"add {listing((f'objective {word}' for word in plain or '…'), between=' or ')}"


def _is_tower(stream: SourceBlock | None) -> bool:
    return stream is not None and not is_embedding(stream) and not isinstance(stream, Detected)


def _no_effect(
    name: str, reason: str, places: Places, where: Path, help: tuple[str, ...]
) -> Diagnostic:
    span = places.key((*where, name))
    assert isinstance(span, Span)  # a model's path is always known
    return Diagnostic(
        code="VL209",
        message=f"`{name}` has no effect",
        span=span,
        severity="warning",
        label=reason,
        help=help,
    )
