"""What can and what cannot be concluded from a study, in sentences."""

from collections.abc import Iterator

from renaissance.runtime.report.figures import is_rate, plural
from renaissance.runtime.studies.answer import Answer, Comparison, Measure
from renaissance.runtime.studies.power import (
    least_difference,
    seeds_needed,
    shown_difference,
)
from renaissance.runtime.studies.statistics import Estimate, least_p


def spelled(metric: str, value: float) -> str:
    """Spell a score: in per cent for a rate, else in four digits."""
    return f"{value * 100:.2f}" if is_rate(metric) else f"{value:.4g}"


def reach(metric: str, interval: tuple[float, float]) -> str:
    """Spell how far an interval reaches to each side."""
    half = (interval[1] - interval[0]) / 2
    return f"{half * 100:.2f}" if is_rate(metric) else f"{half:.2g}"


def score(metric: str, estimate: Estimate | None) -> str:
    """Spell a mean with its interval: `80.83 ± 2.07`; `-` where there is none."""
    if estimate is None:
        return "-"
    mean = spelled(metric, estimate.mean)
    return mean if estimate.interval is None else f"{mean} ± {reach(metric, estimate.interval)}"


def signed(metric: str, value: float) -> str:
    """Spell a difference of scores: in points for a rate."""
    return f"{value * 100:+.2f}" if is_rate(metric) else f"{value:+.3g}"


def ends(metric: str, interval: tuple[float, float] | None) -> str:
    """Spell an interval of differences in brackets; empty where there is none."""
    return "" if interval is None else f"[{', '.join(signed(metric, end) for end in interval)}]"


def amount(metric: str, value: float) -> str:
    """Spell how far scores are apart, with its unit: `0.90 points`."""
    return f"{abs(value) * 100:.2f} points" if is_rate(metric) else f"{abs(value):.3g}"


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
    lines = [
        f"{variant}: {_conclusion(answer, measure, comparison)}"
        for variant, comparison in measure.comparisons.items()
    ]
    if any(one.difference.estimate.interval for one in measure.comparisons.values()):
        lines += _best(measure)
    return tuple(lines)


def _conclusion(answer: Answer, measure: Measure, comparison: Comparison) -> str:
    metric, estimate = measure.metric, comparison.difference.estimate
    unit = " points" if is_rate(metric) else ""
    sentence = f"{signed(metric, estimate.mean)}{unit}"
    if estimate.interval is None or estimate.deviation is None:
        return f"{sentence}; of one seed it is not known whether another one would say the same"
    sentence += f" {ends(metric, estimate.interval)}: "
    better = (estimate.mean > 0) == measure.larger_is_better
    which = "better" if better else "worse"
    if comparison.distinguishable:
        sentence += f"{which} than {answer.baseline}"
    elif comparison.difference.distinguishable:
        count = plural(len(measure.comparisons), "comparison")
        sentence += f"perhaps {which}, but p is {comparison.p:.2f} for {count} together"
    else:
        least = least_difference(estimate.seeds, estimate.deviation)
        sentence += (
            f"not distinguishable from {answer.baseline}; {estimate.seeds} seeds cannot show less "
            f"than {amount(metric, least)}"
        )
    if comparison.resampled is not None and comparison.resampled.both is not None:
        both = ends(metric, comparison.resampled.both)
        sentence += f"; over other images as well {both}"
    return sentence


def chances(comparison: Comparison) -> tuple[str, str, str]:
    """Spell the share of seeds that were better, and both p; of one seed nothing is known."""
    apart = comparison.difference
    if apart.estimate.interval is None:
        return "-", "-", "-"
    return f"{apart.better:.2f}", f"{comparison.p:.3f}", f"{apart.exact:.3f}"


def _best(measure: Measure) -> Iterator[str]:
    alike = [line.variant for line in measure.lines if line.like_best]
    if len(alike) == 1:
        yield f"best: {alike[0]}, by more than its seeds vary"
    elif alike:
        yield f"not distinguishable from the best: {', '.join(alike)}"


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
    lines = ["intervals take differences between seeds to be about normal"]
    if least_p(seeds) > 0.05:
        lines.append(
            f"a test that takes nothing for granted cannot give less than p = {least_p(seeds):.2g} "
            f"with {seeds} seeds"
        )
    return ("; ".join(lines),)


def seeds_for(answer: Answer, points: float) -> tuple[str, ...]:
    """Say how many seeds a difference needs, from how much differences vary so far.

    Args:
        answer: of the study.
        points: the difference: in points for rates, in the unit of the metric for others.
    """
    lines = []
    rates = [measure for measure in answer.measures if is_rate(measure.metric)]
    for measure in rates or answer.measures:
        metric = measure.metric
        wanted = points / 100 if is_rate(metric) else points
        for variant, comparison in measure.comparisons.items():
            deviation = comparison.difference.estimate.deviation
            if deviation is None:
                continue
            needed = seeds_needed(wanted, deviation)
            count = "more than 1,000 seeds" if needed is None else plural(needed, "seed")
            lines.append(
                f"{measure.evaluation} {metric}, {variant}: {count} for {amount(metric, wanted)} "
                f"(differences vary by {amount(metric, deviation)}, known from "
                f"{len(comparison.seeds)})"
            )
    return tuple(lines) or seeds_at_all(len(answer.seeds))


def seeds_at_all(seeds: int) -> tuple[str, ...]:
    """Say what numbers of seeds can show before anything has run, in deviations."""
    lines = ["how much seeds vary is not known before two of a variant and the baseline are done"]
    for count in dict.fromkeys((seeds, 3, 5, 10)):
        if count > 1:
            shown = shown_difference(count)
            lines.append(
                f"{count} seeds show {shown:.1f} standard deviations of differences between seeds"
            )
    return tuple(lines)
