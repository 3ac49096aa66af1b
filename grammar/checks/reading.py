"""Is there something to read where a head reads?"""

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import is_embedding, modality
from renaissance.grammar.names import listing
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model


def check_reading(job: Finetune, model: Model, places: Places, findings: Findings) -> None:
    """Report a task that reads texts before the fusion of a model that encodes none there."""
    if job.task.head().reads != "text":
        return
    path = ("jobs", job.name, "task")
    span = places.value((*path, "image")) or places.value(path)
    for name, stream in model.streams.items():
        if modality(stream) == "text" and is_embedding(stream) and span is not None:
            findings.add(
                Diagnostic(
                    code="VL523",
                    message=f"before the fusion of model `{model.name}` no text is encoded",
                    span=span,
                    label="reads the text stream there",
                    notes=(f"`{name}` is embeddings alone",),
                    help=("write `image = blank`: the fusion then takes part",),
                )
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
    if isinstance(job, Finetune):
        asked: dict[Path, ObjectiveBlock | TaskBlock] = {("task",): job.task}
    else:
        asked = {("objectives", place): one for place, one in enumerate(job.objectives)}
    for place, kind in asked.items():
        head, path = kind.head(), ("jobs", job.name, *place)
        if head is None or head.form != "linear" or head.reads != "pooled":
            continue
        span = places.value(path) or places.key(path) or places.value(("jobs", job.name))
        assert span is not None  # a job's path is always known
        findings.add(
            Diagnostic(
                code="VL530",
                message=f"`{kind.word()}` cannot be learned where text and image never meet",
                span=span,
                label="adds what it says of each of them",
                notes=(f"`{model.fusion.word()}` of model `{model.name}` joins nothing",),
                help=_instead(),
            )
        )


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
