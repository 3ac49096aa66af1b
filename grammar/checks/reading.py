"""Is there something to read where a head reads?"""

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.source import is_embedding, modality
from renaissance.grammar.places import Places
from renaissance.grammar.schema.jobs import Finetune
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
