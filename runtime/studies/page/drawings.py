"""The plots of a study as SVG files of their own, for a paper or a page."""

import re
from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup

from renaissance.grammar.writing import write_whole
from renaissance.runtime.report.frame import DRAWING
from renaissance.runtime.report.svg import element, spell
from renaissance.runtime.studies.answer import Answer, Measure
from renaissance.runtime.studies.page.charts import LEFT
from renaissance.runtime.studies.page.plots import Plot, colours_of, cost_plot, dot_plot

LINE = 18.0
"""Height of a line of the legend."""
GROUND = "rect.ground { fill: var(--paper); }\n"
_BOX = re.compile(r'viewBox="0 0 (?P<width>[\d.]+) (?P<height>[\d.]+)"')


def write_drawings(found: Answer, folder: Path) -> tuple[Path, ...]:
    """Write `EVALUATION.METRIC.seeds.svg` and `….costs.svg` of every metric; return their paths.

    Raises:
        OSError: if a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for measure in found.measures:
        for kind, plot in _plots(found, measure):
            path = folder / f"{measure.evaluation}.{_plain(measure.metric)}.{kind}.svg"
            write_whole(path, _alone(plot))
            paths.append(path)
    return tuple(paths)


def _plots(found: Answer, measure: Measure) -> Iterator[tuple[str, Plot]]:
    colours = colours_of(found)
    drawn = {
        "seeds": dot_plot(measure, found.baseline, colours),
        "costs": cost_plot(measure, found.spent, colours),
    }
    for kind, plot in drawn.items():
        if plot is not None:
            yield kind, plot


def _plain(metric: str) -> str:
    """Return a metric as part of a file's name: `accuracy.yes/no` has a slash."""
    return re.sub(r"[^\w.@+-]+", "_", metric)


def _alone(plot: Plot) -> str:
    """Return a drawing with its style, its ground and the names of its numbered points."""
    box = _BOX.search(plot.svg)
    assert box is not None  # `drawing` writes it
    width, height = float(box["width"]), float(box["height"])
    whole = height + LINE * len(plot.points) + (LINE / 2 if plot.points else 0)
    ground = element("rect", width=width, height=whole, class_="ground")
    legend = (
        element(
            "text",
            f"{point.number}  {point.label}",
            x=LEFT,
            y=height + LINE * (place + 0.5),
            class_="name",
        )
        for place, point in enumerate(plot.points)
    )
    opening, inside = plot.svg[: box.start()], plot.svg[box.end() : -len("</svg>")]
    attributes, content = inside.split(">", 1)
    sized = (
        f'xmlns="http://www.w3.org/2000/svg" width="{spell(width)}" height="{spell(whole)}" '
        f'viewBox="0 0 {spell(width)} {spell(whole)}"'
    )
    style = DRAWING.read_text(encoding="utf-8") + GROUND
    return (
        f"{opening}{sized}{attributes}>"
        f"{element('style', Markup(style))}{ground}{content}{Markup('').join(legend)}</svg>\n"
    )
