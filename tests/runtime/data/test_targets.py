"""Targets of any rows, and what predictions of them are worth."""

import numpy as np
import pytest

from renaissance.grammar.kinds.head import UNKNOWN
from renaissance.runtime.data.targets import Classes, Numbers, Shares, known


def test_classes_by_name() -> None:
    targets = Classes.named(["no", "yes", "perhaps", None], ("no", "yes"))
    rows = np.array([3, 1, 0, 2, 1])
    assert targets.of(rows).tolist() == [UNKNOWN, 1, 0, UNKNOWN, 1]
    assert known(targets.of(rows)) == 3 and targets.impossible(rows) == 2
    assert targets.credit(rows, np.array([0, 1, 1, 0, 0])).tolist() == [0, 1, 0, 0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_those_of_a_table_of_all_classes(seed: int) -> None:
    draw = np.random.default_rng(seed)
    table = np.where(draw.random((20, 9)) < 0.2, draw.random((20, 9)), 0).astype(np.float32)
    table[4] = 0
    listed = [[(int(c), float(row[c])) for c in np.flatnonzero(row)] for row in table]
    targets = Shares.listed(listed, 9)
    for rows in (draw.integers(0, 20, 13), np.array([4]), np.array([], np.int64)):
        assert np.array_equal(targets.of(rows), table[rows])
        predicted = draw.integers(0, 9, len(rows))
        assert np.array_equal(targets.credit(rows, predicted), table[rows, predicted])
        assert targets.impossible(rows) == int((table[rows].sum(1) == 0).sum())
        assert known(targets.of(rows)) == len(rows)


def test_numbers() -> None:
    targets = Numbers(values=np.array([1.0, np.nan, 3.0], np.float32))
    rows = np.array([2, 1])
    assert targets.of(rows)[0] == 3 and known(targets.of(rows)) == 1
    assert targets.credit(rows, np.array([1.0, 1.0]))[0] == -4
