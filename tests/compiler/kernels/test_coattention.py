"""Both directions of co-attention in one launch, against two separate calls in float64."""

import pytest
import torch

from renaissance.compiler.kernels import coattention, reference, varlen_attention

STREAMS = ("query", "key", "value")


def streams(lengths, device, dtype, *, heads=2, head_dim=32):
    """Random query, key, value and output gradient of a packed stream, and its lengths."""
    generator = torch.Generator().manual_seed(sum(lengths))
    shape = (sum(lengths), heads, head_dim)
    tensors = [torch.randn(shape, generator=generator).to(device, dtype) for _ in range(4)]
    cumulative = torch.tensor([0, *lengths]).cumsum(0).to(device, torch.int32)
    return tensors, cumulative, max(lengths)


def run(attention, stream_a, stream_b, *, dtype=None, **options):
    """Outputs of both streams and gradients of all six inputs."""
    (tensors_a, cu_a, max_a), (tensors_b, cu_b, max_b) = stream_a, stream_b
    inputs = [
        tensor.detach().to(dtype or tensor.dtype).requires_grad_()
        for tensor in (*tensors_a[:3], *tensors_b[:3])
    ]
    outputs = attention(*inputs, cu_a, cu_b, max_a, max_b, **options)
    grads = [tensors[3].to(outputs[0].dtype) for tensors in (tensors_a, tensors_b)]
    torch.autograd.backward(outputs, grads)
    return [*(output.detach() for output in outputs), *(tensor.grad for tensor in inputs)]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize(
    "lengths",
    [([8, 13, 5], [49, 20, 49]), ([8, 1, 30], [70, 3, 64]), ([0, 9], [67, 0]), ([40], [3])],
    ids=["short", "patches", "empty", "turned round"],
)
def test_against_float64(lengths, dropout, device, dtype, poisoned, near):
    both = [streams(each, device, dtype) for each in lengths]
    options = {"dropout": dropout, "seed": 5}
    truth = run(reference.coattention, *both, dtype=torch.float64, **options)
    plain = run(reference.coattention, *both, **options)
    with poisoned():
        results = run(coattention, *both, **options)
    longest = max(map(max, lengths))
    names = ["output a", "output b", *(f"{n} gradient {side}" for side in "ab" for n in STREAMS)]
    for actual, accepted, expected, name in zip(results, plain, truth, names, strict=True):
        near(actual, accepted, expected, longest, name)


@pytest.mark.parametrize("lengths", [([8, 13], [20, 9]), ([8, 13], [70, 40])])
def test_is_two_calls_in_one(lengths, device, dtype):
    (a, cu_a, max_a), (b, cu_b, max_b) = (streams(each, device, dtype) for each in lengths)
    outputs = coattention(*a[:3], *b[:3], cu_a, cu_b, max_a, max_b)
    first = varlen_attention(a[0], b[1], b[2], cu_a, cu_b, max_a, max_b)
    second = varlen_attention(b[0], a[1], a[2], cu_b, cu_a, max_b, max_a)
    tolerance = {"rtol": 0.0, "atol": 4 * torch.finfo(dtype).eps}
    torch.testing.assert_close(outputs[0], first, **tolerance)
    torch.testing.assert_close(outputs[1], second, **tolerance)


def test_streams_stay_where_they_are(device, monkeypatch):
    """Streams cut from separate projections are read in place, in both passes."""
    copies = []
    contiguous = torch.Tensor.contiguous
    monkeypatch.setattr(
        torch.Tensor, "contiguous", lambda tensor: copies.append(1) or contiguous(tensor)
    )
    fused = [torch.randn(sum(n), 3, 2, 32, device=device) for n in ([8, 13], [20, 70])]
    cumulative = [
        torch.tensor(ends, dtype=torch.int32, device=device) for ends in ([0, 8, 21], [0, 20, 90])
    ]
    inputs = [tensor.requires_grad_() for each in fused for tensor in each.unbind(1)]
    output_a, output_b = coattention(*inputs, *cumulative, 13, 70)
    (output_a.sum() + output_b.sum()).backward()
    grads = [torch.ones_like(output) for output in (output_a, output_b)]
    output_a, output_b = coattention(*inputs, *cumulative, 13, 70)
    torch.autograd.backward([output_a, output_b], grads)
    # The gradient of a plain sum is one number expanded, which alone is copied, once a stream.
    assert len(copies) <= 2


@pytest.mark.parametrize("lengths", [([8, 13], [20, 9]), ([8, 13], [70, 40])])
def test_streams_of_different_strides(lengths, device):
    (a, cu_a, max_a), (b, cu_b, max_b) = (streams(n, device, torch.float32) for n in lengths)
    expected = coattention(*a[:3], *b[:3], cu_a, cu_b, max_a, max_b)
    turned = [tensor.transpose(0, 1).contiguous().transpose(0, 1) for tensor in b[:3]]
    actual = coattention(*a[:3], *turned, cu_a, cu_b, max_a, max_b)
    assert torch.equal(actual[0], expected[0])
    assert torch.equal(actual[1], expected[1])


def test_one_stream_leads_nowhere(device):
    """A loss that reads only one output still gives every gradient that exists."""
    both = [streams(n, device, torch.float32) for n in ([5, 9], [20, 7])]
    gradients = []
    for attention in (coattention, reference.coattention):
        (a, cu_a, max_a), (b, cu_b, max_b) = both
        inputs = [tensor.detach().clone().requires_grad_() for tensor in (*a[:3], *b[:3])]
        attention(*inputs, cu_a, cu_b, max_a, max_b)[0].square().sum().backward()
        gradients.append([torch.zeros_like(t) if t.grad is None else t.grad for t in inputs])
    for actual, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


def test_directions_draw_different_masks(device):
    """With equal streams the directions differ only in what dropout took."""
    tensors, cumulative, longest = streams([16, 16], device, torch.float32)
    first, second = coattention(
        *tensors[:3], *tensors[:3], cumulative, cumulative, longest, longest, dropout=0.5, seed=1
    )
    assert not torch.equal(first, second)


def test_streams_that_do_not_fit(device):
    (a, cu_a, max_a), (b, cu_b, max_b) = (streams(n, device, torch.float32) for n in ([4], [6]))
    with pytest.raises(ValueError, match="stream a has 4 queries and 3 keys"):
        coattention(a[0], a[1][:3], a[2][:3], *b[:3], cu_a, cu_b, max_a, max_b)
