import pytest
import torch

from renaissance.runtime.measures import Accuracies
from renaissance.runtime.processes import Processes
from renaissance.runtime.scoring import Scored


def scored(predictions: list[int], labels: list[int]) -> Scored:
    scores = torch.nn.functional.one_hot(torch.tensor(predictions, dtype=torch.int64), 4)
    return Scored(
        loss=torch.zeros(()),
        scores=scores.float(),
        labels=torch.tensor(labels, dtype=torch.int64),
    )


@pytest.fixture
def accuracies() -> Accuracies:
    return Accuracies(("mlm", "itm"), Processes(ranks=1, rank=0, device=torch.device("cpu")))


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
    empty = Scored(loss=torch.zeros(()), scores=torch.zeros(0, 4), labels=torch.zeros(0).long())
    accuracies.update({"mlm": empty, "itm": scored([0], [0])})
    assert accuracies.take() == {"itm_accuracy": 1.0}
    assert accuracies.take() == {}
