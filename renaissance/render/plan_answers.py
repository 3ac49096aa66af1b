"""What a plan is asked for, in a few lines: does it fit, how long, at what cost, what helps."""

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from renaissance.compiler.amounts import in_bytes, per_second, predicted
from renaissance.compiler.planning.job_plan import JobPlan
from renaissance.compiler.planning.spec_plan import Plan
from renaissance.render.folded import Hung


def answers(plan: Plan, price: float | None = None) -> Iterator[Hung | Text]:
    """Yield the lines that a plan begins with; jobs that agree have theirs together.

    Args:
        plan: the plan.
        price: of an hour of the machine.
    """
    said: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for job in plan.jobs:
        fits = job.fit is None or job.fit.fits
        lines = [_memory(job, plan), *_remedies(job), *_length(job, plan, price)]
        lines += [*_speed(job), *_savings(job), *job.begins, *_disk(job)]
        said.setdefault((fits, tuple(lines)), []).append(job.name)
    for (fits, (first, *others)), names in said.items():
        yield Hung(f"{', '.join(names)}: {first}", style="bold" if fits else "bold red")
        for line in others:
            yield Hung(line, indent=2)
    seconds = [job.run.seconds for job in plan.jobs]
    known = [time for time in seconds if time is not None]
    if len(seconds) > 1 and len(known) == len(seconds):
        yield Hung(f"all jobs: {_cost(sum(known), plan, price)}", style="bold")
    if plan.jobs:
        yield Text("")


def costs(plan: Plan, price: float) -> dict[str, Any]:
    """Return what jobs cost at a price of an hour; None where their time is not known."""
    each = {
        job.name: None if job.run.seconds is None else price * job.run.seconds / 3600
        for job in plan.jobs
    }
    known = [cost for cost in each.values() if cost is not None]
    return {"hour": price, "jobs": each, "all": sum(known) if len(known) == len(each) else None}


def _length(job: JobPlan, plan: Plan, price: float | None) -> Iterator[str]:
    """Say how long a job takes, or what to state so that this is known."""
    if job.run.seconds is not None:
        yield f"takes {_cost(job.run.seconds, plan, price)}"
    elif plan.machine is not None:
        yield f"time: {job.run.missing}"


def _cost(seconds: float, plan: Plan, price: float | None) -> str:
    hours = seconds / 3600
    said = [predicted(seconds)]
    if plan.device == "cuda":
        many = "under 0.01" if hours < 0.01 else f"{hours:.3g}" if hours < 100 else f"{hours:,.0f}"
        said.append(f"{many} GPU-hours")
    if price is not None:
        said.append(f"{price * hours:,.2f} at {price:,.2f} an hour")
    return ", ".join(said)


def _savings(job: JobPlan) -> Iterator[str]:
    """Say what freezing each tower would save."""
    for saving in job.savings:
        share = f"{saving.share:.0%} of the time"
        time = share if saving.seconds is None else f"{predicted(saving.seconds)} ({share})"
        yield f"freezing `{saving.tower}` would save {time} and {in_bytes(saving.bytes)}"


def _memory(job: JobPlan, plan: Plan) -> str:
    needed = in_bytes(job.peak.memory.peak)
    parts = f" in passes of {job.micro_batch}" if job.micro_batch < job.batch else ""
    again = ", layers computed again," if job.recomputes else ""
    step = f"a step of {job.batch} texts{parts}{again} needs {needed}"
    if job.fit is None or plan.machine is None:
        return f"{step} on a {'GPU' if plan.device == 'cuda' else 'CPU'}" + (
            ""
            if plan.machine
            else "; `--gpu NAME`, or `--bench FILE` for a machine at hand, says whether it fits"
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
    if job.kind == "evaluate" and job.run.seconds is not None and job.run.seconds < 1:
        return  # over before workers matter
    reading = job.reading
    readers = f"{reading.workers} workers decode" if reading.workers else "one process decodes"
    verdict = (
        f"data hold it back ({reading.wanted:,} workers would not)"
        if reading.holds_back
        else "data keep up"
    )
    yield (
        f"{per_second(reading.images_per_second)} images/s wanted, {readers} "
        f"{per_second(reading.decoded_per_second)}: {verdict}"
    )


def _disk(job: JobPlan) -> Iterator[str]:
    if job.checkpoint is not None:
        yield (
            f"a checkpoint takes {in_bytes(job.checkpoint.bytes)}, "
            f"{predicted(job.checkpoint.seconds)} at {in_bytes(job.checkpoint.rate)}/s; "
            "steps wait for it"
        )
