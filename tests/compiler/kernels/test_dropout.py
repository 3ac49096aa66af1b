"""The dropout mask: its statistics, and that forward and backward draw the same one."""

import math

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from renaissance.compiler.kernels import reference, varlen_attention
from renaissance.compiler.kernels.dropout import keep_mask, threshold
from renaissance.compiler.lowering.dispatch import draw_seed


@pytest.fixture(scope="module")
def mask():
    """One large mask at probability 0.3, `[heads, rows, columns]`, as 0 and 1."""
    return keep_mask(1234, torch.arange(512), 4, 512, 0.3).double()


def test_share(mask):
    deviation = math.sqrt(0.3 * 0.7 / mask.numel())
    assert abs(mask.mean() - 0.7) < 4 * deviation


@pytest.mark.parametrize("axis", ["head", "row", "column"])
def test_share_of_each_row_and_column(mask, axis):
    """Shares scatter around 0.7 as independent draws would, neither more nor less."""
    others = {"head": (1, 2), "row": (0, 2), "column": (0, 1)}[axis]
    shares = mask.mean(dim=others)
    draws = mask.numel() // shares.numel()
    score = (shares - 0.7) / math.sqrt(0.3 * 0.7 / draws)
    assert score.abs().max() < 5
    if axis != "head":
        assert abs(score.square().mean() - 1) < 0.3


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shift", [1, 2, 16, 64])
def test_neighbours_do_not_agree(mask, axis, shift):
    if shift >= mask.shape[axis]:
        pytest.skip("the mask has no neighbours so far apart")
    centred = (mask - 0.7) / math.sqrt(0.3 * 0.7)
    length = mask.shape[axis] - shift
    pairs = centred.narrow(axis, 0, length) * centred.narrow(axis, shift, length)
    assert abs(pairs.mean()) < 4.5 / math.sqrt(pairs.numel())


@pytest.mark.parametrize("other", [1235, 1234 + 2**32, -1234])
def test_seeds_do_not_agree(mask, other):
    again = keep_mask(other, torch.arange(512), 4, 512, 0.3).double()
    agreement = ((mask - 0.7) * (again - 0.7)).mean() / (0.3 * 0.7)
    assert abs(agreement) < 4.5 / math.sqrt(mask.numel())


def test_mask_depends_on_the_place_alone():
    """A block drawn alone is the block of the whole."""
    whole = keep_mask(9, torch.arange(100), 3, 50, 0.4)
    block = keep_mask(9, torch.arange(40, 60), 3, 20, 0.4)
    assert torch.equal(whole[:, 40:60, :20], block)


@pytest.mark.parametrize(
    ("probability", "expected"), [(0.0, -(2**31)), (0.5, 0), (1 - 2**-40, 2**31 - 1)]
)
def test_threshold(probability, expected):
    assert threshold(probability) == expected


@pytest.mark.parametrize("dropout", [0.1, 0.5])
@pytest.mark.parametrize("lengths", [[11, 16], [70, 33]])
def test_kernels_draw_the_reference_mask(lengths, dropout, device, dtype, case, assert_exact):
    """Outputs and gradients agree with the reference only if all masks do."""
    assert_exact(
        varlen_attention,
        case(
            query_lengths=lengths,
            key_lengths=lengths[::-1],
            dropout=dropout,
            seed=2**40 + 7,
            device=device,
            dtype=dtype,
        ),
    )


@pytest.mark.parametrize("length", [16, 70])
def test_mask_in_the_kernel(length, device):
    """Values that are unit vectors turn the output into the dropped attention weights."""
    tokens = torch.zeros(length, 2, 80, device=device)
    values = torch.eye(length, 80, device=device)[:, None, :].expand(length, 2, 80)
    cumulative = torch.tensor([0, length], dtype=torch.int32, device=device)
    output = varlen_attention(
        tokens, tokens, values, cumulative, cumulative, length, length, dropout=0.4, seed=17
    )
    kept = keep_mask(17, torch.arange(length, device=device), 2, length, 0.4)
    weights = output.transpose(0, 1)[:, :, :length]
    assert torch.equal(weights != 0, kept)
    expected = kept / (0.6 * length)
    torch.testing.assert_close(weights, expected.to(weights.dtype))


@pytest.mark.parametrize("lengths", [[9, 12], [40, 33]])
def test_reproducible_from_the_seed(lengths, device, case, results):
    options = {"query_lengths": lengths, "key_lengths": lengths, "device": device}
    first = results(varlen_attention, case(**options, dropout=0.3, seed=1).filled())
    again = results(varlen_attention, case(**options, dropout=0.3, seed=1).filled())
    other = results(varlen_attention, case(**options, dropout=0.3, seed=2).filled())
    tensor_seed = torch.tensor([1], device=device)
    from_tensor = results(varlen_attention, case(**options, dropout=0.3, seed=tensor_seed).filled())
    for name in first:
        assert torch.equal(first[name], again[name])
        assert torch.equal(first[name], from_tensor[name])
        assert not torch.equal(first[name], other[name])


def test_mean_over_seeds_is_attention_without_dropout():
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(6, 1, 16, generator=generator, dtype=torch.float64) for _ in range(3))
    cumulative = torch.tensor([0, 6], dtype=torch.int32)
    plain = reference.varlen_attention(q, k, v, cumulative, cumulative, 6, 6)
    draws = torch.stack(
        [
            reference.varlen_attention(
                q, k, v, cumulative, cumulative, 6, 6, dropout=0.2, seed=seed
            )
            for seed in range(400)
        ]
    )
    deviation = draws.std(dim=0) / math.sqrt(len(draws))
    assert ((draws.mean(dim=0) - plain).abs() < 5 * deviation).all()


def test_recomputed_activations_meet_the_same_mask(device):
    """Checkpointing restores the generator that seeds are drawn from."""
    cumulative = torch.tensor([0, 9, 14], dtype=torch.int32, device=device)

    def attend(tokens):
        seed = draw_seed(tokens.device)
        return varlen_attention(
            tokens, tokens, tokens, cumulative, cumulative, 9, 9, dropout=0.4, seed=seed
        )

    def gradient(layer):
        torch.manual_seed(3)
        tokens = torch.linspace(-1, 1, 14 * 32, device=device).view(14, 2, 16).requires_grad_()
        output = layer(layer(tokens))
        return output.detach(), torch.autograd.grad(output.sin().sum(), tokens)[0]

    stored = gradient(attend)
    again = gradient(lambda tokens: checkpoint(attend, tokens, use_reentrant=False))
    for one, other in zip(stored, again, strict=True):
        assert torch.equal(one, other)
