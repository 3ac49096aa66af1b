"""Learning curves of variants: the mean over seeds, and a band from the least to the largest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from renaissance.grammar.measured import quantity_of
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.report.chart import Series, line_chart
from renaissance.runtime.report.curves import (
    WIDE,
    Panel,
    Points,
    by_name,
    smooth,
    thinned,
)
from renaissance.runtime.report.folder import Log, read_log
from renaissance.runtime.studies.results import CellResults, JobResults, StudyResults


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPanels:
    """The charts of a training job."""

    job: str
    panels: tuple[Panel, ...]


def learning_curves(
    results: StudyResults, specs: Mapping[str, Spec], colours: Mapping[str, int]
) -> tuple[JobPanels, ...]:
    """Return the charts of each training job; variants that share all stages of it are one.

    Args:
        results: of the study.
        specs: by variant, as far as they are known.
        colours: by variant.
    """
    variants = [results.of_variant(levels) for levels in results.variants]
    jobs = dict.fromkeys(
        name for cell in results.cells for name, job in cell.jobs.items() if job.kind != "evaluate"
    )
    made = []
    for job in jobs:
        panels = tuple(_panels(job, _groups(job, variants), specs, colours))
        if panels:
            made.append(JobPanels(job=job, panels=panels))
    return tuple(made)


def _groups(
    job: str, variants: Sequence[Sequence[CellResults]]
) -> dict[str, tuple[str, list[JobResults]]]:
    """Return by name of a group its first variant, and its runs of a job."""
    found: dict[tuple[str, ...], list[Sequence[CellResults]]] = {}
    for cells in variants:
        stages = tuple(cell.jobs[job].stage for cell in cells if job in cell.jobs)
        if stages:
            found.setdefault(stages, []).append(cells)
    groups = {}
    for members in found.values():
        names = [cells[0].variant for cells in members]
        everything = len(members) == len(variants) > 1
        label = "all variants" if everything else ", ".join(names)
        groups[label] = (names[0], [cell.jobs[job] for cell in members[0] if job in cell.jobs])
    return groups


def _panels(
    job: str,
    groups: Mapping[str, tuple[str, list[JobResults]]],
    specs: Mapping[str, Spec],
    colours: Mapping[str, int],
) -> Iterator[Panel]:
    quantities: dict[tuple[str, bool], list[Series]] = {}
    for label, (variant, runs) in groups.items():
        logs = [read_log(run.curve) for run in runs if run.curve is not None]
        for quantity, curves in _quantities(logs).items():
            series = _banded(label, curves, colours[variant])
            if series is not None:
                quantities.setdefault(quantity, []).append(series)
    for (name, held_out), lines in quantities.items():
        values = [y for line in lines for _, y in line.points]
        lowest = min(min((low for _, low, _ in line.band), default=1.0) for line in lines)
        spec = next((specs[variant] for variant, _ in groups.values() if variant in specs), None)
        rate = quantity_of(spec, job, name).share
        log = not rate and min(*values, lowest) > 0 and max(values) / min(values) > WIDE
        title = name.replace("_", " ").capitalize() + (", held out" if held_out else "")
        yield Panel(
            title=title,
            svg=line_chart(
                lines,
                scale="rate" if rate else "log" if log else "linear",
                title=f"{title}, %" if rate else title,
                label=f"{title} of {job} over its steps, by variant",
            ),
            series=tuple(lines),
        )


def _quantities(logs: Iterable[Log]) -> dict[tuple[str, bool], list[Points]]:
    """Return curves by name and whether they are of held-out data, one for each log.

    A metric that was measured on held-out data more than once is shown of these alone.
    """
    found: dict[tuple[str, bool], list[Points]] = {}
    for log in logs:
        losses = by_name((entry.step, {"loss": entry.loss}) for entry in log.steps)
        metrics = by_name((entry.step, entry.metrics) for entry in log.steps)
        held = by_name((entry.step, entry.metrics) for entry in log.validations)
        held = {name: points for name, points in held.items() if len(points) > 1}
        learned = {name: points for name, points in metrics.items() if name not in held}
        for name, points in (losses | learned).items():
            found.setdefault((name, False), []).append(smooth(points))
        for name, points in held.items():
            found.setdefault((name, True), []).append(points)
    return found


def _banded(label: str, curves: Sequence[Points], colour: int) -> Series | None:
    """Return the mean of curves at the steps that all have, with its band."""
    values = [dict(points) for points in curves]
    common = sorted(set.intersection(*(set(each) for each in values)))
    if not common:
        return None
    steps = [step for step, _ in thinned(tuple((step, 0.0) for step in common))]
    columns = [[each[step] for each in values] for step in steps]
    pairs = list(zip(steps, columns, strict=True))
    band = tuple((step, min(column), max(column)) for step, column in pairs)
    return Series(
        label=label if len(curves) == 1 else f"{label} ({len(curves)} seeds)",
        points=tuple((step, sum(column) / len(column)) for step, column in pairs),
        colour=colour,
        band=band if len(curves) > 1 else (),
    )
