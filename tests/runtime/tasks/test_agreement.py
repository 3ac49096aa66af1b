"""Correlations, F1, Matthews: identities and values by hand."""

import numpy as np
import pytest

from renaissance.runtime.tasks.agreement import correlations, f1, matthews, root_mean_square


def test_correlations() -> None:
    one = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
    assert correlations(one, 3 * one + 1) == pytest.approx({"pearson": 1, "spearman": 1})
    assert correlations(one, -one) == pytest.approx({"pearson": -1, "spearman": -1})
    bent = correlations(one, one**3)
    assert bent["spearman"] == pytest.approx(1) and bent["pearson"] < 0.97
    # Equal values share their rank: 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
    tied = correlations(np.array([1.0, 2.0, 2.0, 9.0]), one)
    assert tied["spearman"] == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    # Against a constant there is none.
    assert correlations(np.full(4, 2.0), one) == {}
    assert root_mean_square(one, one + 3) == pytest.approx(3)


def test_f1_of_saying_yes_to_everything() -> None:
    # 279 of 408 rows of MRPC's dev are equivalent.
    right = ["yes"] * 279 + ["no"] * 129
    assert f1(["yes"] * 408, right, "yes") == pytest.approx(0.8122, abs=1e-4)
    assert f1(["no"] * 408, right, "yes") == 0
    assert f1(["no"], ["no"], "yes") == 0


def test_matthews() -> None:
    assert matthews(["a", "b", "a"], ["a", "b", "a"]) == pytest.approx(1)
    assert matthews(["b", "a", "b"], ["a", "b", "a"]) == pytest.approx(-1)
    assert matthews(["a"] * 4, ["a", "b", "a", "b"]) == 0
    # True positives 4, false 1; true negatives 3, false 2.
    said = ["p"] * 5 + ["n"] * 5
    right = ["p"] * 4 + ["n"] * 4 + ["p"] * 2
    assert matthews(said, right) == pytest.approx((4 * 3 - 1 * 2) / np.sqrt(5 * 6 * 4 * 5))
    three = matthews(["a", "b", "c", "a"], ["a", "b", "c", "b"])
    assert three == pytest.approx((3 * 4 - 5) / np.sqrt((16 - 6) * (16 - 6)))
