"""Cumulative lengths are looked at once a batch."""

from itertools import pairwise

import pytest
import torch

from renaissance.compiler.kernels import check_lengths


@pytest.mark.parametrize("lengths", [[0], [0, 4], [0, 0, 3, 3, 9]])
def test_sound(lengths):
    longest = max([b - a for a, b in pairwise(lengths)], default=0)
    check_lengths(torch.tensor(lengths, dtype=torch.int32), lengths[-1], longest)


@pytest.mark.parametrize(
    ("lengths", "tokens", "longest", "message"),
    [
        ([0, 4], 5, 4, "run from 0 to 4, not from 0 to 5"),
        ([1, 4], 4, 4, "run from 1 to 4, not from 0 to 4"),
        ([0, 4, 2, 6], 6, 6, "fall"),
        ([0, 4, 6], 6, 3, "a sequence of 4 tokens is longer than 3"),
    ],
)
def test_unsound(lengths, tokens, longest, message):
    with pytest.raises(ValueError, match=message):
        check_lengths(torch.tensor(lengths, dtype=torch.int32), tokens, longest)
