"""Losses and metrics of a job over its steps, from the log to charts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from renaissance.grammar.measured import quantity_of
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.report.chart import Scale, Series, line_chart
from renaissance.runtime.report.figures import count
from renaissance.runtime.report.folder import JobRun

MOST_POINTS = 240
COLOURS = 4
# A loss that falls this far is drawn on a logarithmic scale, or its end is a flat line.
WIDE = 20.0

EXACT = ("Learning rate", "Memory, GB")
"""Titles of what does not vary by chance: drawn as it is."""

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A chart, its title and its legend."""

    title: str
    svg: Markup
    series: tuple[Series, ...]


def panels(run: JobRun, spec: Spec | None) -> tuple[Panel, ...]:
    """Return a job's charts: its losses, its shares together, then every other metric by itself.

    Args:
        run: of the job.
        spec: of the run, which tells what metrics are; None where it is not known.
    """
    log = run.log
    losses = by_name(
        (entry.step, {"sum": entry.loss, **entry.losses} if len(entry.losses) > 1 else entry.losses)
        if entry.losses
        else (entry.step, {"loss": entry.loss})
        for entry in log.steps
    )
    held_losses = by_name((entry.step, entry.losses) for entry in log.validations)
    metrics = by_name((entry.step, entry.metrics) for entry in log.steps)
    held_metrics = by_name((entry.step, entry.metrics) for entry in log.validations)
    # Parts of a split, such as kinds of questions, are too many for one chart.
    names = [name for name in dict.fromkeys((*metrics, *held_metrics)) if "." not in name]
    shares = [name for name in names if quantity_of(spec, run.name, name).share]
    groups = [shares] if shares else []
    groups += [[name] for name in names if name not in shares]
    marks = [
        (
            entry.step,
            f"step {count(entry.step)}: {_and(entry.addresses) or 'a part'} begins to learn",
        )
        for entry in log.thaws
    ]
    made = []
    if losses or held_losses:
        both = list(dict.fromkeys((*losses, *held_losses)))
        made.append(_panel("Loss", both, losses, held_losses, marks, run.name))
    for group in groups:
        title = group[0].replace("_", " ").capitalize() if len(group) == 1 else "Metrics"
        made.append(
            _panel(title, group, metrics, held_metrics, marks, run.name, rate=group is shares)
        )
    told = {
        "Learning rate": [(entry.step, entry.lr) for entry in log.steps],
        "Norm of the gradient": [(entry.step, entry.gradient_norm) for entry in log.steps],
        "Texts a second": [(entry.step, entry.texts_per_second) for entry in log.steps],
        "Memory, GB": [(entry.step, entry.memory and entry.memory / 1e9) for entry in log.steps],
    }
    for title, found in told.items():
        name = title.lower()
        curve = by_name((step, {name: value}) for step, value in found if value is not None)
        if curve:
            smoothed = title not in EXACT
            made.append(_panel(title, [name], curve, {}, marks, run.name, smoothed=smoothed))
    return tuple(made)


def _panel(
    title: str,
    names: Sequence[str],
    training: Mapping[str, Points],
    held_out: Mapping[str, Points],
    marks: Sequence[tuple[float, str]],
    job: str,
    *,
    rate: bool = False,
    smoothed: bool = True,
) -> Panel:
    lines = []
    for index, name in enumerate(names):
        colour = index % COLOURS
        spelled = name.replace("_", " ")
        if name in training:
            points = thinned(smooth(training[name]) if smoothed else training[name])
            lines.append(Series(label=spelled, points=points, colour=colour))
        if name in held_out:
            label = f"{spelled}, held out"
            lines.append(Series(label=label, points=held_out[name], colour=colour, dots=True))
    values = [y for line in lines for _, y in line.points]
    scale: Scale = "rate" if rate else "linear"
    if not rate and min(values) > 0 and max(values) / min(values) > WIDE:
        scale = "log"
    svg = line_chart(
        lines,
        scale=scale,
        title=f"{title}, %" if rate else title,
        label=f"{title} of {job} over its steps",
        marks=marks,
    )
    return Panel(title=title, svg=svg, series=tuple(lines))


def by_name(entries: Iterable[tuple[int, Mapping[str, float]]]) -> dict[str, Points]:
    """Turn a value of each name at each step into a curve of each name, finite values alone."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for step, values in entries:
        for name, value in values.items():
            if math.isfinite(value):
                curves.setdefault(name, []).append((step, value))
    return {name: tuple(points) for name, points in curves.items()}


def smooth(points: Points) -> Points:
    """Average each value with those before it, weights falling over a fiftieth of the curve.

    The weights of the mean sum to 1 from the first value on, so the beginning is not pulled to 0.
    """
    keep = math.exp(-50 / max(len(points), 50))
    mean = weight = 0.0
    smoothed = []
    for step, value in points:
        mean = keep * mean + (1 - keep) * value
        weight = keep * weight + (1 - keep)
        smoothed.append((step, mean / weight))
    return tuple(smoothed)


def thinned(points: Points) -> Points:
    """Take evenly spread points, the first and the last among them."""
    if len(points) <= MOST_POINTS:
        return points
    stride = (len(points) - 1) / (MOST_POINTS - 1)
    return tuple(points[round(index * stride)] for index in range(MOST_POINTS))


def _and(words: Sequence[str]) -> str:
    shown = list(words[:4])
    if len(words) > 4:
        shown.append(f"{len(words) - 4} more")
    return ", ".join(shown)
