"""Are there patches, or regions, that can be hidden, and tokens that can be read?"""

from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.anatomy.patches import grid_of
from renaissance.grammar.checks.caching import cached_streams
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.head import Head
from renaissance.grammar.kinds.source import Detected, Modality, modality
from renaissance.grammar.places import Places
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Model


def check_patches(job: Pretrain, model: Model, places: Places, findings: Findings) -> None:
    """Report objectives that predict patches or regions of a model where none can be hidden.

    Neither can single tokens be read of texts that a fusion brings back with others.
    """
    for index, objective in enumerate(job.objectives):
        head = objective.head()
        if head is None or head.reads not in ("patches", "tokens"):
            continue
        if head.reads == "patches" and model.images_a_pair != 1:
            continue  # It shows one image, which `check_shown` says.
        found = _obstacle(model, head) if head.reads == "patches" else None
        found = found or _replaced(model, "vision" if head.reads == "patches" else "text")
        if found is None:
            continue
        label, help = found
        what = "hide regions" if head.predicts == "regions" else "hide patches"
        if head.reads == "tokens":
            what = "read tokens"
        path = ("jobs", job.name, "objectives", index)
        span = places.key(path) or places.value(path)
        assert span is not None  # an objective is written somewhere
        findings.add(
            Diagnostic(
                code="VL545",
                message=f"`{objective.word()}` cannot {what} of model `{model.name}`",
                span=span,
                label=label,
                help=(help,),
            )
        )


def _obstacle(model: Model, head: Head) -> tuple[str, str] | None:
    """Say why nothing can be hidden, or predicted, and what helps; None where it can."""
    if not model.vision:
        return None  # The fusion joins no images, and that is said of it.
    if len(model.vision) != 1:
        return f"there are {len(model.vision)} streams of images", "give the model one"
    [name] = model.vision
    stream = model.streams[name]
    if head.predicts == "regions":
        if isinstance(stream, Detected):
            return None
        return f"`{name}` reads pixels", "take a stream that reads regions of a detector"
    if isinstance(stream, Detected):
        why = f"`{name}` reads regions: what the detector says of others shows what is hidden"
        return why, "take a stream that reads pixels"
    known = architecture_of(stream)
    if known is not None and known.described and not known.sequence:
        why = f"`{name}` merges its patches from stage to stage, so that no token is one of them"
        return why, "take a ViT, or a stream that states its patches"
    if grid_of(stream) is None and known is not None:
        return (
            f"nobody knows the patches of `{name}`",
            "take a ViT, or a stream that states its patches",
        )
    if head.predicts == "features" and not any(
        name in cached_streams(directive, model.streams) for directive in model.freeze
    ):
        why = f"`{name}` learns, and its features change meanwhile"
        return why, f"write `freeze {name}`, for the whole of a `backbone`, or `target = pixels`"
    return None


def _replaced(model: Model, reads: Modality) -> tuple[str, str] | None:
    """Say which stream has other tokens behind the fusion, and what helps; None where none has."""
    fusion = model.fusion
    for name, stream in model.streams.items():
        if modality(stream) == reads and name in fusion.inputs and not fusion.keeps(name):
            why = f"behind `{fusion.word()}` other tokens stand in the place of those of `{name}`"
            return why, "take a fusion that keeps them, or leave the objective out"
    return None
