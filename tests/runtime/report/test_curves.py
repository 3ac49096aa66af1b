import math
import re

import pytest

from renaissance.runtime.records import Start, Step, Thaw, Validate
from renaissance.runtime.report.chart import linear_axis, log_axis
from renaissance.runtime.report.curves import Panel, panels
from renaissance.runtime.report.folder import JobRun, Log


def charts(log: Log) -> tuple[Panel, ...]:
    return panels(JobRun(name="base", log=log, result=None, problems=()), None)


def labels(panel: Panel) -> list[str]:
    return [series.label for series in panel.series]


def test_one_loss_and_one_metric() -> None:
    log = Log(
        steps=[
            Step(step=n, loss=1 / n, losses={"answer": 1 / n}, metrics={"accuracy": 0.5})
            for n in range(1, 11)
        ],
        validations=[Validate(step=10, losses={"answer": 0.2}, metrics={"accuracy": 0.6})],
    )
    loss, accuracy = charts(log)
    assert (loss.title, accuracy.title) == ("Loss", "Accuracy")
    assert labels(loss) == ["answer", "answer, held out"]
    assert labels(accuracy) == ["accuracy", "accuracy, held out"]
    assert loss.series[1].points == ((10, 0.2),)
    assert loss.svg.count("<circle") == 1


def test_several_losses_bring_their_sum() -> None:
    steps = [Step(step=n, loss=3.0, losses={"mlm": 2.0, "itm": 1.0}) for n in (1, 2)]
    (panel,) = charts(Log(steps=steps))
    assert labels(panel) == ["sum", "mlm", "itm"]
    assert [series.points[-1][1] for series in panel.series] == pytest.approx([3.0, 2.0, 1.0])


def test_rates_share_a_chart_and_others_do_not() -> None:
    metrics = {"mlm_accuracy": 0.5, "itm_accuracy": 0.9, "perplexity": 12.0}
    log = Log(steps=[Step(step=n, loss=1.0, metrics=metrics) for n in (1, 2)])
    assert [panel.title for panel in charts(log)] == ["Loss", "Metrics", "Perplexity"]


def test_what_says_how_it_learned_has_charts_of_its_own() -> None:
    known = {"lr": 1e-3, "gradient_norm": 0.7, "texts_per_second": 900.0, "memory": 2_000_000_000}
    charted = charts(Log(steps=[Step(step=n, loss=1.0, **known) for n in (1, 2)]))
    last = {panel.title: panel.series[0].points[-1] for panel in charted[1:]}
    assert last == {
        "Learning rate": (2, pytest.approx(1e-3)),
        "Norm of the gradient": (2, pytest.approx(0.7)),
        "Texts a second": (2, pytest.approx(900.0)),
        "Memory, GB": (2, pytest.approx(2.0)),
    }


def test_loss_that_falls_far_is_logarithmic() -> None:
    def ticks(last: float) -> list[str]:
        steps = [Step(step=1, loss=5.0), *(Step(step=n, loss=last) for n in range(2, 400))]
        (panel,) = charts(Log(steps=steps))
        return re.findall(r'text-anchor="end">([\d.]+)</text>', panel.svg)

    assert "0.1" in ticks(0.05)
    assert "0" not in ticks(0.05)
    assert ticks(2.0)[0] == "2"


def test_curves_are_smooth_and_keep_their_level() -> None:
    noisy = [Step(step=n, loss=2.0 + (-1) ** n) for n in range(1, 1001)]
    (panel,) = charts(Log(steps=noisy))
    values = [value for _, value in panel.series[0].points]
    assert len(values) <= 240
    assert panel.series[0].points[-1][0] == 1000
    assert max(abs(value - 2.0) for value in values[60:]) < 0.1


def test_values_that_are_not_finite_are_left_out() -> None:
    steps = [Step(step=1, loss=1.0), Step(step=2, loss=math.nan), Step(step=3, loss=math.inf)]
    (panel,) = charts(Log(steps=steps))
    assert [step for step, _ in panel.series[0].points] == [1]
    assert "nan" not in panel.svg
    assert charts(Log(steps=steps[1:])) == ()


def test_thaw_is_marked() -> None:
    steps = [Step(step=n, loss=1.0) for n in (1, 50)]
    (panel,) = charts(Log(steps=steps, thaws=[Thaw(step=20, addresses=("vision",))]))
    assert "<title>step 20: vision begins to learn</title>" in panel.svg


def test_job_that_only_began_has_no_charts() -> None:
    assert charts(Log(starts=[Start(job="base", spec_hash="x")])) == ()


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.93, 0.99), (3, 3), (0, 0), (-2, 1e6), (1e-9, 2e-9)]
)
def test_linear_axis_holds_its_values(low: float, high: float) -> None:
    axis = linear_axis(low, high)
    assert axis.low <= low <= high <= axis.high
    assert 2 <= len(axis.ticks) <= 8
    assert 0 <= axis.position(low) <= axis.position(high) <= 1


@pytest.mark.parametrize(("low", "high"), [(0.01, 1), (0.013, 7.2), (1e-9, 1e5), (3, 70)])
def test_log_axis_holds_its_values(low: float, high: float) -> None:
    axis = log_axis(low, high)
    assert axis.low <= low <= high <= axis.high
    assert len(axis.ticks) >= 2
    middle = math.sqrt(axis.low * axis.high)
    assert axis.position(middle) == pytest.approx(0.5)


def test_no_axis_of_a_rate_goes_beyond_all() -> None:
    axis = linear_axis(0.31, 0.995, rate=True, ends=(0.0, 1.0))
    assert axis.high == 1.0
    assert axis.spell(axis.ticks[-1]) == "100\N{NO-BREAK SPACE}%"
