"""Attention against its definition in float64, in every form of rows; the choice of it."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from renaissance.compiler.errors import CompileError
from renaissance.compiler.kernels.reference import varlen_attention
from renaissance.compiler.lowering import dispatch as attention_module
from renaissance.compiler.lowering.dispatch import Choice, attend, choose, dense_attention
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing
from tests.compiler.lowered import lowered

CPU = torch.device("cpu")
LENGTHS = (3, 1, 5)
KEY_LENGTHS = (2, 4, 1)


def _packing(lengths: tuple[int, ...]) -> Packing:
    ends = torch.tensor((0, *lengths)).cumsum(0).to(torch.int32)
    return Packing(cumulative=ends, longest=max(lengths))


def _packed(lengths: tuple[int, ...], *shape: int) -> Tensor:
    return torch.randn(sum(lengths), *shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("biased", [False, True])
def test_equals_the_definition(implementation: str, biased: bool) -> None:
    torch.manual_seed(0)
    query = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    key, value = (torch.randn(2, 3, 6, 5, dtype=torch.float64) for _ in range(2))
    bias = torch.randn(3, 4, 6, dtype=torch.float64) if biased else None
    mask = torch.tensor([[True] * 6, [True, True, False, True, False, False]])
    scores = torch.einsum("bhqd,bhkd->bhqk", query, key) / 5**0.5
    scores = scores if bias is None else scores + bias
    weights = scores.masked_fill(~mask[:, None, None], float("-inf")).softmax(-1)
    wanted = torch.einsum("bhqk,bhkd->bhqd", weights, value)
    found = dense_attention(
        query, key, value, key_mask=mask, bias=bias, implementation=implementation
    )
    torch.testing.assert_close(found, wanted)
    gradients = [torch.autograd.grad(out.square().sum(), query)[0] for out in (found, wanted)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("masked", [False, True])
def test_head_by_head_is_the_same(masked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [torch.randn(2, 7, 3, 5, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    mask = torch.arange(7) < torch.tensor([[7], [4]]) if masked else None
    found = []
    for many in (1, 2 * 3 * 7 * 7 + 1):
        monkeypatch.setattr(attention_module, "MANY_SCORES", many)
        out = dense_attention(
            *(part.transpose(1, 2) for part in parts), key_mask=mask, implementation="eager"
        )
        assert out.transpose(1, 2).is_contiguous() is (many == 1)
        found.append((out, *torch.autograd.grad(out.sin().sum(), parts)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("groups", [0, 1, len(LENGTHS)])
def test_packed_rows_equal_the_reference(implementation: str, groups: int) -> None:
    torch.manual_seed(0)
    query, key, value = (_packed(lengths, 2, 8) for lengths in (LENGTHS, KEY_LENGTHS, KEY_LENGTHS))
    rows, keys = _packing(LENGTHS), _packing(KEY_LENGTHS)
    bias = torch.randn(groups, 2, 5, 4, dtype=torch.float64) if groups else None
    context = Features(tokens=key, packing=keys)
    found = attend(
        Features(tokens=query, packing=rows),
        context,
        context.with_tokens(value),
        attention=implementation,
        bias=bias,
        scale=0.3,
    )
    wanted = varlen_attention(
        query, key, value, rows.cumulative, keys.cumulative, 5, 4, scale=0.3, bias=bias
    )
    torch.testing.assert_close(found, wanted)
    of_found, of_wanted = (
        torch.autograd.grad(out.sin().sum(), (query, key, value)) for out in (found, wanted)
    )
    for one, other in zip(of_found, of_wanted, strict=True):
        torch.testing.assert_close(one, other)


def _forms(padded: Features) -> dict[str, Features]:
    return {"padded": padded, "packed": padded.packed()}


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_module_gives_the_same_in_every_form(attention: str) -> None:
    torch.manual_seed(0)
    part = lowered(MultiHeadAttention(8, 2, 0.0), attention).double()
    text = Features(tokens=torch.randn(3, 5, 8, dtype=torch.float64), mask=_packing(LENGTHS).mask())
    image = Features(tokens=torch.randn(3, 4, 8, dtype=torch.float64))
    wanted = part(text, image)[text.mask], part(image, text)
    for texts in _forms(text).values():
        for images in _forms(image).values():
            both = part.both(texts, images)
            for found in ((part(texts, images), part(images, texts)), both):
                torch.testing.assert_close(texts.with_tokens(found[0]).packed().tokens, wanted[0])
                torch.testing.assert_close(images.with_tokens(found[1]).padded().tokens, wanted[1])


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_drops_weights_only_in_training(attention: str) -> None:
    part = lowered(MultiHeadAttention(8, 2, 0.5), attention)
    stream = Features(tokens=torch.randn(2, 5, 8))
    assert not torch.equal(part(stream, stream), part(stream, stream))
    part.eval()
    assert torch.equal(part(stream, stream), part(stream, stream))


def test_the_choice_depends_on_device_and_rows() -> None:
    facts = {"dtype": torch.bfloat16, "head_dim": 64}
    gpu = torch.device("cuda", 0)
    assert choose("auto", device=CPU, ragged=True, **facts).implementation == "sdpa"
    assert choose("auto", device=gpu, ragged=False, **facts).implementation == "sdpa"
    exact = choose("auto", device=gpu, ragged=True, dtype=torch.float32, head_dim=64)
    assert (exact.implementation, "float32" in exact.reason) == ("sdpa", True)
    for word in ("sdpa", "eager"):
        assert choose(word, device=gpu, ragged=True, **facts).implementation == word
    with pytest.raises(CompileError, match="`attention = triton`: fused attention runs on a GPU"):
        choose("triton", device=CPU, ragged=True, **facts)


def stream(form: str) -> Features:
    """Three rows of two heads; `first` is what is read of each row."""
    tokens = torch.randn(3, 4, 2, 16)
    dense = Features(tokens=tokens)
    mask = torch.tensor([4, 2, 3])[:, None] > torch.arange(4)
    return {
        "dense": dense,
        "equal, packed": dense.packed(),
        "ragged": Features(tokens=tokens, mask=mask).packed(),
        "first": dense.read("first"),
    }[form]


@pytest.mark.parametrize("context", ["dense", "equal, packed", "ragged", "first"])
@pytest.mark.parametrize("query", ["dense", "equal, packed", "ragged", "first"])
def test_only_ragged_rows_are_for_the_kernels(
    query: str, context: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of one length need no copy for torch's fused attention, packed or not."""

    def on_gpu(asked: Any, *, device: torch.device, dtype: torch.dtype, **facts: Any) -> Choice:
        assert device == CPU
        return attention_module.choose_on_gpu(
            torch.bfloat16, facts["head_dim"], ragged=facts["ragged"]
        )

    monkeypatch.setattr(attention_module, "choose", on_gpu)
    chosen = attention_module.implementation_for(stream(query), stream(context), "auto")
    assert chosen == ("triton" if "ragged" in (query, context) else "sdpa")


def test_equal_packed_rows_are_attended_to_where_they_are() -> None:
    """Queries, keys and values that one product made stay in its memory."""
    rows = torch.randn(3 * 4, 3, 2, 8)
    query, key, value = (
        Features(tokens=part, packing=Packing.uniform(3, 4, CPU)) for part in rows.unbind(1)
    )
    seen: list[Tensor] = []

    def looking(q: Tensor, k: Tensor, v: Tensor, **options: Any) -> Tensor:
        seen.extend((q, k, v))
        return F.scaled_dot_product_attention(q, k, v)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention_module, "dense_attention", looking)
        found = attend(query, key, value, attention="auto")
    storage = rows.untyped_storage().data_ptr()
    assert [part.untyped_storage().data_ptr() for part in seen] == [storage] * 3
    assert found.shape == (12, 2, 8)


def test_a_seed_is_a_number_that_follows_from_the_generator() -> None:
    """Nothing is launched for it, and what restores the generator restores the mask."""
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = [attention_module.draw_seed(CPU) for _ in range(3)]
    torch.set_rng_state(state)
    assert [attention_module.draw_seed(CPU) for _ in range(3)] == first
    assert len(set(first)) == 3
    assert all(isinstance(seed, int) and 0 <= seed < 2**62 for seed in first)


def test_a_captured_or_compiled_graph_draws_in_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_module, "_captured", lambda device: True)
    seed = attention_module.draw_seed(CPU)
    assert isinstance(seed, Tensor)
    assert seed.shape == (1,) and seed.dtype == torch.int64
    monkeypatch.undo()
    draw = torch.compile(
        lambda x: x + attention_module.draw_seed(CPU), backend="eager", fullgraph=True
    )
    zero = torch.zeros(1, dtype=torch.int64)
    one, other = draw(zero), draw(zero)
    assert one != other
