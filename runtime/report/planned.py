"""What was planned for the steps of a run beside what was measured of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from renaissance.compiler.amounts import in_bytes
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.runtime.report import figures
from renaissance.runtime.report.folder import JobRun, RunFolder

OTHER_FORMS = ("pcie", "nvl", "mig", "laptop")
"""What the name of a GPU says where published figures are of another form of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A training job; pairs are what was planned and what was measured, as they are spelled.

    Attributes:
        job: its name.
        operations: of a step, as planned.
        tokens: of a text, as planned.
        time: of a step.
        memory: of the largest step on a GPU.
        reached: operations a second, and the share of what the GPU can do, where that is known.
    """

    job: str
    operations: str
    tokens: int
    time: tuple[str, str]
    memory: tuple[str, str]
    reached: str


def machine_of(run: RunFolder) -> Any:
    """Return the machine with published figures that all jobs ran on; None if there is none."""
    from renaissance.compiler.planning.machines import GPUS

    devices = {start.device for job in run.jobs for start in job.log.starts}
    if len(devices) != 1:
        return None
    (device,) = devices
    words = re.findall(r"[a-z0-9]+", device.lower())
    if not {"processes", *OTHER_FORMS}.isdisjoint(words):
        return None
    said = {*words, *map("".join, pairwise(words))}  # `RTX 4090` is `rtx4090`
    name = next((name for name in GPUS if name in said), None)
    if name == "a100" and "80gb" in said:
        name = "a100-80"
    machine = None if name is None else GPUS[name]
    jobs = () if run.spec is None else run.spec.jobs.values()
    wanted = {job.precision for job in jobs if not isinstance(job, Evaluate)}
    return None if machine and None in {getattr(machine, name) for name in wanted} else machine


def beside(run: RunFolder, plan: Mapping[str, Any], machine: Any) -> tuple[Beside, ...]:
    """Return the training jobs of which steps are logged.

    Args:
        run: what the folder holds.
        plan: a plan's dictionary, made for the machine.
        machine: with figures of what it can do; None for none.
    """
    planned = {job["name"]: job for job in plan["jobs"] if job.get("stages")}
    return tuple(
        _beside(job, planned[job.name], machine)
        for job in run.jobs
        if job.log.steps and job.name in planned
    )


def columns(steps: Sequence[Beside]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return headings with a cell for each job; without columns that have no value at all."""
    found = (
        ("Operations planned", tuple(step.operations for step in steps)),
        ("Time planned", tuple(step.time[0] for step in steps)),
        ("Time measured", tuple(step.time[1] for step in steps)),
        ("Operations a second", tuple(step.reached for step in steps)),
        ("Memory planned", tuple(step.memory[0] for step in steps)),
        ("GPU memory measured", tuple(step.memory[1] for step in steps)),
    )
    return tuple(column for column in found if set(column[1]) != {figures.DASH})


def _beside(run: JobRun, planned: Mapping[str, Any], machine: Any) -> Beside:
    stages: Sequence[Mapping[str, Any]] = planned["stages"]
    # Of a thawing model the last stage is what most steps are like.
    stage, batch = stages[-1], planned["batch"]
    operations = batch * stage.get("flops_per_sample", {}).get("training", 0)
    speed = stage.get("speed")
    rates = [step.texts_per_second for step in run.log.steps if step.texts_per_second]
    seconds = batch / median(rates) if rates else None
    held = max((step.memory or 0 for step in run.log.steps), default=0)
    return Beside(
        job=run.name,
        operations=figures.magnitude(operations),
        tokens=planned["tokens"],
        time=(
            _duration(speed["step"] if speed else None),
            _duration(seconds),
        ),
        memory=(
            in_bytes(max(one["memory"]["peak"] for one in stages)),
            in_bytes(held) if held else figures.DASH,
        ),
        reached=_reached(operations, seconds, planned["precision"], machine),
    )


def _duration(seconds: float | None) -> str:
    """Spell the time of a step, which may be short."""
    if seconds is None or seconds >= 1:
        return figures.duration(seconds)
    return f"{seconds * 1e3:.3g}{figures.NO_BREAK}ms"


def _reached(operations: float, seconds: float | None, precision: Any, machine: Any) -> str:
    """Spell operations a second, and their share of the peak of a machine."""
    if not seconds or not operations:
        return figures.DASH
    rate = operations / seconds
    said = f"{figures.magnitude(round(rate))}FLOP/s"
    if machine is None:
        return said
    return f"{said}, {figures.share(rate / machine.peak(precision))} of {machine.name}"
