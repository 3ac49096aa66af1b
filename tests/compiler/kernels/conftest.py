"""Packed inputs, the float64 truth about them, and where a kernel test can run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

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


@pytest.fixture
def poisoned() -> Iterator[None]:
    """Fill every uninitialised tensor with NaN, so that what is not written shows."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True
    yield
    torch.use_deterministic_algorithms(False)


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


@pytest.fixture
def assert_exact() -> Callable[[Attention, Case], None]:
    """Hold outputs and gradients against float64: at most twice the error of plain PyTorch."""

    def check(attention: Attention, case: Case) -> None:
        case = case.filled() if not case.tensors else case
        truth = run(reference.varlen_attention, case, torch.float64)
        plain = run(reference.varlen_attention if case.dropout else torch_attention, case)
        results = run(attention, case)
        assert results.keys() == truth.keys()
        for name, expected in truth.items():
            assert results[name].dtype == case.dtype
            assert results[name].shape == expected.shape
            if expected.numel() == 0:
                continue
            error = (results[name].double() - expected).abs().max().item()
            accepted = (plain[name].double() - expected).abs().max().item()
            # Plain PyTorch may be exact by luck, as with a single key. What no implementation
            # escapes is rounding the result once and adding up in another order in float32.
            rounding = torch.finfo(case.dtype).eps / 2 * expected.abs().max().item()
            order = 16 * torch.finfo(torch.float32).eps
            assert error <= 2 * accepted + rounding + order, (name, error, accepted)

    return check


@pytest.fixture
def case() -> type[Case]:
    return Case


@pytest.fixture
def results() -> Callable[..., Results]:
    return run
