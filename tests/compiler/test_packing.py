"""Packed rows against the padded ones that they stand for."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing, join

LENGTHS = st.lists(st.integers(0, 5), min_size=1, max_size=6)


def _packing(lengths: list[int], spare: int = 0) -> Packing:
    ends = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    return Packing(cumulative=ends, longest=max(lengths) + spare)


def _rows(tokens: torch.Tensor, packing: Packing) -> list[list[float]]:
    return [row.tolist() for row in tokens.tensor_split(packing.cumulative[1:-1].long())]


@given(LENGTHS, st.integers(0, 2))
def test_padding_and_back_is_the_identity(lengths: list[int], spare: int) -> None:
    packing = _packing(lengths, spare)
    tokens = torch.arange(1.0, sum(lengths) + 1)
    padded = packing.pad(tokens)
    assert padded.shape == (len(lengths), max(lengths) + spare)
    assert torch.equal(packing.mask(), padded > 0)
    assert [row[row > 0].tolist() for row in padded] == _rows(tokens, packing)
    assert torch.equal(packing.unpad(padded, len(tokens)), tokens)
    assert torch.equal(Packing.of_mask(packing.mask()).cumulative, packing.cumulative)


@given(LENGTHS, st.data())
def test_rows_can_be_chosen_and_cut(lengths: list[int], data: st.DataObject) -> None:
    packing = _packing(lengths)
    stream = Features(tokens=torch.arange(float(sum(lengths)))[:, None], packing=packing)
    rows = _rows(stream.tokens[:, 0], packing)
    index = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=8))
    chosen = stream.select(torch.tensor(index), sum(lengths[row] for row in index))
    assert _rows(chosen.tokens[:, 0], chosen.packing) == [rows[row] for row in index]
    cut = data.draw(st.integers(1, len(lengths)))
    pieces = (lengths[:cut], lengths[cut:]) if cut < len(lengths) else (lengths,)
    parts = stream.split([len(piece) for piece in pieces], [sum(piece) for piece in pieces])
    found = [_rows(part.tokens[:, 0], part.packing) for part in parts]
    assert found == [rows[:cut], rows[cut:]][: len(pieces)]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=5))
def test_joint_rows_hold_one_stream_behind_the_other(lengths: list[tuple[int, int]]) -> None:
    front, back = (_packing(list(side)) for side in zip(*lengths, strict=True))
    counts = tuple(sum(side) for side in zip(*lengths, strict=True))
    joint, before, behind = join(front, back, counts)
    tokens = torch.zeros(sum(counts))
    tokens[before] = torch.arange(1.0, counts[0] + 1)
    tokens[behind] = -torch.arange(1.0, counts[1] + 1)
    wanted = [
        one + other
        for one, other in zip(
            _rows(torch.arange(1.0, counts[0] + 1), front),
            _rows(-torch.arange(1.0, counts[1] + 1), back),
            strict=True,
        )
    ]
    assert _rows(tokens, joint) == wanted


@given(LENGTHS)
def test_forms_of_a_stream_lead_back_to_each_other(lengths: list[int]) -> None:
    packing = _packing(lengths)
    packed = Features(tokens=torch.randn(sum(lengths), 2), packing=packing)
    padded = packed.padded()
    assert torch.equal(padded.packed().tokens, packed.tokens)
    assert torch.equal(padded.from_packed(packed.tokens), padded.tokens)
    assert torch.equal(packed.from_padded(padded.tokens), packed.tokens)
    dense = Features(tokens=torch.randn(2, 3, 4))
    assert torch.equal(dense.packed().tokens, dense.tokens.flatten(0, 1))
    assert dense.packed().packing.cumulative.tolist() == [0, 3, 6]
    assert torch.equal(dense.from_packed(dense.packed().tokens), dense.tokens)
    assert torch.equal(dense.packed().padded().tokens, dense.tokens)
    for form in (dense, dense.packed()):
        first, last = form.split([0, 2], [0, 0])
        assert first.rows == 0
        assert torch.equal(last.padded().tokens, dense.tokens)


def test_places_in_a_row_count_from_zero() -> None:
    packing = _packing([2, 0, 3])
    assert packing.row_of(5).tolist() == [0, 0, 2, 2, 2]
    assert packing.place_in_row(5).tolist() == [0, 1, 0, 1, 2]


@given(LENGTHS, LENGTHS)
def test_rows_behind_others(first: list[int], second: list[int]) -> None:
    streams = [
        Features(tokens=torch.randn(sum(lengths), 1), packing=_packing(lengths))
        for lengths in (first, second)
    ]
    joined = streams[0].followed_by(streams[1])
    assert joined.packing is not None and joined.longest == max(*first, *second)
    expected = [row for one in streams for row in _rows(one.tokens[:, 0], _packed(one))]
    assert _rows(joined.tokens[:, 0], joined.packing) == expected


def _packed(stream: Features) -> Packing:
    assert stream.packing is not None
    return stream.packing
