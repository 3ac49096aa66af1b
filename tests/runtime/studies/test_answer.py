"""The answer of a study: what is compared with what, and what may be concluded."""

from dataclasses import replace
from pathlib import Path

import pytest

from renaissance.runtime.studies.answer import Answer, Comparison, Line, answer
from renaissance.runtime.studies.results import read_results
from renaissance.runtime.studies.words import conclusions, limits, seeds_for, state
from tests.made_study import make_study

SCORES = {
    "none": (0.80, 0.825, 0.8125),
    "vision": (0.79, 0.83, 0.80),
    "text": (0.70, 0.71, 0.72),
}


def found(folder: Path, **more: tuple[float | None, ...]) -> Answer:
    return answer(read_results(make_study(folder / "runs" / "freezing", SCORES | more)))


def line(of: Answer, variant: str, metric: str = "accuracy") -> Line:
    [measure] = [each for each in of.measures if each.metric == metric]
    [one] = [each for each in measure.lines if each.variant == f"freeze={variant}"]
    return one


def compared(of: Answer, variant: str) -> Comparison:
    comparison = line(of, variant).comparison
    assert comparison is not None
    return comparison


def test_each_variant_is_compared_with_the_baseline_seed_by_seed(tmp_path: Path) -> None:
    of = found(tmp_path)
    assert (of.study, of.baseline, of.done, of.cells) == ("freezing", "freeze=none", 9, 9)
    assert [measure.metric for measure in of.measures] == ["accuracy", "loss"]
    assert line(of, "none").comparison is None
    text = compared(of, "text")
    assert text.seeds == (0, 1, 2)
    assert text.difference.estimate.mean == pytest.approx(-38 / 360)
    assert text.distinguishable and text.difference.better == 0
    assert not compared(of, "vision").distinguishable
    # Of two comparisons, the smaller p counts twice.
    assert text.p == pytest.approx(2 * text.difference.p)
    assert compared(of, "vision").p == pytest.approx(compared(of, "vision").difference.p)


def test_of_losses_less_is_better(tmp_path: Path) -> None:
    of = found(tmp_path)
    comparison = line(of, "text", "loss").comparison
    assert comparison is not None and comparison.difference.better == 0
    assert not line(of, "text", "loss").like_best and line(of, "none", "loss").like_best
    assert comparison.resampled is None  # no mean of what rows are worth


def test_the_best_is_the_set_that_seeds_do_not_tell_apart(tmp_path: Path) -> None:
    of = found(tmp_path)
    alike = {each.variant for each in of.measures[0].lines if each.like_best}
    assert alike == {"freeze=none", "freeze=vision"}
    said = conclusions(of, of.measures[0])
    assert said[-1] == "not distinguishable from the best: freeze=none, freeze=vision"
    assert said[0].startswith("freeze=vision: ")
    assert "not distinguishable from freeze=none; 3 seeds cannot show less than" in said[0]
    assert ": worse than freeze=none; over other images as well [" in said[1]
    assert limits(of) == (
        "intervals take differences between seeds to be about normal; a test that takes nothing "
        "for granted cannot give less than p = 0.25 with 3 seeds",
    )


def test_images_are_drawn_where_the_metric_is_a_mean_over_rows(tmp_path: Path) -> None:
    resampled = compared(found(tmp_path), "text").resampled
    assert resampled is not None and resampled.both is not None
    assert resampled.both[0] < resampled.images[0] < -0.1 < resampled.images[1] < 0


def test_a_study_that_is_not_done_is_answered_as_far_as_it_is(tmp_path: Path) -> None:
    of = found(tmp_path, text=(0.70, None, None), both=(None, None, None))
    assert of.done == 7
    assert state(of) == ("7 of 12 cells are done: this is what follows so far",)
    assert compared(of, "text").seeds == (0,)
    assert compared(of, "text").difference.estimate.interval is None
    assert line(of, "both").score is None
    said = conclusions(of, of.measures[0])
    assert "of one seed it is not known whether another one would say the same" in said[1]
    assert limits(of) == (
        "one seed cannot tell a difference between variants from one between seeds",
    )


def test_why_a_cell_failed_is_said(tmp_path: Path) -> None:
    scores = {"none": (0.8, 0.8), "text": (0.7, None)}
    folder = make_study(tmp_path / "runs" / "freezing", scores, failed="freeze=text/seed=1")
    assert state(answer(read_results(folder)))[1] == (
        "freeze=text/seed=1 failed: vqa: the loss is not finite after step 3"
    )


def test_nothing_measured_is_no_error(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "runs" / "s", {"none": (None,), "text": (None,)})
    of = answer(read_results(folder))
    assert of.measures == () and of.done == 0
    assert seeds_for(of, 1.0)[0].startswith("how much seeds vary is not known")


def test_only_what_the_study_reports_is_compared(tmp_path: Path) -> None:
    results = read_results(make_study(tmp_path / "runs" / "freezing", SCORES))
    for report in (("loss",), ("exam.loss",)):
        of = answer(replace(results, report=report))
        assert [measure.metric for measure in of.measures] == ["loss"]


def test_costs_are_of_training_and_the_total_counts_a_stage_once(tmp_path: Path) -> None:
    of = found(tmp_path)
    assert [spent.costs.operations for spent in of.spent] == [5e12, 4e12, 3e12]
    assert [spent.shared for spent in of.spent] == [("base",)] * 3
    assert of.total.seconds == pytest.approx(3 * (20 + 30 + 20 + 10) + 9)


def test_seeds_needed_follow_from_what_seeds_vary(tmp_path: Path) -> None:
    said = seeds_for(found(tmp_path), 1.0)
    assert len(said) == 2 and "exam accuracy, freeze=vision: " in said[0]
    assert "seeds for 1.00 points (differences vary by" in said[0]


def test_the_best_alone_is_told_apart_in_all_comparisons_together(tmp_path: Path) -> None:
    scores = {
        "none": (0.95, 0.90, 0.95),
        "vision": (0.975, 0.917, 0.983),
        "text": (0.925, 0.80, 0.933),
        "both": (0.925, 0.875, 0.925),
    }
    of = answer(read_results(make_study(tmp_path / "study", scores)))
    comparison = compared(of, "vision")
    assert comparison.difference.distinguishable and not comparison.distinguishable
    assert line(of, "none").like_best
