"""The learning rate against transformers' own schedules."""

import pytest
import torch
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
)

from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.optimizer import ScheduleBlock
from renaissance.runtime.errors import JobError
from renaissance.runtime.schedules.constant.schema import Constant
from renaissance.runtime.schedules.cosine.schema import Cosine
from renaissance.runtime.schedules.linear.schema import Linear
from renaissance.runtime.schedules.polynomial.schema import Polynomial
from renaissance.runtime.training.schedule import LearningRate

PEAK, WARMUP, TOTAL = 0.02, 7, 40


def reference(schedule: ScheduleBlock) -> list[float]:
    """Rates of transformers for steps 0 to TOTAL."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    if isinstance(schedule, Constant):
        theirs = get_constant_schedule_with_warmup(optimizer, WARMUP)
    elif isinstance(schedule, Cosine):
        theirs = get_cosine_with_min_lr_schedule_with_warmup(
            optimizer, WARMUP, TOTAL, min_lr_rate=schedule.end_lr
        )
    elif isinstance(schedule, Polynomial):
        theirs = get_polynomial_decay_schedule_with_warmup(
            optimizer, WARMUP, TOTAL, lr_end=PEAK * schedule.end_lr, power=schedule.power
        )
    else:
        theirs = get_linear_schedule_with_warmup(optimizer, WARMUP, TOTAL)
    rates = []
    for _ in range(TOTAL + 1):
        rates.append(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()
    return rates


@pytest.mark.parametrize(
    "schedule",
    [
        Linear(warmup=WARMUP),
        Constant(warmup=WARMUP),
        Cosine(warmup=WARMUP, end_lr=0.1),
        Polynomial(warmup=WARMUP, power=2.0, end_lr=0.05),
    ],
    ids=lambda schedule: schedule.schedule,
)
def test_decays_as_transformers_do_and_warms_up_one_step_earlier(schedule: ScheduleBlock) -> None:
    theirs = reference(schedule)
    rate = LearningRate.of(schedule, PEAK, TOTAL)
    ours = [rate.at(step) for step in range(TOTAL)]
    assert ours[:WARMUP] == pytest.approx(theirs[1 : WARMUP + 1])
    assert ours[WARMUP:] == pytest.approx(theirs[WARMUP:TOTAL])
    assert min(ours) > 0


def test_a_share_is_one_of_the_run_that_happens() -> None:
    rate = LearningRate.of(Linear(warmup=Share(0.25)), 1.0, 8)
    assert [rate.at(step) for step in range(3)] == [0.5, 1.0, 1.0]


def test_a_warm_up_longer_than_the_run_is_an_error() -> None:
    with pytest.raises(JobError, match="warm-up of 50 steps is longer than the run of 40"):
        LearningRate.of(Linear(warmup=50), PEAK, TOTAL)


def test_a_run_that_only_warms_up_has_its_peak_at_the_end() -> None:
    rate = LearningRate.of(Linear(warmup=4), 1.0, 4)
    assert [rate.at(step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
