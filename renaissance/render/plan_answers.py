"""What a plan is asked for, in a few lines: does it fit, how fast is it, will it wait."""

from collections.abc import Iterator

from rich.text import Text

from renaissance.compiler.amounts import in_bytes, per_second, predicted
from renaissance.compiler.planning.figures import JobPlan, Plan


def answers(plan: Plan) -> Iterator[Text]:
    """Yield the lines that a plan begins with."""
    for job in plan.jobs:
        fits = job.fit is None or job.fit.fits
        yield Text(f"{job.name}: {_memory(job, plan)}", style="bold" if fits else "bold red")
        for line in (*_remedies(job), *_speed(job), *_disk(job)):
            yield Text(f"  {line}")
    if plan.jobs:
        yield Text("")


def _memory(job: JobPlan, plan: Plan) -> str:
    needed = in_bytes(job.peak.memory.peak)
    parts = f" in passes of {job.micro_batch}" if job.micro_batch < job.batch else ""
    again = ", layers computed again," if job.recomputes else ""
    step = f"a step of {job.batch} texts{parts}{again} needs {needed}"
    if job.fit is None or plan.machine is None:
        return f"{step} on a {'GPU' if plan.device == 'cuda' else 'CPU'}" + (
            "" if plan.machine else "; --gpu NAME says whether it fits"
        )
    room = f"{in_bytes(job.fit.room)} counted on of {plan.machine.name}"
    return f"fits: {step} of {room}" if job.fit.fits else f"does not fit: {step}, over {room}"


def _remedies(job: JobPlan) -> Iterator[str]:
    if job.fit is None or job.fit.fits:
        return
    for remedy in job.fit.remedies:
        slower = "" if remedy.slowdown is None else f" and {remedy.slowdown:.2f} × the time"
        yield f"{remedy.change} would fit: {in_bytes(remedy.peak)}{slower}"
    if job.kind == "evaluate":
        yield "a smaller `batch` helps"
    elif not job.fit.remedies:
        yield "no micro-batch would fit: freeze a tower, take a smaller model or a larger machine"


def _speed(job: JobPlan) -> Iterator[str]:
    speeds = [stage.speed for stage in job.stages if stage.speed is not None]
    if not speeds or job.reading is None:
        return
    slowest = max(speeds, key=lambda speed: speed.step)
    step = "a step" if len(speeds) == 1 else "a step of the slowest stage"
    yield (
        f"{predicted(slowest.step)} {step}, {per_second(slowest.texts_per_second)} texts/s, "
        f"bound by {slowest.bound}"
    )
    reading = job.reading
    readers = f"{reading.workers} workers decode" if reading.workers else "one process decodes"
    verdict = (
        f"data hold it back ({reading.wanted:,} would not)"
        if reading.holds_back
        else "data keep up"
    )
    yield (
        f"{per_second(reading.images_per_second)} images/s wanted, {readers} "
        f"{per_second(reading.decoded_per_second)} photographs: {verdict}"
    )


def _disk(job: JobPlan) -> Iterator[str]:
    if job.checkpoint is not None:
        yield (
            f"a checkpoint takes {in_bytes(job.checkpoint.bytes)}, "
            f"{predicted(job.checkpoint.seconds)} at {in_bytes(job.checkpoint.rate)}/s; "
            "steps wait for it"
        )
