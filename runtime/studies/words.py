"""What can and what cannot be concluded from a study, in sentences."""

from collections.abc import Iterator
from math import isclose

from renaissance.grammar.kinds.quantity import Quantity
from renaissance.grammar.names import plural
from renaissance.runtime.studies.answer import Answer, Comparison, Line, Measure
from renaissance.runtime.studies.power import (
    least_difference,
    seeds_needed,
    shown_difference,
)
from renaissance.runtime.studies.statistics import LEAST_SEEDS, LEVEL, Estimate, least_p

LESS = "less is better"
INCOMPARABLE = "not comparable"


def described(measure: Measure) -> str:
    """Say what a table is of: `exam: accuracy on test, %`; its cells have no units."""
    split = f" on {measure.split}" if measure.split else ""
    unit = f", {measure.quantity.unit}" if measure.quantity.unit else ""
    less = f", {LESS}" if measure.quantity.less_is_better else ""
    return f"{measure.evaluation}: {measure.metric}{split}{unit}{less}"


def spelled(quantity: Quantity, value: float) -> str:
    """Spell a score: in per cent for a share, else in four digits."""
    return f"{value * 100:.2f}" if quantity.share else f"{value:.4g}"


def score(quantity: Quantity, estimate: Estimate | None) -> str:
    """Spell a mean with its interval: `80.83 ± 2.07`; `-` where there is none.

    One that is cut where there can be no values has its ends: `97.50 [88.10, 100.00]`.
    """
    if estimate is None:
        return "-"
    mean = spelled(quantity, estimate.mean)
    if estimate.interval is None:
        return mean
    low, high = estimate.interval
    half = (high - low) / 2
    if not isclose(estimate.mean - low, half, rel_tol=1e-6):
        return f"{mean} [{spelled(quantity, low)}, {spelled(quantity, high)}]"
    return f"{mean} ± {half * 100:.2f}" if quantity.share else f"{mean} ± {half:.2g}"


def signed(quantity: Quantity, value: float) -> str:
    """Spell a difference of scores: in points for a share."""
    text = f"{value * 100:+.2f}" if quantity.share else f"{value:+.3g}"
    return text if float(text) else text[1:]


def ends(quantity: Quantity, interval: tuple[float, float] | None) -> str:
    """Spell an interval of differences in brackets; empty where there is none."""
    return "" if interval is None else f"[{', '.join(signed(quantity, end) for end in interval)}]"


def apart(quantity: Quantity, line: Line) -> str:
    """Spell how far a variant is from the baseline, with the interval; empty of the baseline."""
    if line.incomparable:
        return INCOMPARABLE
    if line.comparison is None:
        return ""
    estimate = line.comparison.difference.estimate
    return f"{signed(quantity, estimate.mean)} {ends(quantity, estimate.interval)}".strip()


def amount(quantity: Quantity, value: float) -> str:
    """Spell how far scores are apart, with its unit: `0.90 points`."""
    return f"{abs(value) * 100:.2f} points" if quantity.share else f"{abs(value):.3g}"


def state(answer: Answer) -> tuple[str, ...]:
    """Say how far a study has come; nothing of one that is done."""
    lines = []
    if answer.done < answer.cells:
        lines.append(
            f"{answer.done} of {plural(answer.cells, 'cell')} are done: this is what follows so far"
        )
    lines += [f"{name} failed: {why}" for name, why in answer.failed.items()]
    return tuple(lines)


def conclusions(answer: Answer, measure: Measure) -> tuple[str, ...]:
    """Say what follows from the scores of a metric, and what does not."""
    lines = []
    for line in measure.lines:
        if line.incomparable:
            lines.append(
                f"{line.variant}: {INCOMPARABLE} with {answer.baseline}: {line.incomparable}"
            )
        elif line.comparison is not None:
            lines.append(f"{line.variant}: {_conclusion(answer, measure, line.comparison)}")
    if any(one.difference.estimate.interval for one in measure.comparisons.values()):
        lines += _best(answer, measure)
    return tuple(lines)


def _conclusion(answer: Answer, measure: Measure, comparison: Comparison) -> str:
    quantity, estimate = measure.quantity, comparison.difference.estimate
    unit = " points" if quantity.share else ""
    sentence = f"{signed(quantity, estimate.mean)}{unit}"
    if estimate.seeds < 2:
        return f"{sentence}; of one seed it is not known whether another one would say the same"
    if estimate.interval is None and not estimate.mean:
        return f"no difference with any of {estimate.seeds} seeds"
    if estimate.interval is None:
        return (
            f"{sentence} with each of {estimate.seeds} seeds: how much seeds vary is not known, "
            "so nothing can be concluded"
        )
    sentence += f" {ends(quantity, estimate.interval)}: {_verdict(answer, measure, comparison)}"
    if comparison.resampled is not None and comparison.resampled.both is not None:
        sentence += f"; over other images as well {ends(quantity, comparison.resampled.both)}"
    return sentence


def _verdict(answer: Answer, measure: Measure, comparison: Comparison) -> str:
    """Say whether a variant is told from the baseline, and what that supposes."""
    quantity, estimate = measure.quantity, comparison.difference.estimate
    which = "worse" if (estimate.mean > 0) == quantity.less_is_better else "better"
    if estimate.seeds < LEAST_SEEDS:
        return f"of {estimate.seeds} seeds nothing can be concluded"
    if comparison.distinguishable:
        return f"{which} than {answer.baseline}{_supposing(comparison)}"
    if comparison.difference.distinguishable:
        count = plural(len(measure.comparisons), "comparison")
        return f"perhaps {which}, but p (Holm) is {comparison.p:.2f} for {count} together"
    least = least_difference(estimate.seeds, estimate.deviation or 0.0)
    alike = f"not distinguishable from {answer.baseline}"
    if least > quantity.span:
        return (
            f"{alike}; seeds vary so much that {estimate.seeds} of them cannot show any difference"
        )
    return f"{alike}; {estimate.seeds} seeds cannot show less than {amount(quantity, least)}"


def _supposing(comparison: Comparison) -> str:
    """Say what a verdict supposes where the test that takes nothing for granted does not agree."""
    apart = comparison.difference
    if not apart.supposes_normal:
        return ""
    return (
        ", if differences between seeds are about normal "
        f"(without that, exact p is {apart.exact:.2g})"
    )


def chances(comparison: Comparison) -> tuple[str, str, str]:
    """Spell the share of seeds that were better, p after Holm, and exact p; `-` of one seed."""
    apart = comparison.difference
    if apart.estimate.interval is None:
        return "-", "-", "-"
    return f"{apart.better:.2f}", f"{comparison.p:.3f}", f"{apart.exact:.3f}"


def _best(answer: Answer, measure: Measure) -> Iterator[str]:
    alike = [line.variant for line in measure.lines if line.like_best]
    some = any(line.incomparable for line in measure.lines)
    of = f" of those that can be compared with {answer.baseline}" if some else ""
    if len(alike) == 1:
        yield f"best{of}: {alike[0]}, by more than its seeds vary"
    elif alike:
        yield f"not distinguishable from the best{of}: {', '.join(alike)}"


def limits(answer: Answer) -> tuple[str, ...]:
    """Say what so many seeds can show at all."""
    common = [
        len(comparison.seeds)
        for measure in answer.measures
        for comparison in measure.comparisons.values()
    ]
    if not common:
        return ()
    seeds = min(common)
    if seeds < 2:
        return ("one seed cannot tell a difference between variants from one between seeds",)
    if seeds < LEAST_SEEDS:
        return (
            f"{seeds} seeds do not show how much seeds vary: nothing is concluded of fewer than "
            f"{LEAST_SEEDS}",
        )
    lines = ["intervals take differences between seeds to be about normal"]
    if least_p(seeds) > LEVEL:
        lines.append(
            f"a test that takes nothing for granted cannot give less than p = {least_p(seeds):.2g} "
            f"with {seeds} seeds"
        )
    return ("; ".join(lines),)


def seeds_for(answer: Answer, points: float) -> tuple[str, ...]:
    """Say how many seeds a difference needs, from how much differences vary so far.

    Args:
        answer: of the study.
        points: the difference: in points for shares, in the unit of the metric for others.
    """
    lines = []
    shares = [measure for measure in answer.measures if measure.quantity.share]
    for measure in shares or answer.measures:
        quantity = measure.quantity
        wanted = points / 100 if quantity.share else points
        for variant, comparison in measure.comparisons.items():
            deviation = comparison.difference.estimate.deviation
            if not deviation:
                continue
            needed = seeds_needed(wanted, deviation)
            count = "more than 1,000 seeds" if needed is None else plural(needed, "seed")
            lines.append(
                f"{measure.evaluation} {measure.metric}, {variant}: {count} for "
                f"{amount(quantity, wanted)} (differences vary by "
                f"{amount(quantity, deviation)}, known from "
                f"{len(comparison.seeds)})"
            )
    return tuple(lines) or seeds_at_all(len(answer.seeds))


def seeds_at_all(seeds: int) -> tuple[str, ...]:
    """Say what numbers of seeds can show before anything has run, in deviations."""
    lines = ["how much seeds vary is not known before two of a variant and the baseline are done"]
    for count in dict.fromkeys((seeds, 3, 5, 10)):
        if count >= LEAST_SEEDS:
            shown = shown_difference(count)
            lines.append(
                f"{count} seeds show {shown:.1f} standard deviations of differences between seeds"
            )
    return tuple(lines)
