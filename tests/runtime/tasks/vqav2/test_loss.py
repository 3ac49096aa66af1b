"""The loss of the references, and what is predicted."""

import torch
from torch.nn import functional as F

from renaissance.compiler.batch import Items
from renaissance.runtime.tasks.vqav2.loss import loss, predict
from renaissance.runtime.tasks.vqav2.schema import Vqav2


def test_the_mean_over_rows_and_answers_times_the_number_of_answers() -> None:
    task, draw = Vqav2(root="", answers=7), torch.Generator().manual_seed(0)
    scores = torch.randn(5, 7, generator=draw)
    target = torch.zeros(5, 7)
    target[0, 2], target[1, 0], target[1, 6], target[3, 1] = 1.0, 0.3, 0.9, 0.6
    places = torch.arange(5)
    items = Items(text=places, image=places, tokens=5, positions=None, target=target, known=5)
    scored = loss(task, scores, items)
    mean = F.binary_cross_entropy_with_logits(scores, target)
    torch.testing.assert_close(scored.loss / items.known, 7 * mean)
    assert scored.credit is not None
    assert scored.credit.tolist() == target[places, scores.argmax(1)].tolist()


def test_only_answers_that_there_are_can_be_given() -> None:
    scores = torch.tensor([[0.5, 2.0, 3.0], [1.0, -1.0, 4.0]])
    prediction, probability = predict(Vqav2(root="", answers=3), scores, 2)
    assert prediction.tolist() == [1, 0]
    torch.testing.assert_close(probability, torch.tensor([2.0, 1.0]).sigmoid())
