"""The answer of a study as a table for other programs: CSV, Markdown and LaTeX (booktabs)."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping

from renaissance.compiler.amounts import amount, duration, in_bytes
from renaissance.runtime.studies.answer import Answer, Line, Measure, Spent
from renaissance.runtime.studies.expenses import explained, learning, memory_of, on_gpu
from renaissance.runtime.studies.words import (
    apart,
    chances,
    conclusions,
    described,
    limits,
    score,
    state,
)

SCORES = ("Variant", "Mean", "Difference", "Better", "p (Holm)")
SEEDS = "Seeds"
COSTS = ("Operations", "Time")
LEARNING = "Learning"
PROCESS = "Process memory"


def as_csv(answer: Answer) -> str:
    """Return a line for each variant and metric, numbers as they are."""
    file = io.StringIO()
    rows = [row for measure in answer.measures for row in _numbers(answer, measure)]
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["variant"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _numbers(answer: Answer, measure: Measure) -> Iterator[dict[str, object]]:
    spent = {each.variant: each for each in answer.spent}
    for line in measure.lines:
        comparison = line.comparison
        difference = None if comparison is None else comparison.difference
        over = None if comparison is None else comparison.resampled
        yield {
            "study": answer.study,
            "evaluation": measure.evaluation,
            "metric": measure.metric,
            "less_is_better": measure.quantity.less_is_better,
            "split": measure.split,
            "variant": line.variant,
            "baseline": answer.baseline,
            "seeds": len(line.values),
            "mean": None if line.score is None else line.score.mean,
            **_bounds("", None if line.score is None else line.score.interval),
            "difference": None if difference is None else difference.estimate.mean,
            **_bounds("difference_", None if difference is None else difference.estimate.interval),
            **_bounds("images_", None if over is None else over.images),
            **_bounds("images_and_seeds_", None if over is None else over.both),
            "better": None if difference is None else difference.better,
            "p": None if difference is None else difference.p,
            "p_holm": None if comparison is None else comparison.p,
            "p_exact": None if difference is None else difference.exact,
            "like_best": line.like_best,
            "incomparable": line.incomparable,
            **spent[line.variant].costs.model_dump(),
            **{
                f"planned_{name}": getattr(spent[line.variant].planned, name)
                for name in ("operations", "seconds", "peak_memory")
            },
            "trainable": "/".join(map(str, spent[line.variant].trainable.values())),
        }


def _bounds(name: str, interval: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = interval if interval is not None else (None, None)
    return {f"{name}low": low, f"{name}high": high}


def as_markdown(answer: Answer) -> str:
    """Return a table for each metric with what follows from it."""
    lines = []
    for measure in answer.measures:
        headings = _headings(answer, measure)
        lines.append(f"**{described(measure)}**\n")
        lines.append(_piped(headings))
        lines.append(_piped(["---", *["---:"] * (len(headings) - 1)]))
        lines += [_piped(row) for row in _rows(answer, measure, _plain)]
        lines += ["", *(f"- {text}" for text in conclusions(answer, measure)), ""]
    lines += [f"- {text}" for text in (*state(answer), *limits(answer), *_explained(answer))]
    return "\n".join(lines).rstrip() + "\n"


def as_latex(answer: Answer) -> str:
    """Return a `booktabs` table for each metric.

    Bold is the best variant where seeds tell it from every other one, and nothing else.
    """
    return "\n".join(_tabular(answer, measure) for measure in answer.measures)


def _tabular(answer: Answer, measure: Measure) -> str:
    headings = _headings(answer, measure)
    said = (*conclusions(answer, measure), *state(answer), *limits(answer), *_explained(answer))
    lines = [
        rf"% {described(measure)}; needs \usepackage{{booktabs}}",
        *(f"% {text}" for text in said),
        rf"\begin{{tabular}}{{l{'r' * (len(headings) - 1)}}}",
        r"\toprule",
        rf"{' & '.join(headings)} \\",
        r"\midrule",
        *(rf"{' & '.join(row)} \\" for row in _rows(answer, measure, _escaped)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _headings(answer: Answer, measure: Measure) -> tuple[str, ...]:
    seeds = (SEEDS,) if measure.uneven else ()
    return (*SCORES, *seeds, *COSTS, "GPU memory" if on_gpu(answer) else PROCESS, LEARNING)


def _explained(answer: Answer) -> Iterator[str]:
    return explained(answer, learns=f"{LEARNING}: parameters that learn", process=PROCESS)


def _rows(
    answer: Answer, measure: Measure, spell: Callable[[str], str]
) -> Iterator[tuple[str, ...]]:
    spent = {each.variant: each for each in answer.spent}
    best = [line.variant for line in measure.lines if line.like_best]
    bold = best if len(best) == 1 and measure.comparisons and spell is _escaped else []
    for line in measure.lines:
        cells = tuple(map(spell, (line.variant, *_scores(measure, line), *_costs(spent, line))))
        if line.variant in bold:
            cells = (cells[0], rf"\textbf{{{cells[1]}}}", *cells[2:])
        yield cells


def _scores(measure: Measure, line: Line) -> tuple[str, ...]:
    quantity, comparison = measure.quantity, line.comparison
    seeds = (str(len(line.values)),) if measure.uneven else ()
    better, p = ("", "") if comparison is None else chances(comparison)[:2]
    return score(quantity, line.score), apart(quantity, line), better, p, *seeds


def _costs(spent: Mapping[str, Spent], line: Line) -> tuple[str, ...]:
    costs = spent[line.variant].costs
    memory = memory_of(costs)
    return (
        "" if costs.operations is None else amount(costs.operations, "FLOP", space=" "),
        "" if costs.seconds is None else duration(costs.seconds),
        "" if memory is None else in_bytes(memory),
        learning(spent[line.variant]) if spent[line.variant].trainable else "",
    )


def _piped(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return text.replace("|", r"\|")


def _escaped(text: str) -> str:
    """Return text that LaTeX shows as it is."""
    text = text.replace("\\", r"\textbackslash ")
    for character in "&%$#_{}":
        text = text.replace(character, f"\\{character}")
    return text.replace("±", r"$\pm$").replace("-", "$-$" if text[:1] in "+-" else "-")
