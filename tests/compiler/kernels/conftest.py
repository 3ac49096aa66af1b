"""Packed inputs, the float64 truth about them, and where a kernel test can run."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from benchmarks.numerics import largest_error, relative_error, uninitialised_is_nan
from renaissance.compiler.kernels import reference
from renaissance.compiler.kernels.availability import interpreting


@pytest.fixture(
    params=[
        pytest.param("cpu", id="interpreter"),
        pytest.param("cuda", id="gpu", marks=pytest.mark.gpu),
    ]
)
def device(request: pytest.FixtureRequest) -> str:
    """Where kernels run: Triton's interpreter on the CPU, or a GPU."""
    if request.param == "cpu" and not interpreting():
        pytest.skip("TRITON_INTERPRET=1 is not set; test_interpreter.py sets it in a process")
    if request.param == "cuda" and interpreting():
        pytest.skip("TRITON_INTERPRET=1 keeps kernels off the GPU")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("this machine has no GPU")
    return str(request.param)


@pytest.fixture(params=[torch.float32, torch.float16, torch.bfloat16], ids=str)
def dtype(request: pytest.FixtureRequest, device: str) -> torch.dtype:
    if device == "cpu" and request.param is torch.bfloat16:
        pytest.skip("Triton's interpreter cannot multiply bfloat16 numbers")
    return request.param  # type: ignore[no-any-return]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let libraries warn on a GPU, where they do so about their own kernels and drivers."""
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture
def poisoned() -> Callable[[], AbstractContextManager[None]]:
    """For the project's own calls: every uninitialised tensor holds NaN within."""
    return uninitialised_is_nan


@dataclass(frozen=True, kw_only=True)
class Case:
    """Packed random inputs of one attention call, and a gradient for its output."""

    query_lengths: list[int]
    key_lengths: list[int]
    heads: int = 2
    head_dim: int = 32
    groups: int | None = None
    dropout: float = 0.0
    seed: int = 3
    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    scale: float | None = None
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def filled(self) -> "Case":
        generator = torch.Generator().manual_seed(11)

        def draw(*shape: int) -> Tensor:
            numbers = torch.randn(shape, generator=generator)
            return numbers.to(device=self.device, dtype=self.dtype)

        width = (self.heads, self.head_dim)
        tensors = {
            "query": draw(sum(self.query_lengths), *width),
            "key": draw(sum(self.key_lengths), *width),
            "value": draw(sum(self.key_lengths), *width),
            "grad": draw(sum(self.query_lengths), *width),
        }
        if self.groups is not None:
            sides = (max(self.query_lengths), max(self.key_lengths))
            tensors["bias"] = draw(self.groups, self.heads, *sides)
        return replace(self, tensors=tensors)

    def cumulative(self, lengths: list[int]) -> Tensor:
        ends = torch.tensor([0, *lengths]).cumsum(0)
        return ends.to(device=self.device, dtype=torch.int32)


Results = dict[str, Tensor]
Attention = Callable[..., Tensor]


def run(attention: Attention, case: Case, dtype: torch.dtype | None = None) -> Results:
    """The output of `attention` and the gradients of its inputs."""
    inputs = {
        name: tensor.detach().to(dtype or tensor.dtype).requires_grad_()
        for name, tensor in case.tensors.items()
        if name != "grad"
    }
    output = attention(
        inputs["query"],
        inputs["key"],
        inputs["value"],
        case.cumulative(case.query_lengths),
        case.cumulative(case.key_lengths),
        max(case.query_lengths),
        max(case.key_lengths),
        scale=case.scale,
        bias=inputs.get("bias"),
        dropout=case.dropout,
        seed=case.seed,
    )
    output.backward(case.tensors["grad"].to(output.dtype))
    gradients = {f"{name} gradient": tensor.grad for name, tensor in inputs.items()}
    return {"output": output.detach(), **{k: v for k, v in gradients.items() if v is not None}}


def torch_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    max_query: int,
    max_key: int,
    *,
    scale: float | None = None,
    bias: Tensor | None = None,
    dropout: float = 0.0,
    seed: int = 0,
) -> Tensor:
    """PyTorch's own attention, called once a sequence; its dropout draws another mask."""
    assert dropout == 0.0
    rows, columns = cu_query.tolist(), cu_key.tolist()
    outputs = []
    for i in range(len(rows) - 1):
        queries = query[rows[i] : rows[i + 1]].transpose(0, 1)[None]
        keys = key[columns[i] : columns[i + 1]].transpose(0, 1)[None]
        values = value[columns[i] : columns[i + 1]].transpose(0, 1)[None]
        mask = None
        if bias is not None:
            mask = bias[i % len(bias), :, : queries.shape[2], : keys.shape[2]][None]
        if 0 in (queries.shape[2], keys.shape[2]):
            outputs.append(torch.zeros_like(query[rows[i] : rows[i + 1]]))
            continue
        output = scaled_dot_product_attention(queries, keys, values, mask, scale=scale)
        outputs.append(output[0].transpose(0, 1))
    return torch.cat(outputs)


SPREAD = 4.0
"""How far a single number may be off, in largest errors of plain PyTorch; of norms it is twice."""


@pytest.fixture
def assert_exact() -> Callable[[Attention, Case], None]:
    """Hold outputs and gradients against float64, by their norms and number by number.

    The error of a norm is at most twice that of plain PyTorch, and as small as the type allows.
    """

    def check(attention: Attention, case: Case) -> None:
        case = case.filled() if not case.tensors else case
        truth = run(reference.varlen_attention, case, torch.float64)
        plain = run(reference.varlen_attention if case.dropout else torch_attention, case)
        with uninitialised_is_nan():
            results = run(attention, case)
        assert results.keys() == truth.keys()
        for name, expected in truth.items():
            assert results[name].dtype == case.dtype
            assert results[name].shape == expected.shape
            if expected.numel():
                longest = max(*case.query_lengths, *case.key_lengths)
                assert_near(results[name], plain[name], expected, longest, name)

    return check


def assert_near(found: Tensor, plain: Tensor, truth: Tensor, longest: int, name: str) -> None:
    """Hold one result against float64 and against plain PyTorch in the same type.

    Plain PyTorch may be exact by luck, as with a single key. What no implementation escapes is
    rounding the result once and adding up in another order in float32.
    """
    truth = truth.cpu()
    order = 16 * torch.finfo(torch.float32).eps
    rounding = torch.finfo(found.dtype).eps / 2
    error, accepted = relative_error(found, truth), relative_error(plain, truth)
    # The truth is as good as zero where there is a single key: only `order` counts there.
    large = truth.norm().item() > order * truth.numel() ** 0.5
    assert error <= 2 * accepted + rounding + order or not large, (name, error, accepted)
    assert error <= largest_error(found.dtype, longest) or not large, (name, error)
    furthest, allowed = (
        (each.cpu().double() - truth).abs().max().item() for each in (found, plain)
    )
    rounding *= truth.abs().max().item()
    assert furthest <= SPREAD * allowed + rounding + order, (name, furthest, allowed)


@pytest.fixture
def near() -> Callable[[Tensor, Tensor, Tensor, int, str], None]:
    return assert_near


@pytest.fixture
def case() -> type[Case]:
    return Case


@pytest.fixture
def results() -> Callable[..., Results]:
    return run
