"""Draw the answer of a study for a terminal of 80 columns, and as values of JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from renaissance.compiler.amounts import amount, duration, in_bytes
from renaissance.runtime.studies.answer import Answer, Line, Measure, Spent
from renaissance.runtime.studies.expenses import (
    explained,
    learning,
    memory_of,
    not_counted,
    on_gpu,
)
from renaissance.runtime.studies.records import Costs
from renaissance.runtime.studies.words import (
    apart,
    chances,
    conclusions,
    described,
    limits,
    score,
    state,
)

WIDTH = 80
PLANNED = {"operations", "seconds", "peak_memory"}
LONGEST_NAME = 20
"""Columns of a variant's name, beyond which it has a line of its own."""


def render_answer(answer: Answer) -> str:
    """Return tables of scores and costs with what follows from them."""
    return "".join(f"{line}\n".rstrip(" ") for line in _lines(answer))


def _lines(answer: Answer) -> Iterator[str]:
    seeds = ", ".join(map(str, answer.seeds))
    yield f"study {answer.study}: seeds {seeds}; baseline {answer.baseline}"
    for sentence in state(answer):
        yield from _folded(sentence)
    for measure in answer.measures:
        yield ""
        yield described(measure)
        headings: tuple[str, ...] = ("", "mean", "difference", "better", "p (Holm)", "exact")
        rows = [(line.variant, _cells(measure, line)) for line in measure.lines]
        if measure.uneven:
            headings = (*headings, "seeds")
        yield from _table(headings, rows)
        for sentence in conclusions(answer, measure):
            yield from _folded(sentence)
    if not answer.measures:
        yield ""
        yield "nothing has been measured yet"
    yield from _costs(answer)
    yield ""
    for sentence in _legend(answer):
        yield from _folded(sentence)


def _cells(measure: Measure, line: Line) -> tuple[str, ...]:
    quantity, comparison = measure.quantity, line.comparison
    seeds = (str(len(line.values)),) if measure.uneven else ()
    beside = ("", "", "") if comparison is None else chances(comparison)
    return (score(quantity, line.score), apart(quantity, line), *beside, *seeds)


def _costs(answer: Answer) -> Iterator[str]:
    memory = "GPU" if on_gpu(answer) else "process"
    headings: tuple[str, ...] = ("", "operations", "time", memory, "learning", "energy")
    rows = [(spent.variant, _spent(spent)) for spent in answer.spent]
    if not any(cell != "-" for _, cells in rows for cell in cells):
        return
    for place in reversed(range(1, len(headings))):
        if all(cells[place - 1] == "-" for _, cells in rows):  # nothing counts it here
            headings = (*headings[:place], *headings[place + 1 :])
            rows = [(name, (*cells[: place - 1], *cells[place:])) for name, cells in rows]
    yield ""
    yield "training of one seed, as if nothing were shared"
    yield from _table(headings, rows)
    planned = [(spent.variant, _amounts(spent.planned)[:3]) for spent in answer.spent]
    if any(cell != "-" for _, cells in planned for cell in cells):
        yield ""
        yield "the same as planned, memory that of tensors alone"
        yield from _table(("", "operations", "time", "tensors"), planned)
    total = _amounts(answer.total)
    told = ", ".join(text for text in (total[0], total[1], total[3]) if text != "-")
    if told:
        yield from _folded(f"all stages together, each counted once: {told}")
    shared = dict.fromkeys(job for spent in answer.spent for job in spent.shared)
    if shared:
        yield from _folded(f"shared between variants: {', '.join(shared)}")
    for sentence in explained(answer):
        yield from _folded(sentence)


def _spent(spent: Spent) -> tuple[str, ...]:
    operations, seconds, memory, energy = _amounts(spent.costs)
    return operations, seconds, memory, learning(spent) if spent.trainable else "-", energy


def _amounts(costs: Costs) -> tuple[str, str, str, str]:
    memory = memory_of(costs)
    return (
        "-" if costs.operations is None else amount(costs.operations, "FLOP", space=" "),
        "-" if costs.seconds is None else duration(costs.seconds),
        "-" if memory is None else in_bytes(memory),
        "-" if costs.energy is None else amount(costs.energy, "J", space=" "),
    )


def _legend(answer: Answer) -> Iterator[str]:
    if any(measure.comparisons for measure in answer.measures):
        yield (
            "±, []: 95% over seeds, differences paired by seed; better: share of seeds; "
            "p (Holm): Student's, adjusted for all comparisons; exact: p of one comparison by "
            "flips of signs, which takes nothing for granted"
        )
    yield from limits(answer)


def _table(headings: Sequence[str], rows: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[str]:
    columns = [headings[1:], *(cells for _, cells in rows)]
    widths = [max(map(len, column)) for column in zip(*columns, strict=True)]
    room = WIDTH - sum(widths) - 2 * len(widths) - 2
    name = max([len(name) for name, _ in rows if len(name) <= min(room, LONGEST_NAME)], default=4)
    yield _row("", headings[1:], name, widths)
    for variant, cells in rows:
        if len(variant) > name:
            yield f"  {variant}"
        yield _row(variant if len(variant) <= name else "", cells, name, widths)


def _row(name: str, cells: Sequence[str], width: int, widths: Sequence[int]) -> str:
    spread = "  ".join(cell.rjust(each) for cell, each in zip(cells, widths, strict=True))
    return f"  {name:<{width}}  {spread}".rstrip()


def _folded(sentence: str) -> Iterator[str]:
    from textwrap import wrap

    yield from wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="    ")


def answer_as_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as values of JSON."""
    return {
        "study": answer.study,
        "baseline": answer.baseline,
        "seeds": list(answer.seeds),
        "cells": answer.cells,
        "done": answer.done,
        "failed": dict(answer.failed),
        "remarks": [*state(answer), *limits(answer), *explained(answer)],
        "measures": [
            {
                "evaluation": measure.evaluation,
                "metric": measure.metric,
                "less_is_better": measure.quantity.less_is_better,
                "split": measure.split,
                "conclusions": list(conclusions(answer, measure)),
                "variants": [_line_as_json(line) for line in measure.lines],
            }
            for measure in answer.measures
        ],
        "costs": [
            {
                "variant": spent.variant,
                **spent.costs.model_dump(),
                "planned": spent.planned.model_dump(include=PLANNED),
                "trainable": dict(spent.trainable),
                "shared": list(spent.shared),
            }
            for spent in answer.spent
        ],
        "total": answer.total.model_dump(),
        "not_counted": list(not_counted(answer)),
    }


def _line_as_json(line: Line) -> dict[str, Any]:
    comparison = line.comparison
    return {
        "variant": line.variant,
        "seeds": len(line.values),
        "values": {str(seed): value for seed, value in line.values.items()},
        "score": None if line.score is None else asdict(line.score),
        "like_best": line.like_best,
        "incomparable": line.incomparable,
        "difference": None
        if comparison is None
        else {
            **asdict(comparison.difference.estimate),
            "better": comparison.difference.better,
            "p": comparison.difference.p,
            "p_holm": comparison.p,
            "p_exact": comparison.difference.exact,
            "distinguishable": comparison.distinguishable,
            "over_images": None if comparison.resampled is None else asdict(comparison.resampled),
        },
    }
