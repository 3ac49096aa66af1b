"""The plots of a metric: seeds by variant, and scores against what they cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from renaissance.compiler.amounts import amount, duration
from renaissance.runtime.report.figures import NO_BREAK
from renaissance.runtime.report.figures import metric as spelled
from renaissance.runtime.studies.answer import Answer, Line, Measure, Spent
from renaissance.runtime.studies.page.charts import (
    COLOURS,
    Dots,
    Point,
    Told,
    cost_chart,
    dot_chart,
    front,
)
from renaissance.runtime.studies.words import INCOMPARABLE, LESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A drawing, what it shows, and the names of its points by number."""

    svg: Markup
    title: str
    points: tuple[Point, ...] = ()


def colours_of(found: Answer) -> dict[str, int]:
    """Return which colour of the style sheet each variant has in all plots."""
    return {spent.variant: place % COLOURS for place, spent in enumerate(found.spent)}


def dot_plot(measure: Measure, baseline: str, colours: Mapping[str, int]) -> Plot | None:
    """Draw the seeds of each variant; None where nothing was measured."""
    rows = [
        Dots(
            label=_named(line),
            values=tuple(line.values.values()),
            mean=line.score.mean,
            interval=line.score.interval,
            colour=colours[line.variant],
        )
        for line in measure.lines
        if line.score is not None
    ]
    if not rows:
        return None
    means = {line.variant: line.score.mean for line in measure.lines if line.score is not None}
    svg = dot_chart(
        rows,
        quantity=measure.quantity,
        baseline=means.get(baseline),
        title=_axis(measure),
        label=f"{measure.metric} of {measure.evaluation} by variant",
        told=partial(spelled, measure.quantity),
    )
    return Plot(svg=svg, title="Seeds, mean and its 95% interval")


def cost_plot(measure: Measure, spent: Sequence[Spent], colours: Mapping[str, int]) -> Plot | None:
    """Draw scores over operations of training, or over its time; None where neither is known."""
    scored = [line for line in measure.lines if line.score is not None]
    of = {each.variant: each.costs for each in spent}
    operations = {line.variant: of[line.variant].operations for line in scored}
    seconds = {line.variant: of[line.variant].seconds for line in scored}
    unit: Told = _operations
    if operations and all(operations.values()):
        title, costs = "Score against training operations", operations
        axis = "Training operations of a seed, FLOP"
    elif seconds and all(seconds.values()):
        title, costs, unit = "Score against training time", seconds, _time
        axis = "Training time of a seed"
    else:
        return None
    known = [(line, costs[line.variant] or 0.0) for line in scored]
    points = _points(measure, known, colours)
    svg = cost_chart(
        points,
        quantity=measure.quantity,
        titles=(axis, _axis(measure)),
        label=f"{measure.metric} of {measure.evaluation} against what training cost",
        unit=unit,
        told=partial(spelled, measure.quantity),
    )
    return Plot(svg=svg, title=title, points=points)


def _points(
    measure: Measure, known: Sequence[tuple[Line, float]], colours: Mapping[str, int]
) -> tuple[Point, ...]:
    places = {
        line.variant: (cost, line.score.mean) for line, cost in known if line.score is not None
    }
    alike = [line.variant for line, _ in known if not line.incomparable]
    best = front(
        [places[variant] for variant in alike],
        larger_is_better=not measure.quantity.less_is_better,
    )
    leads = dict(zip(alike, best, strict=True))
    return tuple(
        Point(
            number=number,
            label=_named(line),
            cost=cost,
            score=places[line.variant][1],
            interval=None if line.score is None else line.score.interval,
            colour=colours[line.variant],
            front=leads.get(line.variant, False),
        )
        for number, (line, cost) in enumerate(known, 1)
    )


def _named(line: Line) -> str:
    """Return the variant, and whether it has no place beside the others."""
    return f"{line.variant} ({INCOMPARABLE})" if line.incomparable else line.variant


def _axis(measure: Measure) -> str:
    """Return the title of an axis of scores: `Accuracy of exam, %`."""
    named = measure.metric.replace("_", " ")
    parts = [f"{named[0].upper()}{named[1:]} of {measure.evaluation}"]
    parts += [measure.quantity.unit] if measure.quantity.unit else []
    return ", ".join([*parts, LESS] if measure.quantity.less_is_better else parts)


def _operations(number: float) -> str:
    return amount(number, "FLOP", space=NO_BREAK)


def _time(seconds: float) -> str:
    return duration(seconds, space=NO_BREAK)
