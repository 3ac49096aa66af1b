"""Are there patches, or regions, that can be hidden?"""

from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.anatomy.patches import grid_of
from renaissance.grammar.checks.caching import cached_streams
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.head import Head
from renaissance.grammar.kinds.source import Detected
from renaissance.grammar.places import Places
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Model


def check_patches(job: Pretrain, model: Model, places: Places, findings: Findings) -> None:
    """Report objectives that predict patches or regions of a model where none can be hidden."""
    for index, objective in enumerate(job.objectives):
        head = objective.head()
        if head is None or head.reads != "patches":
            continue
        if model.images_a_pair != 1:
            continue  # It shows one image, which `check_shown` says.
        found = _obstacle(model, head)
        if found is None:
            continue
        label, help = found
        what = "regions" if head.predicts == "regions" else "patches"
        path = ("jobs", job.name, "objectives", index)
        span = places.key(path) or places.value(path)
        assert span is not None  # an objective is written somewhere
        findings.add(
            Diagnostic(
                code="VL545",
                message=f"`{objective.word()}` cannot hide {what} of model `{model.name}`",
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
