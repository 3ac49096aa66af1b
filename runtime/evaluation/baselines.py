"""What is reached without looking: by the most frequent answer, and by chance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import facet
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.targets import Numbers, Targets
from renaissance.runtime.tasks.answered import Answered

ROWS_BY_CHANCE = 200_000
"""Answers by chance that are enough to tell what they are worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What there is to know of answers without looking.

    Attributes:
        majority: the class with most credit where the model learned, or the mean number.
        words: the same in words.
        choices: how many classes there are; 0 where numbers are predicted.
        numbers: `[rows]` those that were learned; empty where classes are predicted.
    """

    majority: float
    words: str
    choices: int
    numbers: np.ndarray


def learned(task: TaskBlock, train: Part, answers: tuple[str, ...]) -> Learned | None:
    """Look at what there is to learn from; None where rows have candidates of their own.

    Args:
        task: that is measured.
        train: what was learned from, or what is measured where nothing was.
        answers: of the task.
    """
    targets: Targets = facet(task, "reader").targets(task, train.table, answers)
    if not answers and not isinstance(targets, Numbers):
        return None
    rows = train.rows[train.table.labelled[train.rows]]
    majority = targets.majority(rows)
    if majority is None:
        return None
    if not isinstance(targets, Numbers):
        words = answers[int(majority)]
        return Learned(majority=majority, words=words, choices=len(answers), numbers=np.empty(0))
    numbers = targets.of(rows)
    numbers = numbers[np.isfinite(numbers)]
    return Learned(majority=majority, words=f"the mean, {majority:.3g}", choices=0, numbers=numbers)


def by_majority(answered: Answered, found: Learned) -> Answered:
    """Answer all rows alike."""
    return answered.saying(np.full_like(answered.predictions, found.majority))


def by_chance(answered: Answered, found: Learned, *, seed: int = 0) -> Iterator[Answered]:
    """Answer by chance, several times.

    Of classes each row has all in turn, as far as there are not too many, so that the mean of a
    share over these times is what is expected.
    """
    count = len(answered)
    generator = np.random.default_rng(seed)
    times = max(ROWS_BY_CHANCE // max(count, 1), 1)
    if not found.choices:
        for _ in range(min(times, 20)):
            numbers = generator.choice(found.numbers, count)
            yield answered.saying(numbers.astype(answered.predictions.dtype))
        return
    first = generator.integers(found.choices, size=count)
    for turn in generator.permutation(found.choices)[:times].tolist():
        numbers = (first + turn) % found.choices
        yield answered.saying(numbers.astype(answered.predictions.dtype))
