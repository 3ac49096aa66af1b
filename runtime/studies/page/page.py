"""The report of a study as one HTML file that needs nothing else."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renaissance.compiler.amounts import amount, duration, in_bytes
from renaissance.grammar.diff import diff_specs
from renaissance.grammar.names import plural
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.writing import write_whole
from renaissance.runtime.report import figures
from renaissance.runtime.report.frame import framed
from renaissance.runtime.report.images import data_uri
from renaissance.runtime.studies import words
from renaissance.runtime.studies.answer import Answer, Measure, Spent
from renaissance.runtime.studies.expenses import explained, learning, memory_of, on_gpu
from renaissance.runtime.studies.page.curves import learning_curves
from renaissance.runtime.studies.page.plots import Plot, colours_of, cost_plot, dot_plot
from renaissance.runtime.studies.records import Costs
from renaissance.runtime.studies.results import StudyResults
from renaissance.runtime.studies.rows import Disagreement, disagreements
from renaissance.runtime.studies.specs import specs_of

HERE = Path(__file__).parent
REPORT = "report.html"
LEARNING = "Parameters that learn"
PROCESS = "Memory of the process"
TENSORS = "Memory of tensors"
MOST_ROWS = 8
"""Rows shown for each variant and evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureView:
    """A metric with its plots and its table."""

    measure: Measure
    title: str
    dots: Plot | None
    costs: Plot | None
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a variant has otherwise than the baseline: lines of addresses with both values."""

    variant: str
    lines: tuple[tuple[str, str, str], ...]
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A row with its images as data URIs."""

    row: Disagreement
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreeing:
    """Rows on which a variant and the baseline disagree, those it answers better first."""

    evaluation: str
    variant: str
    summary: str
    rows: tuple[RowView, ...]


def write_study_report(results: StudyResults, found: Answer, target: Path | None = None) -> Path:
    """Write the page about a study and return its path.

    Args:
        results: what lies there, finished or not.
        found: what follows from it.
        target: the file; `report.html` in the folder of the study if None.

    Raises:
        OSError: if the file cannot be written.
    """
    target = results.folder / REPORT if target is None else target
    page = render(results, found, specs_of(results), target.parent)
    write_whole(target, page, shared=True)  # a report may be asked for while one is written
    return target


def render(results: StudyResults, found: Answer, specs: Mapping[str, Spec], home: Path) -> str:
    """Return the page.

    Args:
        results: what was run.
        found: what follows from it.
        specs: by variant, as far as they are known.
        home: folder that the page will lie in, from which links lead to others.
    """
    colours = colours_of(found)
    spent = [(each.variant, _spent(each)) for each in found.spent]
    # What nothing counts here has no column.
    memory = TENSORS if on_gpu(found) else PROCESS
    names = (LEARNING, "Operations", "Time", memory, "Energy", "Read")
    columns = range(len(names))
    counted = [any(cells[place] != figures.DASH for _, cells in spent) for place in columns]
    headings = _only(names, counted)
    return framed(
        HERE,
        kind="study",
        title=found.study,
        folder=results.folder.resolve().name,
        sections=("Answer", "Costs", "Differences", "Curves", "Rows", "Stages"),
        answer=found,
        seeds=_seeds(results),
        problems=words.state(found),
        limits=words.limits(found),
        measures=[_view(found, measure, colours) for measure in found.measures],
        headings=headings,
        spent=[(name, _only(cells, counted)) for name, cells in spent],
        planned=[
            (each.variant, _spelled(each.planned)[:3])
            for each in found.spent
            if each.planned != Costs()
        ],
        total=_only(("", *_spelled(found.total)), counted),
        memory=memory,
        explained=tuple(explained(found, learns=LEARNING, process=PROCESS)),
        shared=tuple(dict.fromkeys(job for each in found.spent for job in each.shared)),
        changes=tuple(_changes(found, specs)),
        curves=learning_curves(results, specs, colours),
        disagreeing=tuple(_disagreeing(results, found)),
        stages=tuple(_stages(results, home)),
    )


def _seeds(results: StudyResults) -> str:
    """Say how many seeds variants have: runs that are compared may have different ones."""
    counts = Counter(cell.variant for cell in results.cells).values()
    least, most = min(counts, default=0), max(counts, default=0)
    each = plural(most, "seed") + " each"
    return each if least == most else f"{least} to {plural(most, 'seed')}"


def _view(found: Answer, measure: Measure, colours: Mapping[str, int]) -> MeasureView:
    return MeasureView(
        measure=measure,
        title=_title(measure),
        dots=dot_plot(measure, found.baseline, colours),
        costs=cost_plot(measure, found.spent, colours),
        rows=tuple(_cells(measure)),
        sentences=words.conclusions(found, measure),
    )


def _title(measure: Measure) -> str:
    split = f" on {measure.split}" if measure.split else ""
    unit = f", {measure.quantity.unit}" if measure.quantity.unit else ""
    less = f", {words.LESS}" if measure.quantity.less_is_better else ""
    named = measure.metric.replace("_", " ").capitalize()
    return f"{named} of {measure.evaluation}{split}{unit}{less}"


def _cells(measure: Measure) -> Iterator[tuple[str, ...]]:
    quantity = measure.quantity
    for line in measure.lines:
        score, comparison = words.score(quantity, line.score), line.comparison
        seeds = (str(len(line.values)),) if measure.uneven else ()
        if comparison is None:
            yield line.variant, score, words.apart(quantity, line), "", "", "", "", "", *seeds
            continue
        apart, over = comparison.difference, comparison.resampled
        yield (
            line.variant,
            score,
            words.signed(quantity, apart.estimate.mean),
            words.ends(quantity, apart.estimate.interval),
            "" if over is None else words.ends(quantity, over.both or over.images),
            *words.chances(comparison),
            *seeds,
        )


def _only(cells: Sequence[str], counted: Sequence[bool]) -> tuple[str, ...]:
    return tuple(cell for cell, there in zip(cells, counted, strict=True) if there)


def _spent(spent: Spent) -> tuple[str, ...]:
    learn = learning(spent) if spent.trainable else figures.DASH
    return (learn, *_spelled(spent.costs))


def _spelled(costs: Costs) -> tuple[str, ...]:
    """Spell operations, time, memory, energy and what was read."""
    memory = memory_of(costs)

    def told(value: float | None, unit: str) -> str:
        return figures.DASH if value is None else amount(value, unit, space=figures.NO_BREAK)

    return (
        told(costs.operations, "FLOP"),
        figures.DASH if costs.seconds is None else duration(costs.seconds, space=figures.NO_BREAK),
        figures.DASH if memory is None else in_bytes(memory),
        told(costs.energy, "J"),
        told(costs.bytes_read, "B"),
    )


def _changes(found: Answer, specs: Mapping[str, Spec]) -> Iterator[Change]:
    """Yield the difference of each variant from the baseline, as it was run."""
    old = specs.get(found.baseline)
    for variant in (spent.variant for spent in found.spent):
        new = specs.get(variant)
        if variant == found.baseline:
            continue
        if old is None or new is None:
            yield Change(variant=variant, lines=(), known=False)
            continue
        lines = [
            (f"{block.name}.{change.address}", _value(change.old), _value(change.new))
            for block in diff_specs(old, new).blocks
            for change in block.changes
        ]
        lines += [
            (f"{block.word} {block.name}", block.status, "")
            for block in diff_specs(old, new).blocks
            if not block.changes
        ]
        yield Change(variant=variant, lines=tuple(lines), known=True)


def _value(value: Any) -> str:
    """Spell a value; what has none, as a directive, is there or is not."""
    return figures.DASH if value is None else str(value) or "there"


def _disagreeing(results: StudyResults, found: Answer) -> Iterator[Disagreeing]:
    baseline = {cell.seed: cell for cell in results.of_variant(results.baseline)}
    for levels in results.variants:
        cells = results.of_variant(levels)
        if cells[0].variant == found.baseline:
            continue
        for evaluation in cells[0].evaluations:
            pairs = [
                (cell.jobs[evaluation], baseline[cell.seed].jobs[evaluation])
                for cell in cells
                if cell.seed in baseline
                and cell.jobs[evaluation].state == "done"
                and baseline[cell.seed].jobs[evaluation].state == "done"
            ]
            mine, theirs = [one for one, _ in pairs], [other for _, other in pairs]
            rows, gained, lost = disagreements(mine, theirs, MOST_ROWS)
            if rows:
                yield Disagreeing(
                    evaluation=evaluation,
                    variant=cells[0].variant,
                    summary=(f"Better on {plural(gained, 'row')}, worse on {plural(lost, 'row')}"),
                    rows=tuple(RowView(row=row, images=_images(row)) for row in rows),
                )


def _images(row: Disagreement) -> tuple[str, ...]:
    return tuple(data_uri(Path(path)) or "" for path in row.images)


def _stages(results: StudyResults, home: Path) -> Iterator[tuple[str, ...]]:
    """Yield what the table of stages has columns for: last the page about it, or nothing."""
    users: dict[str, list[str]] = {}
    pages: dict[str, str] = {}
    for cell in results.cells:
        for job in cell.jobs.values():
            users.setdefault(job.stage, []).append(cell.name)
            if job.report is not None:
                link = os.path.relpath(job.report, home)
                pages.setdefault(job.stage, Path(link).as_posix())
    for id, job in results.stages.items():
        state = job.state if not job.why else f"{job.state}: {job.why}"
        costs = _spelled(job.costs)[:3]
        yield job.name, id, ", ".join(users[id]), state, *costs, pages.get(id, "")
