"""The answer of a study: what is compared with what, and what may be concluded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.render.answer import answer_as_json, render_answer
from renaissance.render.answer_tables import as_latex, as_markdown
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.studies.answer import Answer, Comparison, Line, answer
from renaissance.runtime.studies.page.plots import colours_of, cost_plot
from renaissance.runtime.studies.results import read_results
from renaissance.runtime.studies.words import (
    apart,
    conclusions,
    described,
    limits,
    score,
    seeds_for,
    state,
)
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from tests.made_study import make_study
from tests.tiny import tiny_experiment

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
    assert (
        ": worse than freeze=none, if differences between seeds are about normal (without that, "
        "exact p is 0.25); over other images as well ["
    ) in said[1]
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


def test_of_ranks_less_is_better_as_the_task_says(tmp_path: Path) -> None:
    folder = make_study(
        tmp_path / "study", SCORES, more=lambda score: {"image_mean_rank": 40 - 39 * score}
    )
    spec = tiny_experiment("nowhere")
    exam = Evaluate(name="exam", of="base", task=Retrieval(root="nowhere"))
    spec = spec.model_copy(update={"jobs": {**spec.jobs, "exam": exam}})
    of = answer(read_results(folder), {f"freeze={variant}": spec for variant in SCORES})
    text = line(of, "text", "image_mean_rank")
    assert text.comparison is not None and text.comparison.difference.better == 0
    assert not text.like_best and line(of, "none", "image_mean_rank").like_best
    [ranks] = [measure for measure in of.measures if measure.metric == "image_mean_rank"]
    assert described(ranks) == "exam: image_mean_rank on test, less is better"
    assert ": worse than freeze=none" in conclusions(of, ranks)[1]
    plot = cost_plot(ranks, of.spent, colours_of(of))  # `text` costs least, `none` most
    assert plot is not None and [point.front for point in plot.points] == [True, True, True]


def test_losses_of_other_objectives_are_not_compared(tmp_path: Path) -> None:
    results = read_results(make_study(tmp_path / "study", SCORES))
    exam = Evaluate(name="exam", of="base", split="validation")

    def learning(*objectives: ObjectiveBlock) -> Spec:
        spec = tiny_experiment("nowhere", base={"objectives": objectives})
        return spec.model_copy(update={"jobs": {**spec.jobs, "exam": exam}})

    specs = {
        "freeze=none": learning(Mlm(), Itm()),
        "freeze=vision": learning(Itm(), Mlm()),
        "freeze=text": learning(Mlm(), Itc()),
    }
    of = answer(results, specs)
    [_, losses] = of.measures
    assert line(of, "text", "loss").comparison is None and not line(of, "text", "loss").like_best
    assert line(of, "vision", "loss").comparison is not None
    said = conclusions(of, losses)
    assert said[1] == (
        "freeze=text: not comparable with freeze=none: it is measured by `itc` and `mlm`, not by "
        "`itm` and `mlm`"
    )
    assert said[2].startswith("not distinguishable from the best of those that can be compared")
    assert "freeze=text" not in said[2]


def test_of_two_seeds_nothing_is_concluded_however_alike_they_are(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", {"none": (0.8, 0.8), "text": (0.7, 0.7)})
    of = answer(read_results(folder))
    [accuracy, loss] = (conclusions(of, measure) for measure in of.measures)
    assert accuracy[0].startswith("freeze=text: -10.00 points [-20.59, +0.59]: of 2 seeds nothing")
    assert "-0.1 [" not in loss[0] and "how much seeds vary is not known" in loss[0]
    assert all(one.like_best for measure in of.measures for one in measure.lines)
    assert limits(of)[0].startswith("2 seeds do not show how much seeds vary")


def test_scores_are_cut_where_there_can_be_none(tmp_path: Path) -> None:
    of = answer(read_results(make_study(tmp_path / "study", {"none": (0.2, 0.7), "text": (1, 0)})))
    first, second = of.measures[0].lines
    assert score(of.measures[0].quantity, first.score) == "45.00 [0.00, 100.00]"
    assert apart(of.measures[0].quantity, second) == "+5.00 [-100.00, +100.00]"


def test_every_table_says_which_p_it_has(tmp_path: Path) -> None:
    of = found(tmp_path)
    adjusted = [of_one["p_holm"] for of_one in _differences(of)]
    assert adjusted != [of_one["p"] for of_one in _differences(of)]
    for table in (render_answer(of), as_markdown(of), as_latex(of)):
        assert "p (Holm)" in table
        assert all(f"{p:.3f}" in table for p in adjusted)


def _differences(of: Answer) -> list[dict[str, Any]]:
    lines = answer_as_json(of)["measures"][0]["variants"]
    return [line["difference"] for line in lines if line["difference"]]
