"""Losses, gradients and parts of a batch, against CLIP's and SigLIP's loss in plain float64."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from renaissance.compiler.batch import Truth
from renaissance.compiler.comparing import Exchange, Rows, compare
from renaissance.compiler.losses import Scored
from renaissance.runtime.objectives.itc.head import ContrastHead
from renaissance.runtime.objectives.itc.loss import loss
from renaissance.runtime.objectives.itc.schema import Itc

WIDTHS = {"text": 6, "vision": 10}
OBJECTIVES = [
    Itc(width=5),
    Itc(width=5, loss="sigmoid", temperature=0.1),
]


@pytest.fixture(autouse=True)
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are taken in float32; here they are to keep the digits that they have."""
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor.double())


def truth_of(texts: list[int], images: list[int], *pairs: tuple[int, int]) -> Truth:
    return Truth(
        text=torch.tensor(texts),
        image=torch.tensor(images),
        pairs=torch.tensor([text * 100 + image for text, image in pairs], dtype=torch.int64),
        contents=100,
    )


ALL_APART = truth_of([*range(9)], [*range(20, 29)])
SOME_SHARED = truth_of([0, 1, 2, 0, 4, 5, 6, 7, 8], [3, 4, 3, 5, 6, 7, 8, 9, 10], (4, 10), (4, 50))
"""Rows 0 and 2 have one image, rows 0 and 3 one text; text 4 is true of the image of row 8."""


def true_by_hand(truth: Truth) -> list[list[bool]]:
    """Which text is true of which image, by looking at each pair of rows."""
    known = set(zip(truth.text.tolist(), truth.image.tolist(), strict=True))
    known |= {divmod(pair, 100) for pair in truth.pairs.tolist()}
    return [[(t, i) in known for i in truth.image.tolist()] for t in truth.text.tolist()]


def reference(block: Itc, head: ContrastHead, text: Tensor, image: Tensor, truth: Truth) -> Tensor:
    """Sum over rows, row by row, as the papers write it; other true pairs are skipped."""
    rows, true = len(text), true_by_hand(truth)
    texts = text @ head.projection["text"].weight.T
    images = image @ head.projection["vision"].weight.T
    texts = texts / texts.norm(dim=1, keepdim=True)
    images = images / images.norm(dim=1, keepdim=True)
    cosine = texts @ images.T * head.logit_scale.exp()
    total = torch.zeros((), dtype=torch.float64)
    for row in range(rows):
        among = [k for k in range(rows) if k == row or not true[row][k]]
        reverse = [k for k in range(rows) if k == row or not true[k][row]]
        if block.loss == "softmax":
            total = total - (cosine[row, row] - cosine[row, among].logsumexp(0)) / 2
            total = total - (cosine[row, row] - cosine[reverse, row].logsumexp(0)) / 2
        else:
            for k in among:
                sign = 1 if k == row else -1
                total = total - (1 / (1 + torch.exp(-sign * (cosine[row, k] + head.bias)))).log()[0]
    return total


def problem(block: Itc, seed: int = 0) -> tuple[ContrastHead, Tensor, Tensor]:
    torch.manual_seed(seed)
    head = ContrastHead(block, WIDTHS).double()
    for projection in head.projection.values():
        torch.nn.init.normal_(projection.weight)
    text = torch.randn(9, 6, dtype=torch.float64, requires_grad=True)
    image = torch.randn(9, 10, dtype=torch.float64, requires_grad=True)
    return head, text, image


def rows_of(head: ContrastHead, text: Tensor, image: Tensor, truth: Truth) -> Rows:
    return Rows(text=head.vectors("text", text), image=head.vectors("vision", image), truth=truth)


@pytest.mark.parametrize("block", OBJECTIVES)
@pytest.mark.parametrize("truth", [ALL_APART, SOME_SHARED])
def test_losses_and_gradients_are_those_of_the_papers(block: Itc, truth: Truth) -> None:
    head, text, image = problem(block)
    wanted = reference(block, head, text, image, truth)
    rows = rows_of(head, text, image, truth)
    found = loss(block, head, rows, rows, 0)
    torch.testing.assert_close(found.loss, wanted)
    of = [text, image, *head.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad(found.loss, of), torch.autograd.grad(wanted, of), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("block", OBJECTIVES)
def test_what_is_right_is_counted_among_what_is_not_known_to_be_true(block: Itc) -> None:
    head, text, image = problem(block)
    rows = rows_of(head, text, image, SOME_SHARED)
    found = loss(block, head, rows, rows, 0)
    cosine, true = (rows.text @ rows.image.T).detach(), true_by_hand(SOME_SHARED)
    for name, table, known in (
        ("itc_text_to_image_accuracy", cosine, true),
        (
            "itc_image_to_text_accuracy",
            cosine.T,
            [list(column) for column in zip(*true, strict=True)],
        ),
    ):
        wanted = [
            all(table[row, row] >= table[row, k] for k in range(9) if not known[row][k])
            for row in range(9)
        ]
        assert found.further[name].tolist() == [float(right) for right in wanted]
    assert found.credit is not None and 0 < found.credit.sum() < 9


def in_parts(sizes: list[int], *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    return zip(*(tensor.split(sizes) for tensor in tensors), strict=True)


def parts_of(truth: Truth, sizes: list[int]) -> list[Truth]:
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    return [truth.part(start, size) for start, size in zip(starts, sizes, strict=True)]


@pytest.mark.parametrize("block", OBJECTIVES)
@pytest.mark.parametrize("sizes", [[9], [4, 5], [1, 3, 3, 2]])
def test_parts_have_the_gradients_of_one_large_batch(block: Itc, sizes: list[int]) -> None:
    head, text, image = problem(block)
    of = [text, image, *head.parameters()]
    whole = loss(block, head, *[rows_of(head, text, image, SOME_SHARED)] * 2, 0)
    wanted = torch.autograd.grad(whole.loss, of)

    def compared(own: Rows, everything: Rows, first: int) -> Scored:
        return loss(block, head, own, everything, first)

    truths = parts_of(SOME_SHARED, sizes)
    parts = [
        rows_of(head, *pair, truth)
        for pair, truth in zip(in_parts(sizes, text, image), truths, strict=True)
    ]
    found = compare(compared, head, [part.detached() for part in parts], Exchange())
    scored = [one.carried_by(part, head) for one, part in zip(found, parts, strict=True)]
    total: Any = sum(one.loss for one in scored)
    torch.testing.assert_close(total.detach(), whole.loss.detach())
    for ours, theirs in zip(torch.autograd.grad(3 * total, of), wanted, strict=True):
        torch.testing.assert_close(ours, 3 * theirs)
    for name in block.further_metrics:
        of_parts = torch.cat([one.further[name] for one in scored])
        assert torch.equal(of_parts, whole.further[name])


@pytest.mark.parametrize(("start", "end"), [(0.05, 0.1), (0.9, 0.5)])
def test_the_temperature_stays_in_its_bounds(start: float, end: float) -> None:
    block = Itc(temperature=0.2, least_temperature=0.1, most_temperature=0.5)
    head = ContrastHead(block, WIDTHS)
    with torch.no_grad():
        head.logit_scale.fill_(-torch.tensor(start).log())
    head.stay_in_bounds()
    assert torch.exp(-head.logit_scale).item() == pytest.approx(end)


def test_one_stays_where_it_is_if_it_is_frozen() -> None:
    head = ContrastHead(Itc(temperature=0.2), WIDTHS)
    with torch.no_grad():
        head.logit_scale.fill_(9.0)
    head.requires_grad_(False)
    head.stay_in_bounds()
    assert head.logit_scale.item() == 9.0
