"""The official accuracy of VQA. Source: Antol et al. 2015; visualqa.org/evaluation."""

from collections.abc import Sequence

import numpy as np

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.means import Mean, means, of_groups
from renaissance.runtime.tasks.vqav2.normalisation import cleaned, normalised
from renaissance.runtime.tasks.vqav2.schema import Vqav2

ENOUGH = 3
"""People who make an answer wholly right."""


def measure(block: Vqav2, answered: Answered) -> dict[str, float]:
    """Return the mean accuracy of all questions, of each type of answer and of each of question.

    A question whose image cannot be read is wrong, and so is one of which no answer can be given.
    """
    return means(by_row(block, answered))


def by_row(block: Vqav2, answered: Answered) -> dict[str, Mean]:
    """Return the accuracy of each question."""
    if not len(answered.asked):
        return {}
    pairs = zip(answered.said, answered.column("answers"), strict=True)
    right = answered.of_asked(np.array([accuracy(*pair) for pair in pairs], np.float64))
    found = {"accuracy": Mean.of_all(right)}
    for column in ("answer_type", "question_type"):
        found |= of_groups(right, answered.column_of_asked(column), "accuracy")
    return found


def accuracy(prediction: str, answers: Sequence[str]) -> float:
    """Compare an answer with those of some people, of whom each is left out once.

    Both sides are spelled alike only where people do not all agree to the letter: an exact text,
    such as a brand, is wanted exactly.
    """
    answers = [cleaned(answer) for answer in answers]
    prediction = cleaned(prediction)
    if len(set(answers)) > 1:
        answers = [normalised(answer) for answer in answers]
        prediction = normalised(prediction)
    matches, people = answers.count(prediction), len(answers)
    of_those_who_match = matches * min((matches - 1) / ENOUGH, 1.0)
    of_the_others = (people - matches) * min(matches / ENOUGH, 1.0)
    return (of_those_who_match + of_the_others) / people
