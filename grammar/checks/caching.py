"""Which features can be kept and read again, and why others cannot."""

from collections.abc import Mapping

from renaissance.grammar.composition.findings import Findings
from renaissance.grammar.composition.places import Path, Places
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.schema.jobs import Training
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.streams import Patches, Stream, Wordpiece, modality
from renaissance.grammar.source import Span


def cached_streams(directive: Freeze, streams: Mapping[str, Stream | None]) -> tuple[str, ...]:
    """Return the streams whose features a directive leaves constant for the whole of a job.

    Args:
        directive: what is frozen; whether it says `cache` does not matter.
        streams: of the model, by name; None for one of which nothing more is known.
    """
    if directive.excluded or directive.until is not None:
        return ()
    return tuple(name for name in directive.selectors if _is_vision_tower(streams.get(name)))


def obstacle(directive: Freeze, streams: Mapping[str, Stream | None]) -> str | None:
    """Say why a directive leaves no features that can be kept; None where it does.

    Args:
        directive: what is frozen.
        streams: of the model, by name; None for one of which nothing more is known.
    """
    if cached_streams(directive, streams):
        return None
    whole = [name for name in directive.selectors if name in streams]
    if any(streams[name] is None for name in whole):
        return None
    if directive.until is not None:
        return "the tower learns after `until`, and its features change"
    if directive.excluded:
        return "what `except` leaves out learns, and the features change"
    if any(isinstance(streams[name], Patches | Wordpiece) for name in whole):
        return "embeddings cost less to compute than to read"
    if whole:
        return "texts are masked at random, so that their features are never the same"
    return "only the features of a whole tower can be kept"


def check_caching(
    directive: Freeze,
    streams: Mapping[str, Stream | None],
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
            help = ("write `freeze NAME` for a vision stream that is a `backbone`",)
            findings.add(_no_effect(name, reason, places, where, help))
        elif name == "cache_limit" and directive.cache is False:
            help = ("leave it out, or write `cache = true`",)
            findings.add(_no_effect(name, "nothing is kept", places, where, help))


def check_job_caching(
    job: Training, model: Model, path: Path, places: Places, findings: Findings
) -> None:
    """Warn about a cache that is asked for in a job whose images change at random.

    Args:
        job: a training job.
        model: the job's model, with its overrides.
        path: where the model stands in the spec.
        places: where everything was said.
        findings: receives what is wrong.
    """
    if job.augment == "none":
        return
    for index, directive in enumerate(model.freeze):
        if directive.cache is True and cached_streams(directive, model.streams):
            findings.add(
                _no_effect(
                    "cache",
                    f"job `{job.name}` changes its images at random, so that none comes twice",
                    places,
                    (*path, "freeze", index),
                    ("leave `augment` out, or write `cache = false`",),
                )
            )


def _is_vision_tower(stream: Stream | None) -> bool:
    if stream is None or isinstance(stream, Patches | Wordpiece):
        return False
    return modality(stream) == "vision"


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
