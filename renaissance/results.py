"""The table at the end of a run."""

import sys

from rich.console import Console
from rich.table import Table

from renaissance.compiler.amounts import duration, per_second
from renaissance.grammar.kinds.data import LOSS
from renaissance.grammar.kinds.quantity import Quantity
from renaissance.grammar.measured import quantity_of
from renaissance.grammar.names import plural
from renaissance.grammar.schema.spec import Spec
from renaissance.progress import spell
from renaissance.render.intervals import IN_BRACKETS, WITHOUT
from renaissance.runtime.jobs import Run
from renaissance.runtime.records import JobResult

ENOUGH = 110
"""Columns of a terminal from which on the table has a column for everything."""

MOST_PARTS = 3
"""Figures of parts of a split, such as types of questions, that the table has room for."""


def print_results(run: Run) -> None:
    """Print a row for each job, and where everything lies."""
    console = Console(file=sys.stdout, highlight=False)
    console.print(_narrow(run) if console.width < ENOUGH else _wide(run))
    if any(result.intervals for result in run.results):
        console.print(
            f"{IN_BRACKETS}; majority: the most frequent answer to learn from, given to every row"
        )
    if any(_without_interval(result) for result in run.results):
        console.print(WITHOUT)
    if run.skipped:
        console.print(f"finished before: {', '.join(run.skipped)}", markup=False)
    console.print(f"results: {run.folder}", markup=False, soft_wrap=True)
    console.print(f"report:  {run.report}", markup=False, soft_wrap=True)


def _without_interval(result: JobResult) -> bool:
    """Tell whether a figure has no interval where figures of its kind have one."""
    return result.kind == "evaluate" and bool({*result.metrics} - {LOSS, *result.intervals})


def _wide(run: Run) -> Table:
    """Return a table with a column for everything."""
    table = Table(title=None, header_style="bold", expand=False)
    for heading in ("job", "measured on", "result"):
        table.add_column(heading, overflow="fold")
    for heading in ("steps", "texts/s", "time"):
        table.add_column(heading, justify="right")
    for result in run.results:
        table.add_row(
            f"{result.job} ({result.kind})",
            result.split or "-",
            "\n".join(_figures(run.spec, result)) or "-",
            f"{result.steps:,}" if result.steps else "-",
            "-" if result.texts_per_second is None else per_second(result.texts_per_second),
            "-" if result.seconds is None else duration(result.seconds),
        )
    return table


def _narrow(run: Run) -> Table:
    """Return a table of two columns, in which figures keep their lines."""
    table = Table(title=None, header_style="bold", expand=False, show_lines=True)
    for heading in ("job", "result"):
        table.add_column(heading, overflow="fold")
    for result in run.results:
        lines = [result.job, result.kind + (f" on {result.split}" if result.split else "")]
        if result.steps:
            lines.append(plural(result.steps, "step"))
        if result.texts_per_second is not None:
            lines.append(f"{per_second(result.texts_per_second)} texts/s")
        if result.seconds is not None:
            lines.append(duration(result.seconds))
        table.add_row("\n".join(lines), "\n".join(_figures(run.spec, result)) or "-")
    return table


def _figures(spec: Spec, result: JobResult) -> list[str]:
    """Return all figures of the whole split, and the first ones of parts of it."""
    whole = [name for name in result.metrics if "." not in name]
    parts = [name for name in result.metrics if "." in name]
    shown = [
        line
        for name in whole
        for line in (_figure(spec, result, name), *_beside(spec, result, name))
    ]
    shown += [_figure(spec, result, name) for name in parts[:MOST_PARTS]]
    if result.selected_by is not None:
        shown.append(f"best by {spell(result.selected_by)}, step {result.best_step:,}")
    if result.weights is not None:
        shown.append("average of the weights" if result.weights == "average" else "last weights")
    return shown + ([f"and {more} more"] if (more := len(parts) - MOST_PARTS) > 0 else [])


def _figure(spec: Spec, result: JobResult, name: str) -> str:
    """Return a figure, with its interval in brackets."""
    quantity = quantity_of(spec, result.job, name)
    found = f"{spell(name)} {_spelled(quantity, result.metrics[name])}"
    interval = result.intervals.get(name)
    if interval is None:
        return found
    low, high = (_spelled(quantity, end).removesuffix("%") for end in interval)
    return f"{found} [{low}, {high}]"


def _beside(spec: Spec, result: JobResult, name: str) -> list[str]:
    """Return what is reached without looking, and whether the figure says more than that."""
    quantity = quantity_of(spec, result.job, name)
    pairs = (("majority", result.majority), ("chance", result.chance))
    known = [f"{what} {_spelled(quantity, of[name])}" for what, of in pairs if name in of]
    lines = [f"  {', '.join(known)}"] if known else []
    if name in result.like_majority:
        lines.append("  not distinguishable from the majority")
    return lines


def _spelled(quantity: Quantity, value: float) -> str:
    return f"{value:.2%}" if quantity.share else f"{value:.4f}"
