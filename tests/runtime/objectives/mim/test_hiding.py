"""Which patches are hidden: as many as asked for, in blocks or each by itself."""

import numpy as np
import pytest

from renaissance.runtime.objectives.mim.masking import hidden_patches


@pytest.mark.parametrize("how", ["random", "block"])
@pytest.mark.parametrize(("down", "across"), [(1, 1), (2, 2), (14, 14), (7, 20)])
def test_exactly_as_many_as_asked_for(how: str, down: int, across: int) -> None:
    for count in {1, down * across // 2, down * across} - {0}:
        for seed in range(5):
            hidden = hidden_patches(seed, down, across, count, how)
            assert hidden.shape == (down * across,)
            assert hidden.sum() == count


@pytest.mark.parametrize("how", ["random", "block"])
def test_a_seed_decides_and_every_patch_has_its_turn(how: str) -> None:
    found = np.stack([hidden_patches(seed, 14, 14, 78, how) for seed in range(400)])
    again = np.stack([hidden_patches(seed, 14, 14, 78, how) for seed in range(400)])
    assert (found == again).all()
    assert len(np.unique(found, axis=0)) > 390  # one block may be all that is hidden
    assert found.any(0).all()


def test_blocks_hide_neighbours() -> None:
    def alike(how: str) -> float:
        """The share of hidden patches whose neighbour to the right is hidden too."""
        found = np.stack([hidden_patches(n, 14, 14, 78, how).reshape(14, 14) for n in range(100)])
        return float((found[:, :, 1:] & found[:, :, :-1]).sum() / found[:, :, :-1].sum())

    assert alike("block") > 0.7
    assert alike("random") == pytest.approx(0.4, abs=0.03)
