"""Images that seem to match are drawn by the softmax of their logits, and never a true one."""

from typing import Any

import pytest
import torch
from torch import Tensor

from renaissance.compiler.batch import Drawn, Items, Truth
from renaissance.compiler.comparing import Rows
from renaissance.compiler.hard_negatives import with_hard_negatives


def pairs(texts: int, negatives: int, fallback: int) -> Items:
    """Each text with its own image, then with others that are numbers from `fallback` on."""
    row = torch.arange(texts).repeat(1 + negatives)
    turn = torch.arange(-1, negatives).repeat_interleave(texts)
    image = torch.where(turn < 0, row, fallback)
    target = (turn < 0).long()
    drawn = Drawn(row=row, turn=turn)
    return Items(text=row, image=image, tokens=1, target=target, known=len(row), drawn=drawn)


def compared(image: list[int]) -> Items:
    rows = torch.arange(len(image))
    return Items(text=rows, image=torch.tensor(image), tokens=1, target=rows, known=len(image))


def rows_of(text: list[int], image: list[int]) -> Rows:
    truth = Truth(
        text=torch.tensor(text),
        image=torch.tensor(image),
        pairs=torch.zeros(0, dtype=torch.int64),
        contents=100,
    )
    return Rows(text=torch.zeros(len(text), 1), image=torch.zeros(len(image), 1), truth=truth)


def drawn(logits: Tensor, rows: Rows, image: list[int], negatives: int = 1) -> Any:
    found = with_hard_negatives(pairs(len(image), negatives, 99), compared(image), logits, rows)
    return found.image.view(1 + negatives, -1)


def test_images_come_as_often_as_the_softmax_says() -> None:
    torch.manual_seed(0)
    logits = torch.tensor([[9.0, 0.0, 1.0, 2.0], *[[0.0] * 4] * 3])
    rows, image = rows_of([0, 1, 2, 3], [10, 11, 12, 13]), [0, 1, 2, 3]
    counts = torch.zeros(4)
    for _ in range(4000):
        own, other = drawn(logits, rows, image)
        assert own.tolist() == image and all(a != b for a, b in zip(own, other, strict=True))
        counts[other[0]] += 1
    wanted = torch.tensor([0.0, 1.0, 2.0]).softmax(0)
    torch.testing.assert_close(counts[1:] / 4000, wanted, atol=0.03, rtol=0)


def test_what_is_known_to_be_true_is_never_drawn() -> None:
    torch.manual_seed(0)
    # Texts 0 and 1 read the same; the images of rows 2 and 3 are one image, which stands once.
    rows, image = rows_of([5, 5, 6, 7, 8], [10, 11, 12, 12, 13]), [0, 1, 2, 2, 3]
    allowed = [{2, 3}, {2, 3}, {0, 1, 3}, {0, 1, 3}, {0, 1, 2}]
    seen: list[set[int]] = [set() for _ in image]
    for _ in range(200):
        for row, other in enumerate(drawn(torch.zeros(5, 5), rows, image)[1].tolist()):
            seen[row].add(other)
    assert seen == allowed


@pytest.mark.parametrize("negatives", [2, 4])
def test_several_are_different_and_what_was_drawn_before_stays_where_they_end(
    negatives: int,
) -> None:
    torch.manual_seed(0)
    rows, image = rows_of([0, 1, 2], [10, 11, 12]), [0, 1, 2]
    found = drawn(torch.zeros(3, 3), rows, image, negatives)
    for row in range(3):
        others = found[1:, row].tolist()
        assert sorted(others[:2]) == [k for k in range(3) if k != row]
        assert others[2:] == [99] * (negatives - 2)


def test_one_text_alone_keeps_what_was_drawn() -> None:
    assert drawn(torch.zeros(1, 1), rows_of([0], [10]), [0]).tolist() == [[0], [99]]
