"""Linear maps by oneDNN give what plain products give, and only run where they may."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from renaissance.compiler.lowering import linear as maps
from renaissance.compiler.lowering.linear import (
    Forward,
    linear,
    replace_linear_maps,
    restore_linear_maps,
)

SHAPES = [(7, 12, 20), (2, 5, 12, 20), (1, 3, 1)]

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN"
)


@pytest.fixture(autouse=True)
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "MINIMAL_WORK", 1)
    monkeypatch.setattr(maps, "MANY_ROWS", 1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """The shapes of what oneDNN was asked for."""
    seen: list[torch.Size] = []
    real = maps._mapped

    def noting(tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        seen.append(tokens.shape)
        return real(tokens, weight, bias)

    monkeypatch.setattr(maps, "_mapped", noting)
    return seen


def parts(shape: tuple[int, ...], *, bias: bool = True) -> tuple[Tensor, Tensor, Tensor | None]:
    *rows, width, out = shape
    torch.manual_seed(0)
    return (
        torch.randn(*rows, width),
        torch.randn(out, width),
        torch.randn(out) if bias else None,
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_and_gradients_are_those_of_float64(
    shape: tuple[int, ...], bias: bool, asked: list[torch.Size]
) -> None:
    given = [part.requires_grad_() for part in parts(shape, bias=bias) if part is not None]
    exact = [part.detach().double().requires_grad_() for part in given]
    out = linear(*given[:2], given[2] if bias else None)
    reference = F.linear(*exact[:2], exact[2] if bias else None)
    gradient = torch.randn(out.shape)
    found = torch.autograd.grad(out, given, gradient)
    expected = torch.autograd.grad(reference, exact, gradient.double())
    assert asked
    torch.testing.assert_close(out.double(), reference, rtol=1e-5, atol=1e-5)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("learning", range(3))
def test_only_gradients_that_are_needed_are_computed(
    learning: int, asked: list[torch.Size]
) -> None:
    given = [part for part in parts((7, 12, 20)) if part is not None]
    given[learning].requires_grad_()
    linear(*given).sum().backward()
    assert [part.grad is not None for part in given] == [place == learning for place in range(3)]
    assert len(asked) == (2 if learning == 0 else 1)


@pytest.mark.parametrize("frozen", [True, False])
def test_tokens_are_kept_only_for_a_weight_that_learns(frozen: bool) -> None:
    tokens, weight, bias = parts((7, 12, 20))
    kept: list[torch.Size] = []

    def keep(part: Tensor) -> Tensor:
        kept.append(part.shape)
        return part

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda part: part):
        linear(tokens.requires_grad_(), weight.requires_grad_(not frozen), bias)
    assert (tokens.shape in kept) is not frozen
    assert weight.shape in kept


def test_gradients_flow_through_a_view_that_is_not_contiguous() -> None:
    tokens = torch.randn(12, 3, 5, requires_grad=True)
    weight = torch.randn(4, 12)
    (found,) = torch.autograd.grad(linear(tokens.permute(1, 2, 0), weight, None).sum(), tokens)
    (expected,) = torch.autograd.grad(F.linear(tokens.permute(1, 2, 0), weight).sum(), tokens)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("case", ["few tokens", "float64", "bfloat16", "autocast", "one token"])
def test_anything_else_runs_as_torch_does_it(
    case: str, asked: list[torch.Size], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, weight, bias = parts((7, 12, 20))
    assert bias is not None
    if case == "few tokens":
        monkeypatch.setattr(maps, "MINIMAL_WORK", 7 * 12 * 20 + 1)
    if case == "one token":
        tokens = tokens[0]
    if case in ("float64", "bfloat16"):
        tokens, weight, bias = (part.to(getattr(torch, case)) for part in (tokens, weight, bias))
    with torch.autocast("cpu", torch.bfloat16, enabled=case == "autocast"):
        found, expected = linear(tokens, weight, bias), F.linear(tokens, weight, bias)
    assert torch.equal(found, expected)
    assert not asked


def test_a_compiled_graph_holds_a_plain_linear_map(asked: list[torch.Size]) -> None:
    part = nn.Sequential(nn.Linear(12, 20))
    replace_linear_maps(part)
    exported = torch.export.export(part, (torch.randn(7, 12),))
    assert any(node.target is torch.ops.aten.linear.default for node in exported.graph.nodes)
    assert not asked


def test_operations_are_counted() -> None:
    tokens, weight, bias = parts((2, 5, 12, 20))
    with FlopCounterMode(display=False) as counter:
        linear(tokens, weight.requires_grad_(), bias).sum().backward()
    assert counter.get_total_flops() == 2 * (2 * 10 * 12 * 20)


def test_plain_linear_maps_are_replaced_and_those_that_do_something_else_are_not() -> None:
    class Doubled(nn.Linear):
        def forward(self, tokens: Tensor) -> Tensor:
            return 2 * super().forward(tokens)

    model = nn.Sequential(nn.Linear(12, 20), nn.Sequential(Doubled(20, 4)))
    before = {name: part.clone() for name, part in model.state_dict().items()}
    replace_linear_maps(model)
    assert type(model[0]) is nn.Linear
    assert isinstance(model[0].forward, Forward)
    assert "forward" not in vars(model.get_submodule("1.0"))
    assert all(torch.equal(before[name], part) for name, part in model.state_dict().items())


def test_restored_maps_are_plain() -> None:
    model = nn.Sequential(nn.Linear(12, 20), nn.Sequential(nn.Linear(20, 4)))
    replace_linear_maps(model)
    restore_linear_maps(model)
    assert all("forward" not in vars(part) for part in model.modules())
    restore_linear_maps(model)
