"""Attention with dropout head by head: the same numbers and masks as by plain operations."""

import pytest
import torch
from torch import Tensor

from renaissance.compiler.lowering import dispatch, dropped_attention, multi_head
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing
from tests.compiler.lowered import lowered

LENGTHS = (3, 7, 5)


def _stream(form: str) -> Features:
    if form == "packed":
        packing = Packing.of_lengths(LENGTHS, torch.device("cpu"))
        tokens = torch.randn(sum(LENGTHS), 8, dtype=torch.float64)
        return Features(tokens=tokens.requires_grad_(), packing=packing)
    tokens = torch.randn(len(LENGTHS), max(LENGTHS), 8, dtype=torch.float64).requires_grad_()
    ends = torch.tensor(LENGTHS)[:, None]
    mask = torch.arange(max(LENGTHS)) < ends if form == "masked" else None
    return Features(tokens=tokens, mask=mask)


def _found(part: MultiHeadAttention, stream: Features) -> list[Tensor]:
    """Return outputs, first and second gradients."""
    torch.manual_seed(5)
    out = part(stream, stream)
    out = out if stream.mask is None else out * stream.mask[..., None]
    inputs = (stream.tokens, part.query.weight, part.value.bias, part.output.weight)
    loss = out.sin().sum()
    plain = torch.autograd.grad(loss, inputs, retain_graph=True)
    first = torch.autograd.grad(loss, inputs, create_graph=True)
    second = torch.autograd.grad(sum(part.square().sum() for part in first), inputs)
    return [out, *plain, *first, *second]


@pytest.mark.parametrize("form", ["padded", "masked", "packed"])
def test_equals_plain_operations(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dispatch, dropped_attention):
        monkeypatch.setattr(module, "MANY_SCORES", 1)
    torch.manual_seed(0)
    part = lowered(MultiHeadAttention(8, 2, 0.4), "auto").double().train()
    stream = _stream(form)
    called = []

    def counted(*given: object) -> Tensor:
        called.append(given)
        return dropped_attention.attend_by_heads(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(multi_head, "attend_by_heads", counted)
    found = _found(part, stream)
    assert called
    monkeypatch.setattr(multi_head, "drops_by_heads", lambda *given: False)
    for one, other in zip(found, _found(part, stream), strict=True):
        torch.testing.assert_close(one, other)
    assert len(called) == 1
