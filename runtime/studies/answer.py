"""The answer of a study: scores of its variants, how far they are apart, and what they cost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from renaissance.grammar.kinds.quantity import Quantity
from renaissance.grammar.measured import other_question, quantity_of
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.studies.records import LARGEST, Costs
from renaissance.runtime.studies.resampling import Resampled
from renaissance.runtime.studies.results import CellResults, JobResults, StudyResults
from renaissance.runtime.studies.rows import resampled
from renaissance.runtime.studies.specs import specs_of
from renaissance.runtime.studies.statistics import (
    LEVEL,
    Difference,
    Estimate,
    cut,
    difference,
    estimate,
    holm,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A variant beside the baseline.

    Attributes:
        seeds: that both have.
        difference: over these seeds, variant minus baseline.
        p: of the difference, adjusted for all comparisons of a metric after Holm.
        resampled: intervals over other images; None where the metric is no mean over kept rows.
    """

    seeds: tuple[int, ...]
    difference: Difference
    p: float
    resampled: Resampled | None

    @property
    def distinguishable(self) -> bool:
        """Whether seeds tell the variant from the baseline, all comparisons considered."""
        return self.difference.distinguishable and self.p < LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A variant's score.

    Attributes:
        variant: its name.
        values: by seed, of the cells that are done.
        score: over these seeds; None where there are none.
        comparison: with the baseline; None for the baseline itself, or without a common seed.
        incomparable: why it cannot be compared with the baseline by this metric, in a sentence
            without its end; empty where it can.
        like_best: it is the best of those that can, or not distinguishable from that.
    """

    variant: str
    values: Mapping[int, float]
    score: Estimate | None
    comparison: Comparison | None
    incomparable: str
    like_best: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A metric of an evaluation over all variants.

    Attributes:
        evaluation: its name.
        metric: its name.
        quantity: what it is.
        split: on which it was measured.
        lines: a line for each variant, in the order of the study.
    """

    evaluation: str
    metric: str
    quantity: Quantity
    split: str
    lines: tuple[Line, ...]

    @property
    def uneven(self) -> bool:
        """Whether its means are over different numbers of seeds, so that they are not alike."""
        return len({len(line.values) for line in self.lines}) > 1

    @property
    def comparisons(self) -> Mapping[str, Comparison]:
        """By variant."""
        return {line.variant: line.comparison for line in self.lines if line.comparison}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a variant cost to train.

    Attributes:
        variant: its name.
        costs: of a seed, the mean of those that are done, as if nothing were shared.
        planned: what that should take.
        trainable: numbers that learn, by training job.
        shared: names of its trainings that other variants have as well.
    """

    variant: str
    costs: Costs
    planned: Costs
    trainable: Mapping[str, int]
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a study found so far.

    Attributes:
        study: its name.
        baseline: name of the variant that the others are compared with.
        seeds: of each variant.
        measures: by evaluation and metric.
        spent: by variant.
        total: of all stages, each counted once.
        budget: what all variants spend alike; None where each trains as its jobs say.
        cells: how many there are.
        done: how many of them are.
        failed: why cells failed, by name.
    """

    study: str
    baseline: str
    seeds: tuple[int, ...]
    measures: tuple[Measure, ...]
    spent: tuple[Spent, ...]
    total: Costs
    budget: str | None
    cells: int
    done: int
    failed: Mapping[str, str]


def answer(results: StudyResults, specs: Mapping[str, Spec] | None = None) -> Answer:
    """Return what a study found, as far as it has come.

    Args:
        results: what was run.
        specs: by variant, as far as they are known; read from the folder of the study if None.
    """
    specs = specs_of(results) if specs is None else specs
    variants = dict(_variants(results))
    baseline = next(
        name for name, cells in variants.items() if dict(cells[0].levels) == dict(results.baseline)
    )
    return Answer(
        study=results.name,
        baseline=baseline,
        seeds=results.seeds,
        measures=tuple(
            _measure(evaluation, metric, variants, baseline, specs)
            for evaluation, metric in _compared(results)
        ),
        spent=tuple(_spent(name, cells) for name, cells in variants.items()),
        total=results.costs,
        budget=results.budget,
        cells=len(results.cells),
        done=sum(cell.state == "done" for cell in results.cells),
        failed={cell.name: cell.why for cell in results.cells if cell.state == "failed"},
    )


def _variants(results: StudyResults) -> Iterator[tuple[str, tuple[CellResults, ...]]]:
    for levels in results.variants:
        cells = results.of_variant(levels)
        yield cells[0].variant, cells


def _compared(results: StudyResults) -> Iterator[tuple[str, str]]:
    """Yield evaluation and metric of all that is compared; of parts only those that are named."""
    found: dict[tuple[str, str], None] = {}
    for cell in results.cells:
        for evaluation, metrics in cell.metrics.items():
            found |= dict.fromkeys((evaluation, metric) for metric in metrics)
    for evaluation, metric in found:
        named = not {metric, f"{evaluation}.{metric}"}.isdisjoint(results.report)
        if named or (not results.report and "." not in metric):
            yield evaluation, metric


def _measure(
    evaluation: str,
    metric: str,
    variants: Mapping[str, Sequence[CellResults]],
    baseline: str,
    specs: Mapping[str, Spec],
) -> Measure:
    jobs = {
        variant: {
            cell.seed: cell.evaluations[evaluation]
            for cell in cells
            if evaluation in cell.evaluations
            and isfinite(cell.evaluations[evaluation].metrics.get(metric, float("nan")))
        }
        for variant, cells in variants.items()
    }
    values = {
        variant: {seed: job.metrics[metric] for seed, job in of_seed.items()}
        for variant, of_seed in jobs.items()
    }
    reasons = {
        variant: other_question(specs.get(variant), specs.get(baseline), evaluation, metric)
        for variant in variants
    }
    scale = _scale(evaluation, metric, (baseline, *variants), specs, jobs)
    alike = {variant: of_seed for variant, of_seed in values.items() if not reasons[variant]}
    comparisons = _comparisons(jobs, alike, metric, baseline, scale)
    best = _like_best(alike, scale)
    return Measure(
        evaluation=evaluation,
        metric=metric,
        quantity=scale.quantity,
        split=_split(job for of_seed in jobs.values() for job in of_seed.values()),
        lines=tuple(
            Line(
                variant=variant,
                values=scores,
                score=scale.estimate(list(scores.values())) if scores else None,
                comparison=comparisons.get(variant),
                incomparable=reasons[variant],
                like_best=variant in best,
            )
            for variant, scores in values.items()
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """What the values of a metric are, and how far two different ones are apart at least."""

    quantity: Quantity
    step: float

    def estimate(self, values: Sequence[float]) -> Estimate:
        """Return the mean of `[seeds]`."""
        low, high = self.quantity.low, self.quantity.high
        return estimate(values, low=low, high=high, known_to=self.step / 2)

    def apart(
        self, values: Mapping[int, float], others: Mapping[int, float], seeds: Sequence[int]
    ) -> Difference:
        """Compare values by seed with those of the baseline."""
        return difference(
            [values[seed] for seed in seeds],
            [others[seed] for seed in seeds],
            larger_is_better=not self.quantity.less_is_better,
            step=self.step,
            span=self.quantity.span,
        )

    def cut(self, found: Resampled | None) -> Resampled | None:
        """Return intervals of a difference as far as there can be such differences."""
        if found is None:
            return None
        span = self.quantity.span
        both = None if found.both is None else cut(found.both, -span, span)
        return replace(found, images=cut(found.images, -span, span), both=both)


def _scale(
    evaluation: str,
    metric: str,
    variants: Sequence[str],
    specs: Mapping[str, Spec],
    jobs: Mapping[str, Mapping[int, JobResults]],
) -> _Scale:
    """Return the scale of a metric, as the first variant whose spec is known has it."""
    known = next((specs[variant] for variant in variants if variant in specs), None)
    quantity = quantity_of(known, evaluation, metric)
    results = [job.result for of_seed in jobs.values() for job in of_seed.values()]
    rows = [result.rows for result in results if result is not None and result.rows]
    # Of a part of the rows it is not known how many there are: its steps are these at least.
    return _Scale(quantity=quantity, step=quantity.steps(min(rows, default=None)))


def _comparisons(
    jobs: Mapping[str, Mapping[int, JobResults]],
    values: Mapping[str, Mapping[int, float]],
    metric: str,
    baseline: str,
    scale: _Scale,
) -> dict[str, Comparison]:
    """Return by variant how far it is from the baseline, of those that can be compared."""
    found: dict[str, tuple[tuple[int, ...], Difference]] = {}
    for variant in values:
        seeds = tuple(seed for seed in values[variant] if seed in values[baseline])
        if variant != baseline and seeds:
            found[variant] = (seeds, scale.apart(values[variant], values[baseline], seeds))
    adjusted = holm([apart.p for _, apart in found.values()])
    return {
        variant: Comparison(
            seeds=seeds,
            difference=apart,
            p=p,
            resampled=scale.cut(
                resampled(
                    metric,
                    [jobs[variant][seed] for seed in seeds],
                    [jobs[baseline][seed] for seed in seeds],
                )
            ),
        )
        for (variant, (seeds, apart)), p in zip(found.items(), adjusted, strict=True)
    }


def _like_best(values: Mapping[str, Mapping[int, float]], scale: _Scale) -> frozenset[str]:
    """Return the best variant and those that seeds do not tell from it, all considered together."""
    means = {variant: estimate(list(of.values())).mean for variant, of in values.items() if of}
    if not means:
        return frozenset()
    best = (min if scale.quantity.less_is_better else max)(
        means, key=lambda variant: means[variant]
    )
    found: dict[str, Difference] = {}
    for variant in means:
        seeds = [seed for seed in values[variant] if seed in values[best]]
        if variant != best and seeds:
            found[variant] = scale.apart(values[best], values[variant], seeds)
    adjusted = holm([apart.p for apart in found.values()])
    told = {
        variant
        for (variant, apart), p in zip(found.items(), adjusted, strict=True)
        if apart.distinguishable and p < LEVEL
    }
    return frozenset(means.keys() - told)


def _split(jobs: Iterable[JobResults]) -> str:
    splits = dict.fromkeys(job.result.split or "" for job in jobs if job.result is not None)
    return ", ".join(filter(None, splits))


def _spent(variant: str, cells: Sequence[CellResults]) -> Spent:
    trainable: dict[str, int] = {}
    shared: dict[str, None] = {}
    for cell in cells:
        for name, job in cell.jobs.items():
            if job.kind == "evaluate":
                continue
            if job.trainable is not None:
                trainable.setdefault(name, job.trainable)
            if any(not other.startswith(f"{variant}/seed=") for other in job.shared):
                shared[name] = None
    done = [cell for cell in cells if cell.state == "done"]
    return Spent(
        variant=variant,
        costs=_of_one_seed([cell.training_costs for cell in done]),
        planned=_of_one_seed([cell.planned_costs for cell in done]),
        trainable=trainable,
        shared=tuple(shared),
    )


def _of_one_seed(costs: Sequence[Costs]) -> Costs:
    """Return what one of several seeds takes: the mean of each cost that all have, or `LARGEST`."""
    found = {}
    for name in Costs.model_fields:
        values = [getattr(each, name) for each in costs]
        if values and None not in values:
            one = max(values) if name in LARGEST else sum(values) / len(values)
            found[name] = round(one) if isinstance(values[0], int) else one
    return Costs(**found)
