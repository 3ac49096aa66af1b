"""A moving copy and a queue: losses and gradients of a step as MoCo and ALBEF write them."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from renaissance.compiler.batch import Truth
from renaissance.compiler.comparing import Exchange, Rows, compare
from renaissance.compiler.losses import Scored
from renaissance.runtime.errors import CheckpointError
from renaissance.runtime.objectives.itc.head import ContrastHead
from renaissance.runtime.objectives.itc.loss import loss
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.training.key_queue import KeyQueue
from tests.runtime.objectives.itc.test_itc_loss import WIDTHS, in_double, true_by_hand, truth_of

__all__ = ["in_double"]

SOFT = [0.0, 0.4]
CPU = torch.device("cpu")


def heads(block: Itc) -> tuple[ContrastHead, ContrastHead]:
    """A head that learns, and a moving copy of it that is behind."""
    torch.manual_seed(0)
    made = [ContrastHead(block, WIDTHS).double() for _ in range(2)]
    for head in made:
        for projection in head.projection.values():
            nn.init.normal_(projection.weight)
    return made[0], made[1].requires_grad_(False)


def rows_of(head: ContrastHead, text: Tensor, image: Tensor, truth: Truth) -> Rows:
    return Rows(text=head.vectors("text", text), image=head.vectors("vision", image), truth=truth)


def inputs(rows: int) -> tuple[Tensor, Tensor]:
    text, image = (torch.randn(rows, width, dtype=torch.float64) for width in WIDTHS.values())
    return text.requires_grad_(), image.requires_grad_()


def reference(
    block: Itc,
    head: ContrastHead,
    copy: ContrastHead,
    now: tuple[Tensor, Tensor],
    before: tuple[Tensor, Tensor],
    true: list[list[bool]],
) -> Tensor:
    """ALBEF's loss, as its equations 2 and 6: row by row, known true pairs but the own skipped."""

    def feature(which: ContrastHead, name: str, part: Tensor) -> Tensor:
        projected = part @ which.projection[name].weight.T
        return projected / projected.norm(dim=1, keepdim=True)

    text, image = (feature(head, n, part) for n, part in zip(WIDTHS, now, strict=True))
    text_m, image_m = (feature(copy, n, part) for n, part in zip(WIDTHS, now, strict=True))
    text_q, image_q = (feature(copy, n, part) for n, part in zip(WIDTHS, before, strict=True))
    all_text = torch.cat((text_m, text_q)).detach()
    all_image = torch.cat((image_m, image_q)).detach()
    scale, total = head.logit_scale.exp(), torch.zeros((), dtype=torch.float64)
    for row in range(len(text)):
        for query, moved, keys, known in (
            (text[row], text_m[row], all_image, true[row]),
            (image[row], image_m[row], all_text, [column[row] for column in true]),
        ):
            among = [k for k in range(len(keys)) if k == row or not known[k]]
            log_shares = (keys[among] @ query * scale).log_softmax(0)
            own = F.one_hot(torch.tensor(among.index(row)), len(among)).double()
            soft = (keys[among] @ moved * scale).softmax(0).detach()
            wanted = (1 - block.soft_targets) * own + block.soft_targets * soft
            total = total - (wanted * log_shares).sum() / 2
    return total


NOW = truth_of([0, 1, 2, 3, 4, 5], [10, 11, 12, 13, 12, 15], (1, 13), (5, 22))
"""Rows 2 and 4 have one image; text 1 is true of the image of row 3, text 5 of one before."""
BEFORE = truth_of([6, 1, 7, 8], [20, 21, 22, 13], (6, 11))
"""Text 1 and image 13 were there before; text 6 is true of the image of row 1."""


@pytest.mark.parametrize("sizes", [[6], [2, 4], [1, 3, 2]])
@pytest.mark.parametrize("soft", SOFT)
def test_a_step_has_the_loss_and_the_gradients_of_albef(soft: float, sizes: list[int]) -> None:
    block = Itc(width=5, momentum=0.995, queue=8, soft_targets=soft)
    head, copy = heads(block)
    now, before = inputs(6), inputs(4)
    both = truth_of(
        [*NOW.text.tolist(), *BEFORE.text.tolist()],
        [*NOW.image.tolist(), *BEFORE.image.tolist()],
        (1, 13),
        (5, 22),
        (6, 11),
    )
    wanted = reference(block, head, copy, now, before, true_by_hand(both))
    of = [*now, *head.parameters()]
    theirs = torch.autograd.grad(wanted, of)

    queue = KeyQueue(8)
    queue.add(rows_of(copy, *before, BEFORE).detached())
    with_pairs = replace(NOW, pairs=both.pairs)
    keys = queue.behind(rows_of(copy, *now, with_pairs).detached().moved())
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    parts = [
        rows_of(head, *(part[s : s + n] for part in now), with_pairs.part(s, n))
        for s, n in zip(starts, sizes, strict=True)
    ]

    def compared(own: Rows, everything: Rows, first: int) -> Scored:
        return loss(block, head, own, everything, first)

    found = compare(compared, head, [part.detached() for part in parts], Exchange(), keys)
    total = sum(
        (one.carried_by(part, head).loss for one, part in zip(found, parts, strict=True)),
        torch.zeros((), dtype=torch.float64),
    )
    torch.testing.assert_close(total, wanted)
    for ours, expected in zip(torch.autograd.grad(total, of), theirs, strict=True):
        torch.testing.assert_close(ours, expected)


def some(first: int, rows: int) -> Rows:
    number = torch.arange(first, first + rows)
    vectors = number[:, None].float().expand(-1, 3).clone()
    truth = Truth(text=number, image=number + 500, pairs=number[:0], contents=1000)
    return Rows(text=vectors, image=-vectors, truth=truth, moving=True)


def test_a_queue_keeps_the_latest_rows_and_goes_on_from_its_state() -> None:
    queue, now = KeyQueue(8), some(99, 2)
    assert queue.behind(now) is now and queue.state() == {}
    for first in range(0, 15, 3):
        queue.add(some(first, 3))
        again = KeyQueue(8)
        again.load(queue.state(), CPU)
        latest = set(range(max(first + 3 - 8, 0), first + 3))
        for one in (queue, again):
            kept = one.behind(now)
            assert set(kept.truth.text[2:].tolist()) == latest
            assert torch.equal(kept.text[:, 0].long(), kept.truth.text)
            assert torch.equal(kept.image[:, 0].long(), 500 - kept.truth.image)
        assert torch.equal(queue.behind(now).text, again.behind(now).text)
        queue = again
    with pytest.raises(CheckpointError, match="8 vectors, not 6"):
        KeyQueue(6).load(queue.state(), CPU)
    with pytest.raises(CheckpointError, match="not whole"):
        KeyQueue(8).load({"text": now.text, "next": torch.tensor(1)}, CPU)


def test_nothing_is_remembered_without_a_queue() -> None:
    queue = KeyQueue(0)
    queue.add(some(0, 3))
    assert queue.state() == {}
