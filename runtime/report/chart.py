"""A line chart as inline SVG, coloured by the page's style sheet."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from renaissance.runtime.report.figures import count
from renaissance.runtime.report.svg import drawing, element, spell

WIDTH, HEIGHT = 440.0, 284.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 12.0, 28.0, 52.0
AXIS_TITLE = 13.0
"""Where the title of an axis of values stands, above the axis."""
CHARACTER = 7.6
"""Width of a digit of a tick, in most typefaces less."""

Scale = Literal["linear", "log", "rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one quantity.

    Attributes:
        label: what it is.
        points: `(step, value)` in order of steps; values are finite.
        colour: which of the style sheet's colours; the line's dashes go with it.
        dots: marked points joined by a thin line rather than a line alone.
        band: `(step, low, high)` of what the points are a mean of, drawn behind them.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    colour: int
    dots: bool = False
    band: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A range of values, where its ticks are, and how they are spelled."""

    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool = False
    rate: bool = False

    def position(self, value: float) -> float:
        """Return where a value lies between both ends, 0 to 1."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def spell(self, value: float) -> str:
        """Return what is written beside a tick."""
        if self.rate:
            return f"{value * 100:g}\N{NO-BREAK SPACE}%"
        if 1_000 <= abs(value) < 10_000_000 and value == round(value):
            return count(value)
        # A power of ten has as few digits as it needs: `2e-5`.
        return re.sub(r"e([+-])0", r"e\1", f"{value:g}").replace("e+", "e")


def line_chart(
    series: Sequence[Series],
    *,
    scale: Scale,
    title: str,
    label: str,
    marks: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Draw values over training steps.

    Args:
        series: what is drawn; each has at least one point.
        scale: of the values; `rate` is of shares: linear, and spelled in per cent.
        title: of the axis of values.
        label: what a screen reader says.
        marks: steps where something happened, and what.
    """
    steps = [x for line in series for x, _ in line.points]
    values = [y for line in series for _, y in line.points]
    values += [y for line in series for _, *ends in line.band for y in ends]
    across = linear_axis(0.0, max(*steps, 1.0), tight=True)
    if scale == "log":
        up = log_axis(min(values), max(values))
    else:
        rate = scale == "rate"
        # Of a share that a constant may have less than nothing of, the axis ends where values do.
        ends = (0.0 if rate and min(values) >= 0 else -math.inf, 1.0 if rate else math.inf)
        up = linear_axis(min(values), max(values), rate=rate, ends=ends)
    frame = _Frame(across=across, up=up)
    parts = [
        axis_title(title, 0, AXIS_TITLE),
        axis_title("Step", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, anchor="middle"),
        *_ticks(frame),
        *(_mark(frame, step, name) for step, name in marks),
        *(part for line in series for part in _drawn(frame, line)),
    ]
    return drawing(WIDTH, HEIGHT, *parts, label=label, class_="chart")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Both axes of a chart, and where values lie between them."""

    across: Axis
    up: Axis

    def x(self, step: float) -> float:
        return LEFT + self.across.position(step) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - self.up.position(value) * (HEIGHT - TOP - BOTTOM)


def _ticks(frame: _Frame) -> Iterator[Markup]:
    foot = HEIGHT - BOTTOM + 18
    for tick in frame.up.ticks:
        y, text = frame.y(tick), frame.up.spell(tick)
        yield element("path", d=f"M{LEFT:g} {spell(y)}H{WIDTH - RIGHT:g}", class_="grid")
        yield element("text", text, x=LEFT - 8, y=y + 4, class_="tick", text_anchor="end")
    for tick in frame.across.ticks:
        x, text = frame.x(tick), _steps(tick, frame.across.high)
        beyond = x + len(text) * CHARACTER / 2 > WIDTH
        at, anchor = (WIDTH - 1, "end") if beyond else (x, "middle")
        yield element("text", text, y=foot, class_="tick", x=at, text_anchor=anchor)


def axis_title(text: str, x: float, y: float, *, anchor: str = "start") -> Markup:
    """Write what an axis shows, with its unit."""
    return element("text", text, x=x, y=y, class_="title", text_anchor=anchor)


def _steps(step: float, most: float) -> str:
    """Spell a number of steps; in millions where that many do not fit beside each other."""
    return count(step) if most < 1e6 else f"{step / 1e6:g}\N{NO-BREAK SPACE}M"


def _mark(frame: _Frame, step: float, name: str) -> Markup:
    x = spell(frame.x(step))
    path = element("path", element("title", name), d=f"M{x} {TOP:g}V{HEIGHT - BOTTOM:g}")
    return element("g", path, class_="mark")


def _drawn(frame: _Frame, line: Series) -> Iterator[Markup]:
    if line.band:
        over = [(frame.x(step), frame.y(high)) for step, _, high in line.band]
        under = [(frame.x(step), frame.y(low)) for step, low, _ in reversed(line.band)]
        edge = "M" + "L".join(f"{spell(x)} {spell(y)}" for x, y in over + under) + "Z"
        yield element("path", d=edge, class_=f"band c{line.colour}")
    places = [(frame.x(step), frame.y(value)) for step, value in line.points]
    trace = "M" + "L".join(f"{spell(x)} {spell(y)}" for x, y in places)
    kind = "dotted" if line.dots else "line"
    yield element("path", d=trace, class_=f"{kind} c{line.colour}")
    if line.dots:
        for (x, y), (step, value) in zip(places, line.points, strict=True):
            title = element("title", f"{line.label}, step {count(step)}: {value:.4g}")
            yield element("circle", title, cx=x, cy=y, r=3.2, class_=f"dot c{line.colour}")


def linear_axis(
    low: float,
    high: float,
    *,
    rate: bool = False,
    tight: bool = False,
    ends: tuple[float, float] = (-math.inf, math.inf),
) -> Axis:
    """Return an axis whose ticks are round and at most seven.

    Args:
        low: least value shown.
        high: largest value shown.
        rate: the values are shares, spelled in per cent.
        tight: the axis ends with the values rather than with a tick.
        ends: the least and the largest value that there can be, beyond which no axis goes.
    """
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.05 * max(abs(low), 0.1), high + 0.05 * max(abs(high), 0.1)
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(index * step, 12) for index in range(first, last + 1)]
    if tight:
        ticks = [tick for tick in ticks if low <= tick <= high]
        return Axis(low=low, high=high, ticks=tuple(ticks), rate=rate)
    low, high = max(ends[0], ticks[0]), min(ends[1], ticks[-1])
    ticks = [tick for tick in ticks if low <= tick <= high]
    return Axis(low=low, high=high, ticks=tuple(ticks), rate=rate)


def log_axis(low: float, high: float) -> Axis:
    """Return an axis for values above 0; ticks are 1, 2 and 5 of each decade if there is room."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    round_ = [float(f"{unit}e{decade}") for decade in decades for unit in (1, 2, 5)]
    below = max((tick for tick in round_ if tick <= low), default=low)
    above = min((tick for tick in round_ if tick >= high), default=high)
    ticks = [tick for tick in round_ if below <= tick <= above]
    if len(ticks) > 9:
        ticks = [float(f"1e{decade}") for decade in decades if below <= 10.0**decade <= above]
    return Axis(low=below, high=above, ticks=tuple(ticks), logarithmic=True)
