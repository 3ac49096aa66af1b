"""What a plan is asked for, in a few lines: does it fit, how fast is it, will it wait."""

from collections.abc import Iterator

from rich.text import Text

from renaissance.compiler.planning.figures import JobPlan, Plan
from renaissance.compiler.planning.tables import duration, in_bytes


def answers(plan: Plan) -> Iterator[Text]:
    """Yield the lines that a plan begins with."""
    for job in plan.jobs:
        fits = job.fit is None or job.fit.fits
        yield Text(f"{job.name}: {_memory(job, plan)}", style="bold" if fits else "bold red")
        for line in (*_speed(job), *_disk(job)):
            yield Text(f"  {line}")
    if plan.jobs:
        yield Text("")


def _memory(job: JobPlan, plan: Plan) -> str:
    needed = in_bytes(job.peak.memory.peak)
    again = ", layers computed again" if job.recomputes else ""
    step = f"a step of {job.batch} texts" + (
        f" in passes of {job.micro_batch}" if job.micro_batch < job.batch else ""
    )
    if job.fit is None or plan.machine is None:
        device = "GPU" if plan.device == "cuda" else "CPU"
        hint = "" if plan.machine is not None else "; --gpu NAME says whether and how fast it runs"
        return f"{step}{again} needs {needed} on a {device}{hint}"
    room = f"{in_bytes(job.fit.room)} that are counted on of {plan.machine.name}"
    if job.fit.fits:
        return f"fits: {step}{again} needs {needed} of the {room}"
    return f"does not fit: {step}{again} needs {needed}, more than the {room}; {_remedies(job)}"


def _remedies(job: JobPlan) -> str:
    assert job.fit is not None  # it was judged
    said = [
        f"{remedy.change} needs {in_bytes(remedy.peak)}"
        + ("" if remedy.slowdown is None else f" and {remedy.slowdown:.2f} × the time")
        for remedy in job.fit.remedies
    ]
    if said:
        return ", ".join(said)
    if job.kind == "evaluate":
        return "a smaller `batch` helps"
    return "no micro-batch would: freeze a tower, take a smaller model or a larger machine"


def _speed(job: JobPlan) -> Iterator[str]:
    speeds = [stage.speed for stage in job.stages if stage.speed is not None]
    if not speeds or job.reading is None:
        return
    slowest = max(speeds, key=lambda speed: speed.step)
    yield (
        f"{duration(slowest.step)} a step, {slowest.texts_per_second:,.0f} texts/s, "
        f"bound by {slowest.bound}" + ("" if len(speeds) == 1 else "; that of its slowest stage")
    )
    reading = job.reading
    needed, decoded = f"{reading.images_per_second:,.0f}", f"{reading.decoded_per_second:,.0f}"
    if not reading.holds_back:
        yield (
            f"data keep up: it takes {needed} images/s, and `workers = {reading.workers}` "
            f"decode about {decoded}"
        )
        return
    who = f"`workers = {reading.workers}` decode" if reading.workers else "one process decodes"
    kept = any(one.modality == "vision" and one.obstacle is None for one in job.model.caching)
    yield (
        f"data hold it back: it takes {needed} images/s, and {who} about {decoded}; "
        f"`workers = {reading.wanted}` would do" + (", until features are kept" if kept else "")
    )


def _disk(job: JobPlan) -> Iterator[str]:
    if job.checkpoint is not None:
        yield (
            f"a checkpoint takes {in_bytes(job.checkpoint.bytes)}, "
            f"{duration(job.checkpoint.seconds)} at {in_bytes(job.checkpoint.rate)}/s; "
            "steps wait for it"
        )
