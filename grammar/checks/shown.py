"""Does each row bring the images that the streams of a model read?"""

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.source import Detected, reads_pixels
from renaissance.grammar.names import listing
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model


def check_shown(job: Pretrain | Finetune, model: Model, places: Places, findings: Findings) -> None:
    """Report what has other numbers of images a row than a model reads at once.

    Args:
        job: a training job.
        model: of the job.
        places: where everything was said.
        findings: receives what is wrong.
    """
    _every_pair(job, model, places, findings)
    _no_pixels(job, model, places, findings)
    _no_crops(job, model, places, findings)
    at_once = model.images_a_pair
    if at_once == 1:
        return
    asked: dict[Path, ObjectiveBlock | TaskBlock] = {}
    if isinstance(job, Finetune):
        asked[("task",)] = job.task
    else:
        asked |= {("objectives", place): one for place, one in enumerate(job.objectives)}
    for place, kind in asked.items():
        head, path = kind.head(), ("jobs", job.name, *place)
        shown = 1 if head is None else head.views
        if shown % at_once == 0:
            continue
        span = places.value(path) or places.key(path) or places.value(("jobs", job.name))
        assert span is not None  # a job's path is always known
        findings.add(
            Diagnostic(
                code="VL531",
                message=f"`{kind.word()}` shows {shown} image{'s' * (shown > 1)} a row",
                span=span,
                label=f"model `{model.name}` reads {at_once} at once",
                notes=(f"streams of images are {listing(model.vision)}",),
                help=("take a model with one stream of images, which reads each with the text",),
            )
        )


def _every_pair(job: Pretrain | Finetune, model: Model, places: Places, findings: Findings) -> None:
    """Every image is scored with every text where each of them is encoded once, as one stream."""
    if not isinstance(job, Finetune) or len(model.vision) == 1:
        return
    task, span = job.task, places.value(("jobs", job.name, "task"))
    if span is None or all(task.pairs(split) is None for split in task.splits()):
        return
    findings.add(
        Diagnostic(
            code="VL531",
            message=f"`{task.word()}` scores each image with each text, and an image is one stream",
            span=span,
            label=f"model `{model.name}` has {len(model.vision)} for it",
            notes=(f"streams of images are {listing(model.vision)}",),
            help=("take a model with one stream of images",),
        )
    )


def _no_pixels(job: Pretrain | Finetune, model: Model, places: Places, findings: Findings) -> None:
    """Random changes are those of pixels."""
    if not job.augment or any(reads_pixels(model.streams[name]) for name in model.vision):
        return
    path = ("jobs", job.name, "augment")
    span = places.key(path) or places.key((*path, 0)) or places.value(("jobs", job.name))
    assert span is not None  # a job's path is always known
    findings.add(
        Diagnostic(
            code="VL506",
            message="`augment` has no effect here",
            span=span,
            severity="warning",
            label=f"model `{model.name}` reads regions, and no pixels",
            help=("leave it out",),
        )
    )


def _no_crops(job: Pretrain | Finetune, model: Model, places: Places, findings: Findings) -> None:
    """A detector has looked at whole photographs, and not at parts of them."""
    detected = [name for name in model.vision if isinstance(model.streams[name], Detected)]
    span = places.value(("jobs", job.name, "task"))
    if not isinstance(job, Finetune) or not job.task.crops or not detected or span is None:
        return
    findings.add(
        Diagnostic(
            code="VL531",
            message=f"`{job.task.word()}` shows parts of photographs",
            span=span,
            label=f"`{detected[0]}` of model `{model.name}` reads regions of whole ones",
            help=("take a model whose streams of images read pixels",),
        )
    )
