"""How results of the kernels are held against float64."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from benchmarks import numerics
from renaissance.compiler.kernels import reference

PROBLEM = numerics.problems(tiny=True)[0]


def lying(change):
    """The plain attention with something done to its output."""
    return SimpleNamespace(
        varlen_attention=lambda *a, **o: change(reference.varlen_attention(*a, **o)),
        coattention=reference.coattention,
    )


def test_problems_are_many_and_distinct():
    found = numerics.problems()
    assert len({problem.name for problem in found}) == len(found) == 3 * 4 * 2 * 7
    assert found[0].dtype is torch.bfloat16 and found[0].head_dim == 64


def test_processes_share_problems_by_their_kernels():
    found = numerics.problems()
    parts = [numerics.shared(found, number, 5) for number in range(5)]
    assert sorted(p.name for part in parts for p in part) == sorted(p.name for p in found)
    kinds = [{(p.dtype, p.head_dim, p.dropout) for p in part} for part in parts]
    assert sum(map(len, kinds)) == len(set.union(*kinds)) == 24
    assert all(part[0].dtype is torch.bfloat16 for part in parts)


def test_few_problems_reach_every_form():
    found = numerics.few_problems()
    assert {p.dtype for p in found} == {torch.bfloat16} and len(found) == 7
    assert {p.both for p in found} == {True, False} and {p.dropout for p in found} == {0.0, 0.1}


@pytest.mark.parametrize("problem", numerics.problems(tiny=True), ids=lambda p: p.name)
def test_plain_operations_are_right(problem, monkeypatch):
    monkeypatch.setattr(numerics, "kernels", reference)
    result = numerics.judged(problem, "cpu", 1)
    assert result.right
    assert result.errors == result.plain
    assert set(result.errors) > {"output", "query gradient", "key gradient", "value gradient"} or (
        not problem.both
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda output: output * (1 + 2e-5),
        lambda output: torch.cat((output[:-1], output[-1:] * torch.nan)),
        lambda output: output * (1 + 1e-6 * torch.rand(())),
    ],
    ids=["too large", "a row is not written", "other bits each time"],
)
def test_what_is_wrong_is_not_right(change, monkeypatch):
    monkeypatch.setattr(numerics, "kernels", lying(change))
    assert not numerics.judged(PROBLEM, "cpu", 2).right


def test_what_is_accepted():
    assert numerics.largest_error(torch.bfloat16, 500) == 1e-2
    assert numerics.largest_error(torch.float32, 400) == pytest.approx(4e-5)
    assert replace(PROBLEM, dtype=torch.float16).name.startswith("captions, float16")


def test_what_is_not_written_shows():
    with numerics.uninitialised_is_nan():
        assert torch.empty(5).isnan().all()
    assert not torch.are_deterministic_algorithms_enabled()
