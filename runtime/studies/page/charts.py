"""Dots with intervals by variant, and scores against what they cost, as inline SVG."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from renaissance.grammar.kinds.quantity import Quantity
from renaissance.runtime.report.chart import AXIS_TITLE, Axis, axis_title, linear_axis, log_axis
from renaissance.runtime.report.svg import drawing, element, spell

WIDTH = 440.0
LEFT, RIGHT, TOP = 24.0, 28.0, 6.0
ROW, FOOT = 40.0, 46.0
HEIGHT, MARGIN, HEAD = 330.0, 52.0, 30.0

Told = Callable[[float], str]
"""Spells a value."""

COLOURS = 8
"""Of variants, before they repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """The seeds of a variant.

    Attributes:
        label: the variant.
        values: of each seed.
        mean: of them.
        interval: of the mean; None for one seed.
        colour: which of the style sheet's.
    """

    label: str
    values: tuple[float, ...]
    mean: float
    interval: tuple[float, float] | None
    colour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a variant costs and what it reaches.

    Attributes:
        number: what it is called in the drawing.
        label: the variant.
        cost: above 0.
        score: mean over seeds.
        interval: of the mean; None for one seed.
        colour: which of the style sheet's.
        front: no other variant reaches as much for as little.
    """

    number: int
    label: str
    cost: float
    score: float
    interval: tuple[float, float] | None
    colour: int
    front: bool


def dot_chart(
    rows: Sequence[Dots],
    *,
    quantity: Quantity,
    baseline: float | None,
    title: str,
    label: str,
    told: Told,
) -> Markup:
    """Draw the seeds of each variant as dots over the interval of their mean.

    Args:
        rows: the variants, one at least.
        quantity: what values are.
        baseline: mean of the baseline, at which a line is drawn.
        title: of the axis of values.
        label: what a screen reader says.
        told: spells a value.
    """
    seen = [value for row in rows for value in row.values]
    axis = _values(seen, [row.interval for row in rows], quantity)
    height = TOP + ROW * len(rows) + FOOT
    foot = height - FOOT

    def x(value: float) -> float:
        return LEFT + axis.position(value) * (WIDTH - LEFT - RIGHT)

    parts = [axis_title(title, (LEFT + WIDTH - RIGHT) / 2, height - 6, anchor="middle")]
    for tick in _few(axis.ticks, 6):
        parts.append(element("path", d=f"M{spell(x(tick))} {TOP:g}V{spell(foot)}", class_="grid"))
        parts.append(_text(axis.spell(tick), x(tick), foot + 18, "middle"))
    if baseline is not None:
        line = element("path", d=f"M{spell(x(baseline))} {TOP:g}V{spell(foot)}")
        parts.append(element("g", line, element("title", "mean of the baseline"), class_="mark"))
    for place, row in enumerate(rows):
        parts.extend(_dots(row, TOP + ROW * place, x, told))
    return drawing(WIDTH, height, *parts, label=label, class_="chart dots")


def _dots(row: Dots, top: float, x: Callable[[float], float], told: Told) -> Iterator[Markup]:
    y = top + 27
    yield element("text", row.label, x=LEFT, y=top + 14, class_="name")
    if row.interval is not None:
        low, high = map(x, row.interval)
        ends = f"M{spell(low)} {y:g}H{spell(high)}"
        yield element("path", d=ends, class_=f"interval c{row.colour}")
    for value in row.values:
        yield element(
            "circle",
            element("title", told(value)),
            cx=x(value),
            cy=y,
            r=3,
            class_=f"dot c{row.colour}",
        )
    title = element("title", f"{row.label}: {told(row.mean)}")
    middle = spell(x(row.mean))
    yield element("path", title, d=f"M{middle} {y - 7:g}V{y + 7:g}", class_=f"mean c{row.colour}")


def front(points: Sequence[tuple[float, float]], *, larger_is_better: bool) -> list[bool]:
    """Tell which `(cost, score)` no other one beats: by a better score for as little, or less."""
    sign = 1 if larger_is_better else -1
    return [
        not any(
            other[0] <= cost and sign * other[1] >= sign * score and other != (cost, score)
            for other in points
        )
        for cost, score in points
    ]


def cost_chart(
    points: Sequence[Point],
    *,
    quantity: Quantity,
    titles: tuple[str, str],
    label: str,
    unit: Told,
    told: Told,
) -> Markup:
    """Draw scores over costs, and join those that no other variant beats.

    Args:
        points: one at least.
        quantity: what scores are.
        titles: of the axes: of costs, and of scores.
        label: what a screen reader says.
        unit: spells a cost.
        told: spells a score.
    """
    costs, scores = [point.cost for point in points], [point.score for point in points]
    up = _values(scores, [point.interval for point in points], quantity)
    across = _costs(min(costs), max(costs))
    foot = HEIGHT - FOOT - 8

    def x(cost: float) -> float:
        return MARGIN + across.position(cost) * (WIDTH - MARGIN - 36)

    def y(score: float) -> float:
        return foot - up.position(score) * (foot - HEAD)

    across_title, up_title = titles
    parts = [
        axis_title(up_title, 0, AXIS_TITLE),
        axis_title(across_title, (MARGIN + WIDTH) / 2, HEIGHT - 6, anchor="middle"),
    ]
    for tick in up.ticks:
        parts.append(element("path", d=f"M{MARGIN:g} {spell(y(tick))}H{WIDTH:g}", class_="grid"))
        parts.append(_text(up.spell(tick), MARGIN - 8, y(tick) + 4, "end"))
    for tick in _few(across.ticks, 4):
        parts.append(_text(unit(tick), x(tick), foot + 22, "middle"))
    best = sorted((point.cost, point.score) for point in points if point.front)
    trace = "M" + "L".join(f"{spell(x(cost))} {spell(y(score))}" for cost, score in best)
    parts.append(element("path", d=trace, class_="front"))
    for point in points:
        here, height, colour = x(point.cost), y(point.score), f"c{point.colour}"
        if point.interval is not None:
            ends = "V".join(spell(y(end)) for end in point.interval)
            parts.append(element("path", d=f"M{spell(here)} {ends}", class_=f"interval {colour}"))
        said = f"{point.label}: {told(point.score)} for {unit(point.cost)}"
        kind = "dot front" if point.front else "dot"
        parts.append(_circle(said, here, height, 5, f"{kind} {colour}"))
        parts.append(_text(str(point.number), here + 9, height - 7, "start", "name"))
    return drawing(WIDTH, HEIGHT, *parts, label=label, class_="chart costs")


def _costs(low: float, high: float) -> Axis:
    """Return an axis for costs: from 0 on, or by decades where they differ tenfold."""
    if high / low >= 10:
        return log_axis(low, high)
    return linear_axis(0.0, high)


def _values(
    values: Sequence[float], intervals: Sequence[tuple[float, float] | None], quantity: Quantity
) -> Axis:
    """Return an axis of values, which ends where there can be none."""
    ends = (min(quantity.low, *values), max(quantity.high, *values))
    return linear_axis(*_range(values, intervals), rate=quantity.share, ends=ends)


def _range(
    values: Sequence[float], intervals: Sequence[tuple[float, float] | None]
) -> tuple[float, float]:
    """Return from where to where an axis goes: over all values, and intervals as far as they are.

    An interval of few seeds may be so wide that nothing else would be seen: it is cut off.
    """
    low, high = min(values), max(values)
    room = (high - low) or 0.05 * (abs(high) or 1.0)
    ends = [end for interval in intervals if interval is not None for end in interval]
    return max(min([low, *ends]), low - room), min(max([high, *ends]), high + room)


def _few(ticks: Sequence[float], most: int) -> Sequence[float]:
    """Return every tick, or every other one where they would touch."""
    return ticks if len(ticks) <= most else ticks[::2]


def _circle(title: str, x: float, y: float, radius: float, class_: str) -> Markup:
    return element("circle", element("title", title), cx=x, cy=y, r=radius, class_=class_)


def _text(text: str, x: float, y: float, anchor: str, class_: str = "tick") -> Markup:
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)
