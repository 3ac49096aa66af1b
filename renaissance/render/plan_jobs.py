"""What the jobs of a plan cost, as tables."""

from collections.abc import Callable, Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from renaissance.compiler.amounts import amount, in_bytes, in_flops, per_second, predicted
from renaissance.compiler.planning.job_plan import JobPlan, SearchPlan, Stage
from renaissance.compiler.planning.spec_plan import Plan
from renaissance.grammar.names import listing, plural
from renaissance.render.folded import Folded, Hung

_NUMBERS = ("parameters", "trainable")


def job_tables(plan: Plan) -> Iterator[RenderableType]:
    """Yield what jobs cost: FLOPs, what is shared and read, memory, and time on a machine."""
    yield Folded(_flops(plan.jobs))
    yield Text("")
    yield from _lines(plan.jobs)
    yield Folded(_memory(plan))
    if plan.machine is not None:
        yield Text("")
        yield Folded(_time(plan))
    yield from _remarks(plan)


def _flops(jobs: Iterable[JobPlan]) -> Table:
    table = _table("FLOPs of a text", "model", "parameters", "trainable")
    for column in ("forward", "to inputs", "to weights", "again", "training"):
        table.add_column(column, justify="right", no_wrap=True)
    for job, name, stage in _stages(jobs):
        flops = stage.flops_per_sample
        table.add_row(
            name,
            job.model.name,
            amount(job.model.parameters.total),
            amount(stage.trainable) if stage.trainable else "none",
            amount(flops.forward),
            amount(flops.to_inputs),
            amount(flops.to_weights),
            amount(flops.recomputed),
            amount(flops.training),
        )
    return table


def _lines(jobs: Iterable[JobPlan]) -> Iterator[Hung | Text]:
    """Yield what is shared, read and not read; jobs that agree have their lines together."""
    said: dict[tuple[str, ...], list[str]] = {}
    for job in jobs:
        said.setdefault(tuple(_sentences(job)), []).append(job.name)
    for sentences, names in said.items():
        yield Text(", ".join(names), style="bold")
        for sentence in sentences:
            yield Hung(sentence, indent=2)
        yield Text("")


def _sentences(job: JobPlan) -> Iterator[str]:
    grouped = f", up to {job.texts_per_image} about an image" if job.texts_per_image > 1 else ""
    if job.has_text:
        yield f"{job.kind}: a text has {job.tokens} tokens; {job.batch} texts a step{grouped}"
    else:
        yield f"{job.kind}: no text but {job.tokens} special tokens; {job.batch} images a step"
    if job.kind != "evaluate" and job.micro_batch < job.batch:
        yield f"a pass takes {job.micro_batch} of them, of similar length"
    for tower in job.sharing.towers:
        once = f", {tower.unshared:,} without sharing" if tower.unshared > tower.rows else ""
        texts = plural(job.sharing.texts, "text")
        yield f"`{tower.stream}` encodes {plural(tower.rows, 'row')} for {texts}{once}"
    if job.sharing.training:
        saved = in_flops(job.sharing.training)
        share = job.sharing.training / (job.sharing.training + job.model.flops_per_sample.training)
        yield f"sharing saves {saved} a text ({share:.0%} of the work without it)"
    yield from job.rates
    if job.average is not None:
        yield job.average
    yield from job.compares
    if job.search is not None:
        yield from _searched(job.search)
    for reading in job.reads:
        yield f"head {reading}"
    if job.unread:
        parts = listing(job.unread)
        count = amount(job.model.parameters.unread)
        yield f"read by no head, so neither computed nor trained: {parts} ({count} parameters)"


def _searched(search: SearchPlan) -> Iterator[str]:
    """Say what an evaluation of all pairs computes."""
    everything = search.images * search.texts
    said = [f"{search.images:,} images × {search.texts:,} texts are {everything:,} pairs"]
    if search.products:
        said.append(f"the product of their vectors compares all: {in_flops(search.products)}")
    if search.pairs:
        least = search.pairs < everything
        scored = f"{search.pairs:,} of them, at most" if least else "all of them"
        said.append(f"the fusion scores {scored}: {in_flops(search.joining)}")
    yield "; ".join(said)
    share = (search.encoding + search.joining + search.products) / search.plain
    yield (
        f"images and texts are encoded once each: {in_flops(search.encoding)}; every pair "
        f"through the whole model would take {in_flops(search.plain)}, {1 / share:,.1f} times as "
        "much"
    )


def _memory(plan: Plan) -> Table:
    device = "GPU" if plan.device == "cuda" else "CPU"
    table = _table(f"memory ({device})", "pass")
    averaged = any(stage.memory.average for _, _, stage in _stages(plan.jobs))
    kept: tuple[str, ...] = ("average",) if averaged else ()
    moving = any(stage.memory.momentum for _, _, stage in _stages(plan.jobs))
    kept += ("momentum",) if moving else ()
    columns = ("parameters", "optimizer", *kept, "gradients", "activations", "temporary", "peak")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for job, name, stage in _stages(plan.jobs):
        memory = stage.memory
        table.add_row(
            name,
            f"{job.micro_batch} × {job.precision}{', recomputed' if job.recomputes else ''}",
            in_bytes(memory.parameters),
            in_bytes(memory.optimizer),
            *(in_bytes(getattr(memory, column)) for column in kept),
            in_bytes(memory.gradients),
            in_bytes(memory.activations),
            in_bytes(memory.temporary),
            in_bytes(memory.peak),
        )
    return table


def _time(plan: Plan) -> Table:
    assert plan.machine is not None
    table = _table(plan.machine.name, "a step is bound by")
    for column in ("step", "texts/s", "steps", "job"):
        table.add_column(column, justify="right", no_wrap=True)
    for job, name, stage in _stages(plan.jobs):
        if stage.speed is None:
            continue
        last = stage is job.stages[-1]
        table.add_row(
            name,
            stage.speed.bound,
            predicted(stage.speed.step),
            per_second(stage.speed.texts_per_second),
            "?" if stage.steps is None else f"{stage.steps:,}",
            "" if not last else "?" if job.run.seconds is None else predicted(job.run.seconds),
        )
    return table


def _remarks(plan: Plan) -> Iterator[Hung]:
    if plan.machine is not None:
        machine = plan.machine
        yield Hung(
            f"times suppose {machine.efficiency:.0%} of the peaks of {machine.name} "
            f"\n({machine.source}), an assumption; data are taken to be ready",
        )
    if plan.machine is not None:
        for missing in dict.fromkeys(job.run.missing for job in plan.jobs if job.run.missing):
            names = ", ".join(job.name for job in plan.jobs if job.run.missing == missing)
            yield Hung(f"{names}: {missing}")


def _stages(jobs: Iterable[JobPlan]) -> Iterator[tuple[JobPlan, str, Stage]]:
    for job in jobs:
        for stage in job.stages:
            from_ = f" from {stage.start}" if len(job.stages) > 1 else ""
            yield job, f"{job.name}{from_}", stage


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        justify: Callable[..., None] = table.add_column
        # Not as markup: it may be the name of a machine.
        heading = Text(column)
        justify(heading, justify="right" if column in _NUMBERS and number else "left", no_wrap=True)
    return table
