"""Is there something to read where a head reads?"""

from collections.abc import Mapping

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.head import Head
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import Modality, is_embedding, modality
from renaissance.grammar.names import listing
from renaissance.grammar.places import Path, Places
from renaissance.grammar.record import replace
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.source import Span

_CALLED: Mapping[Modality, str] = {"text": "text", "vision": "image"}


def check_reading(
    job: Pretrain | Finetune, model: Model, places: Places, findings: Findings
) -> None:
    """Report heads that read streams before the fusion of a model that encodes none there."""
    for place, kind in _asked(job).items():
        head, path = kind.head(), ("jobs", job.name, *place)
        if head is None or head.reads not in ("text", "streams"):
            continue
        span = places.value((*path, "image")) or places.value(path) or places.key(path)
        for name, stream in model.streams.items():
            reads = modality(stream)
            read = head.reads == "streams" or reads == "text"
            encoded = not is_embedding(stream) or model.fusion.encodes(name)
            if read and not encoded and span is not None:
                finding = _nothing_encoded(model, name, reads, head, span)
                findings.add(_left_out(finding, job, kind, places))


def _nothing_encoded(
    model: Model, stream: str, reads: Modality, head: Head, span: Span
) -> Diagnostic:
    what, word = _CALLED[reads], model.fusion.word()
    help = []
    if head.reads == "text":
        help.append("write `image = blank`: the fusion then takes part")
    else:
        help.append(f"leave `{head.name}` out, or give the model a `backbone` for each stream")
    if stream == model.fusion.inputs[0] and model.fusion.to_encode is not None:
        help.append(
            f"or write `{model.fusion.to_encode}` in `{word}`: its layers then encode {what} alone"
        )
    return Diagnostic(
        code="VL523",
        message=f"model `{model.name}` encodes no {what} before the fusion",
        span=span,
        label=f"reads each {what} by itself",
        notes=(
            f"`{stream}` is an `embed`: it has no layers, and those of `{word}` read it together "
            "with the other stream",
        ),
        help=tuple(help),
    )


def check_meeting(
    job: Pretrain | Finetune, model: Model, places: Places, findings: Findings
) -> None:
    """Report heads that add what they say of a text to what they say of an image.

    Where a fusion joins nothing, one linear map of both vectors is such a sum: whatever the text
    is, the same image scores most.
    """
    if model.fusion.joins:
        return
    for place, kind in _asked(job).items():
        head, path = kind.head(), ("jobs", job.name, *place)
        if head is None or head.form != "linear" or head.reads != "pooled":
            continue
        span = places.value(path) or places.key(path) or places.value(("jobs", job.name))
        assert span is not None  # a job's path is always known
        finding = Diagnostic(
            code="VL530",
            message=f"`{kind.word()}` cannot be learned where text and image never meet",
            span=span,
            label="would rate the text and the image each by itself",
            notes=(
                f"`{model.fusion.word()}` of model `{model.name}` lets no text look at an "
                "image: the same image would fit best, whatever the text",
            ),
            help=_instead(),
        )
        findings.add(_left_out(finding, job, kind, places))


def _left_out(
    finding: Diagnostic,
    job: Pretrain | Finetune,
    kind: ObjectiveBlock | TaskBlock,
    places: Places,
) -> Diagnostic:
    """Say how a job does without an objective that it inherits."""
    inherits = ("jobs", job.name, "extends")
    block, span = places.value(inherits), finding.span
    if block is None or not places.said(inherits) or not isinstance(kind, ObjectiveBlock):
        return finding
    if block.source is span.source and block.start <= span.start < block.end:
        return finding
    without = f"write `objective {kind.word()} = none` in `{job.name}`"
    return replace(finding, help=(without, *finding.help))


def _asked(job: Pretrain | Finetune) -> dict[Path, ObjectiveBlock | TaskBlock]:
    """Return what a job asks, by its place in the job."""
    if isinstance(job, Finetune):
        return {("task",): job.task}
    return {("objectives", place): one for place, one in enumerate(job.objectives)}


def _instead() -> tuple[str, ...]:
    """Return what can be done with vectors of texts and of images."""
    words = [word for word, kind in Kinds(ObjectiveBlock).items() if kind.compares]
    found = []
    if words:
        learned = listing(words, between=" or ")
        found.append(f"learn {learned}, which compares the vector of a text with that of an image")
    return (
        *found,
        "or take a fusion that joins them" if found else "take a fusion that joins them",
    )
