"""Absorbed projections give what projected tokens give, and do less work."""

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from renaissance.compiler.lowering.absorption import absorbs
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.standing import meta_stands_for
from tests.compiler.lowered import lowered

WIDTH, HEADS, LONG = 24, 3, 40
LENGTHS = (3, 1, 5)


def attentions(dropout: float = 0.0) -> tuple[MultiHeadAttention, MultiHeadAttention]:
    """The same weights, absorbed and in order; `eager` never absorbs."""
    torch.manual_seed(0)
    absorbing, literal = (
        lowered(MultiHeadAttention(WIDTH, HEADS, dropout), attention).double()
        for attention in ("auto", "eager")
    )
    with torch.no_grad():
        for parameter in absorbing.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    literal.load_state_dict(absorbing.state_dict())
    return absorbing, literal


def packing(lengths: tuple[int, ...] = LENGTHS) -> Packing:
    ends = torch.tensor((0, *lengths)).cumsum(0).to(torch.int32)
    return Packing(cumulative=ends, longest=max(lengths))


def short_streams() -> dict[str, Features]:
    packed = Features(
        tokens=torch.randn(sum(LENGTHS), WIDTH, dtype=torch.float64), packing=packing()
    )
    uniform = Features(tokens=torch.randn(len(LENGTHS), 2, WIDTH, dtype=torch.float64))
    return {"packed": packed, "padded": packed.padded(), "uniform": uniform}


def long_stream(packed: bool) -> Features:
    tokens = torch.randn(len(LENGTHS), LONG, WIDTH, dtype=torch.float64)
    stream = Features(tokens=tokens)
    return stream.packed() if packed else stream


def without_padding(stream: Features, tokens: Tensor) -> Tensor:
    """Padding may hold anything."""
    return stream.with_tokens(tokens).packed().tokens


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", ["packed", "padded", "uniform"])
def test_outputs_and_gradients_are_those_of_the_products_in_order(form: str, packed: bool) -> None:
    absorbing, literal = attentions()
    few, many = short_streams()[form], long_stream(packed)
    assert absorbs(few, many, HEADS, WIDTH)
    results = []
    for attention in (absorbing, literal):
        tokens = few.tokens.clone().requires_grad_(), many.tokens.clone().requires_grad_()
        streams = few.with_tokens(tokens[0]), many.with_tokens(tokens[1])
        both = attention.both(*streams)
        alone = attention(*streams), attention(*reversed(streams))
        outputs = [
            without_padding(stream, found)
            for found, stream in zip((*both, *alone), streams * 2, strict=True)
        ]
        assert both[0].shape == few.tokens.shape
        assert both[1].shape == many.tokens.shape
        loss = sum((part.sin() * (k + 1)).sum() for k, part in enumerate(outputs))
        inputs = [*tokens, *attention.parameters()]
        results.append(outputs + list(torch.autograd.grad(loss, inputs)))
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted)


def test_an_empty_text_changes_nothing() -> None:
    absorbing, literal = attentions()
    lengths = (3, 0, 2)
    few = Features(
        tokens=torch.randn(5, WIDTH, dtype=torch.float64, requires_grad=True),
        packing=packing(lengths),
    )
    many = long_stream(packed=False)
    found, wanted = absorbing.both(few, many), literal.both(few, many)
    torch.testing.assert_close(found[0], wanted[0])
    # What attends to nothing is undefined, and no number of it may spread.
    for rows in (0, 2):
        torch.testing.assert_close(found[1][rows], wanted[1][rows])
    assert found[1].isfinite().all()
    (gradient,) = torch.autograd.grad(found[1].sum() + found[0].sum(), few.tokens)
    assert gradient.isfinite().all()


def test_dropped_weights_are_missing_from_the_sum() -> None:
    """With all values equal to the bias, what is left of a row is the bias times its weights."""
    absorbing, _ = attentions(dropout=0.5)
    with torch.no_grad():
        absorbing.value.weight.zero_()
        absorbing.output.weight.copy_(torch.eye(WIDTH))
        absorbing.output.bias.zero_()
    few, many = short_streams()["packed"], long_stream(packed=False)
    shares = absorbing(few, many) / absorbing.value.bias
    per_head = shares.unflatten(-1, (HEADS, -1))
    torch.testing.assert_close(per_head, per_head[..., :1].expand_as(per_head))
    assert per_head.std() > 0.01
    average = torch.stack([absorbing(few, many) for _ in range(400)]).mean(0)
    torch.testing.assert_close(average, absorbing.value.bias.expand_as(average), atol=0.1, rtol=0.1)
    absorbing.eval()
    torch.testing.assert_close(
        absorbing(few, many), absorbing.value.bias.expand(sum(LENGTHS), WIDTH)
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_as_good_as_in_order(dtype: torch.dtype) -> None:
    absorbing, literal = attentions()
    few, many = short_streams()["packed"], long_stream(packed=False)
    exact = literal.both(few, many)
    errors = []
    for attention in (absorbing, literal):
        attention.float()
        with torch.autocast("cpu", dtype):
            found = attention.both(
                few.with_tokens(few.tokens.float()), many.with_tokens(many.tokens.float())
            )
        errors.append([(a.double() - b).abs().mean() for a, b in zip(found, exact, strict=True)])
    for own, other in zip(*errors, strict=True):
        assert own <= 2 * other


def operations(attention: MultiHeadAttention, few: Features, many: Features) -> int:
    counter = FlopCounterMode(display=False)
    with counter:
        attention.both(few, many)
    return int(counter.get_total_flops())


def test_the_products_of_the_long_stream_are_gone() -> None:
    absorbing, literal = attentions()
    few, many = short_streams()["uniform"], long_stream(packed=False)
    rows, short = few.tokens.shape[:2]
    # Scores and sums of either direction, then what is projected of the short stream.
    absorbed = 4 * (2 * rows * short * HEADS * LONG * WIDTH) + 8 * (2 * rows * short * WIDTH**2)
    assert operations(absorbing, few, many) == absorbed
    assert operations(literal, few, many) > 2 * absorbed


def test_only_a_much_shorter_stream_of_a_cpu_absorbs() -> None:
    few, many = short_streams()["uniform"], long_stream(packed=False)
    assert absorbs(few, many, HEADS, WIDTH)
    assert not absorbs(many, many, HEADS, WIDTH)
    assert not absorbs(few, few, HEADS, WIDTH)
    assert not absorbs(
        few, Features(tokens=many.tokens, mask=torch.ones(3, LONG) > 0), HEADS, WIDTH
    )
    ragged = Features(tokens=torch.randn(90, WIDTH), packing=packing((40, 30, 20)))
    assert not absorbs(few, ragged, HEADS, WIDTH)
    on_meta = [stream.with_tokens(stream.tokens.to("meta")) for stream in (few, many)]
    assert absorbs(*on_meta, HEADS, WIDTH)
    with meta_stands_for("cuda"):
        assert not absorbs(*on_meta, HEADS, WIDTH)
    assert absorbs(*on_meta, HEADS, WIDTH)
