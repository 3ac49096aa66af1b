import pytest
import torch

from renaissance.compiler.losses import Scored, binary_cross_entropy, cross_entropy, unmeasured
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.measures import Accuracies


def scored(predictions: list[int], target: list[int]) -> Scored:
    scores = torch.nn.functional.one_hot(torch.tensor(predictions, dtype=torch.int64), 4)
    return cross_entropy(scores.float(), torch.tensor(target, dtype=torch.int64))


@pytest.fixture
def accuracies() -> Accuracies:
    return Accuracies(
        {"mlm": "mlm_accuracy", "itm": "itm_accuracy"},
        Processes(ranks=1, rank=0, device=torch.device("cpu")),
    )


def test_accuracy_is_over_all_batches(accuracies: Accuracies) -> None:
    accuracies.update({"mlm": scored([0, 1, 2], [0, 1, 1]), "itm": scored([1], [0])})
    accuracies.update({"mlm": scored([3], [3]), "itm": scored([1, 0], [1, 1])})
    assert accuracies.take() == {"mlm_accuracy": 3 / 4, "itm_accuracy": 1 / 3}


def test_taking_starts_anew(accuracies: Accuracies) -> None:
    accuracies.update({"mlm": scored([0], [0]), "itm": scored([0], [0])})
    accuracies.take()
    accuracies.update({"mlm": scored([0], [1]), "itm": scored([0], [0])})
    assert accuracies.take() == {"mlm_accuracy": 0.0, "itm_accuracy": 1.0}


def test_heads_without_items_have_no_accuracy(accuracies: Accuracies) -> None:
    empty = cross_entropy(torch.zeros(0, 4), torch.zeros(0).long())
    accuracies.update({"mlm": empty, "itm": scored([0], [0])})
    assert accuracies.take() == {"itm_accuracy": 1.0}
    assert accuracies.take() == {}


def test_items_of_which_nobody_knows_are_not_counted(accuracies: Accuracies) -> None:
    shares = torch.tensor([[0.3, 0.9, 0.0], [torch.nan] * 3])
    accuracies.update({"mlm": binary_cross_entropy(torch.eye(3)[[0, 1]], shares)})
    accuracies.update({"itm": unmeasured(torch.zeros(5, 2))})
    assert accuracies.take() == {"mlm_accuracy": pytest.approx(0.3)}
