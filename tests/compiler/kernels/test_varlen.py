"""The kernels against float64: outputs and gradients over lengths, widths, dtypes and layouts."""

import pytest
import torch

from renaissance.compiler.kernels import reference, varlen_attention
from renaissance.compiler.kernels.configurations import Configuration, override

LENGTHS = {
    "ragged self": ([1, 17, 33, 70], [1, 17, 33, 70]),
    "ragged cross": ([37, 1, 20], [3, 75, 33]),
    "no keys": ([5, 67], [0, 7]),
    "no queries": ([0, 40], [66, 2]),
    "nothing in one": ([3, 0, 4], [2, 0, 5]),
    "whole tiles": ([64, 32], [96, 64]),
    "one token": ([1], [1]),
    "windows": ([49, 49], [49, 49]),
    "captions": ([8, 13, 5], [8, 13, 5]),
    "captions to patches": ([8, 13], [49, 49]),
}


@pytest.mark.parametrize("lengths", LENGTHS)
def test_lengths(lengths, device, dtype, case, assert_exact):
    queries, keys = LENGTHS[lengths]
    assert_exact(
        varlen_attention,
        case(query_lengths=queries, key_lengths=keys, device=device, dtype=dtype),
    )


@pytest.mark.parametrize("head_dim", [16, 24, 48, 64, 80, 88, 96, 128])
@pytest.mark.parametrize("length", [13, 40])
def test_head_dims(head_dim, length, device, dtype, case, assert_exact):
    assert_exact(
        varlen_attention,
        case(
            query_lengths=[length, 67 if length > 32 else 3],
            key_lengths=[length, 9],
            heads=1,
            head_dim=head_dim,
            device=device,
            dtype=dtype,
        ),
    )


@pytest.mark.parametrize("length", [13, 70])
def test_scale(length, device, dtype, case, assert_exact):
    assert_exact(
        varlen_attention,
        case(query_lengths=[length], key_lengths=[length], scale=0.05, device=device, dtype=dtype),
    )


@pytest.mark.parametrize("lengths", [[11, 5], [70, 33]])
def test_views_of_one_projection(lengths, device, case, results, poisoned):
    """Queries, keys and values cut from one buffer give what copies of them give."""
    plain = case(query_lengths=lengths, key_lengths=lengths, device=device).filled()
    names = ("query", "key", "value")
    fused = torch.stack([plain.tensors[name] for name in names], dim=1)
    expected = results(varlen_attention, plain)

    buffer = fused.detach().requires_grad_()
    cumulative = plain.cumulative(lengths)
    longest = max(lengths)
    with poisoned():
        output = varlen_attention(*buffer.unbind(1), cumulative, cumulative, longest, longest)
        output.backward(plain.tensors["grad"])
    assert torch.equal(output, expected["output"])
    for index, name in enumerate(names):
        assert torch.equal(buffer.grad[:, index], expected[f"{name} gradient"])


@pytest.mark.parametrize("layout", ["heads first", "width first", "odd offset", "expanded grad"])
@pytest.mark.parametrize("lengths", [[11, 5], [40, 33]])
def test_layouts(layout, lengths, device, case, results, poisoned):
    plain = case(query_lengths=lengths, key_lengths=lengths, device=device).filled()

    def lay(tensor):
        if layout == "heads first":
            return tensor.transpose(0, 1).contiguous().transpose(0, 1)
        if layout == "width first":
            return tensor.permute(2, 1, 0).contiguous().permute(2, 1, 0)
        if layout == "odd offset":
            wide = torch.full((*tensor.shape[:2], tensor.shape[2] + 3), float("nan"))
            wide = wide.to(tensor)
            wide[:, :, 3:] = tensor
            return wide[:, :, 3:]
        return tensor

    tensors = {name: lay(tensor) for name, tensor in plain.tensors.items()}
    if layout == "expanded grad":
        tensors["grad"] = tensors["grad"][:1, :1, :1].expand_as(tensors["grad"])
    laid = case(query_lengths=lengths, key_lengths=lengths, device=device, tensors=tensors)
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    same = case(query_lengths=lengths, key_lengths=lengths, device=device, tensors=contiguous)
    with poisoned():
        actual, expected = results(varlen_attention, laid), results(varlen_attention, same)
    for name in expected:
        assert torch.equal(actual[name], expected[name]), name


@pytest.mark.parametrize("lengths", [[30], [150]])
def test_addresses_beyond_32_bits(lengths, device):
    """Rows so far apart that the last lie beyond 2**31 elements."""
    spacing = 2**31 // (sum(lengths) - 10) // 8 * 8
    elements = spacing * (sum(lengths) - 1) + 64
    assert elements > 2**31
    if device == "cuda" and torch.cuda.mem_get_info()[0] < 8 * elements:
        pytest.skip("the GPU is too small for tensors of more than 2**31 elements")
    # The memory is never touched between the rows, so it is reserved and not used.
    far = torch.empty(elements, dtype=torch.float16, device=device)
    view = far.as_strided((sum(lengths), 1, 32), (spacing, 32, 1))
    near = torch.randn(sum(lengths), 1, 32, device=device).half()
    view.copy_(near)
    cumulative = torch.tensor([0, *lengths], dtype=torch.int32, device=device).cumsum(
        0, dtype=torch.int32
    )
    outputs = [
        varlen_attention(tensor, tensor, tensor, cumulative, cumulative, lengths[0], lengths[0])
        for tensor in (view, near)
    ]
    assert torch.equal(*outputs)


def test_more_memory_than_32_bits_of_output(device):
    """Contiguous tensors of more than 2**31 elements, on a GPU that holds them."""
    if device == "cpu":
        pytest.skip("too slow for the interpreter")
    tokens, heads, head_dim = 2**20 + 64, 16, 128
    if torch.cuda.mem_get_info()[0] < 5 * 2 * tokens * heads * head_dim:
        pytest.skip("the GPU is too small for tensors of more than 2**31 elements")
    packed = torch.randn(tokens, heads, head_dim, device=device, dtype=torch.float16)
    cumulative = torch.arange(0, tokens + 1, 32, dtype=torch.int32, device=device)
    output = varlen_attention(packed, packed, packed, cumulative, cumulative, 32, 32)
    last = packed[-32:]
    short = torch.tensor([0, 32], dtype=torch.int32, device=device)
    expected = reference.varlen_attention(
        last.double(), last.double(), last.double(), short, short, 32, 32
    )
    assert torch.allclose(output[-32:].double(), expected, atol=2e-3)


@pytest.mark.parametrize("lengths", [[12, 20], [40, 33]])
def test_same_bits_every_time(lengths, device, dtype, case, results):
    one = case(
        query_lengths=lengths,
        key_lengths=lengths,
        heads=1,
        groups=1,
        dropout=0.2,
        device=device,
        dtype=dtype,
    ).filled()
    first = results(varlen_attention, one)
    for _ in range(1 if device == "cpu" else 100):
        again = results(varlen_attention, one)
        assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(
    ("cumulative", "longest"),
    [([0, 9, 20], 8), ([0, 5, 26], 21), ([-4, 5, 20], 15), ([0, 15, 5], 15), ([0, 4, 19], 15)],
    ids=["longer than announced", "beyond the end", "before the start", "falling", "not all"],
)
def test_lengths_that_lie_give_nan(cumulative, longest, device):
    """What no shape check can see without waiting for the GPU must not pass for a number."""
    tokens = torch.randn(20, 1, 16, device=device)
    lying = torch.tensor(cumulative, dtype=torch.int32, device=device)
    honest = torch.tensor([0, 8, 20], dtype=torch.int32, device=device)
    for queries, keys in ((lying, honest), (honest, lying)):
        sides = [longest if lengths is lying else 12 for lengths in (queries, keys)]
        output = varlen_attention(tokens, tokens, tokens, queries, keys, *sides)
        assert output.isnan().any()


def test_a_launch_takes_the_configuration_in_place(device, case, results):
    """Other tiles give the same attention, and another order of addition tells that they ran."""
    options = {"query_lengths": [70, 5], "key_lengths": [70, 9], "device": device}
    stored = results(varlen_attention, case(**options).filled())
    kernels = ("forward", "narrow_forward", "query_gradient", "key_gradient")
    other = Configuration(block_m=16, block_n=16, tail=16, warps=4, stages=1, chunk=128)
    with override(dict.fromkeys(kernels, other)):
        found = results(varlen_attention, case(**options).filled())
    for name, expected in stored.items():
        torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-5)
    assert any(not torch.equal(found[name], stored[name]) for name in stored)
