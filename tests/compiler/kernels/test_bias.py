"""The additive bias: shared by heads, in groups, masked with -inf, and its gradient."""

import pytest
import torch

from renaissance.compiler.kernels import reference, varlen_attention


@pytest.mark.parametrize(
    ("queries", "keys", "groups"),
    [
        ([49, 49, 49, 49], [49, 49, 49, 49], 2),
        ([5, 12, 9], [16, 3, 1], 1),
        ([70, 1, 33, 0, 5], [66, 40, 0, 2, 17], 2),
        ([20, 11], [20, 11], 3),
    ],
    ids=["windows", "short", "long", "more groups than sequences"],
)
def test_against_float64(queries, keys, groups, device, dtype, case, assert_exact):
    assert_exact(
        varlen_attention,
        case(query_lengths=queries, key_lengths=keys, groups=groups, device=device, dtype=dtype),
    )


@pytest.mark.parametrize("lengths", [[9, 12], [40, 33]])
def test_with_dropout(lengths, device, dtype, case, assert_exact):
    assert_exact(
        varlen_attention,
        case(
            query_lengths=lengths,
            key_lengths=lengths,
            groups=1,
            dropout=0.25,
            device=device,
            dtype=dtype,
        ),
    )


def attend(attention, bias, device, length, sequences=3, dtype=torch.float32):
    """Attention of equal sequences with a bias; the output and the bias's gradient."""
    generator = torch.Generator().manual_seed(1)
    shape = (sequences * length, 2, 16)
    q, k, v, grad = (torch.randn(shape, generator=generator).to(device, dtype) for _ in range(4))
    ends = torch.arange(0, sequences * length + 1, length, device=device, dtype=torch.int32)
    bias = bias.detach().requires_grad_()
    output = attention(q, k, v, ends, ends, length, length, bias=bias)
    output.backward(grad)
    return output, bias.grad


@pytest.mark.parametrize("length", [10, 40])
def test_one_bias_for_all_sequences(length, device):
    """`[heads, ...]` is `[1, heads, ...]`, whatever its strides."""
    bias = torch.randn(2, length, length, device=device)
    output, gradient = attend(varlen_attention, bias, device, length)
    grouped, grouped_gradient = attend(varlen_attention, bias[None], device, length)
    turned = bias.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    strided, strided_gradient = attend(varlen_attention, turned, device, length)
    assert torch.equal(output, grouped)
    assert torch.equal(output, strided)
    assert torch.equal(gradient, grouped_gradient[0])
    assert torch.equal(gradient, strided_gradient)


@pytest.mark.parametrize("length", [10, 40])
def test_expanded_over_heads(length, device):
    """A bias that all heads share gets the sum of the heads' gradients."""
    gradients = []
    for attention in (varlen_attention, reference.varlen_attention):
        shared = torch.randn(1, length, length, generator=torch.Generator().manual_seed(4))
        shared = shared.to(device).requires_grad_()
        q = torch.randn(length, 2, 16, generator=torch.Generator().manual_seed(5)).to(device)
        ends = torch.tensor([0, length], dtype=torch.int32, device=device)
        bias = shared.expand(2, length, length)
        attention(q, q, q, ends, ends, length, length, bias=bias).square().sum().backward()
        gradients.append(shared.grad)
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", [10, 40])
def test_minus_infinity_masks(length, device):
    """Masked keys get no weight, and a query whose keys are all masked gets zeros."""
    bias = torch.randn(1, 2, length, length, device=device)
    bias[:, :, :, ::3] = float("-inf")
    bias[:, :, 4] = float("-inf")
    output, gradient = attend(varlen_attention, bias, device, length)
    expected, expected_gradient = attend(
        reference.varlen_attention, bias.double(), device, length, dtype=torch.float64
    )
    torch.testing.assert_close(output.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=1e-4, atol=1e-5)
    assert (output[4::length] == 0).all()
    assert (gradient[:, :, :, ::3] == 0).all()


@pytest.mark.parametrize("length", [10, 40])
def test_bias_in_another_dtype(length, device):
    """A float32 table may go with float16 tokens; its gradient stays float32."""
    bias = torch.randn(1, 2, length, length, device=device)
    output, gradient = attend(varlen_attention, bias, device, length, dtype=torch.float16)
    expected, expected_gradient = attend(
        reference.varlen_attention, bias.double(), device, length, dtype=torch.float64
    )
    assert output.dtype == torch.float16
    assert gradient.dtype == torch.float32
    torch.testing.assert_close(output.double(), expected, rtol=0, atol=4e-3)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=0, atol=2e-2)


def test_sequences_in_chunks(device, monkeypatch):
    """With few tiles the sequences are shared out to several programs and summed afterwards."""
    if device == "cuda":
        pytest.skip("a GPU test of the same sum is test_against_float64")
    from renaissance.compiler.kernels import launch

    bias = torch.randn(2, 2, 10, 10, device=device)
    gradients = []
    for programs in (1, 5, 1024):
        monkeypatch.setattr(launch, "BIAS_PROGRAMS", programs)
        gradients.append(attend(varlen_attention, bias, device, 10, sequences=7)[1])
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(gradients[2], gradients[0], rtol=1e-4, atol=1e-5)
