"""Weights that are split over two processes learn as whole ones do, in one pass and in several."""

from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.objectives.itc.schema import Itc
from tests.runs import run_in_two, train
from tests.runtime.objectives.itc.test_itc_runs import OTHERS, same


@pytest.mark.parametrize("micro_batch", [None, 3])
def test_split_weights_learn_as_whole_ones(
    micro_batch: int | None, tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    base = {"objectives": (*OTHERS, Itc()), "batch": 12, "steps": 3, "micro_batch": micro_batch}
    train(tiny_spec(dropout=0.0, base=base), tmp_path / "one", "base")
    run_in_two(tiny_spec(dropout=0.0, base={**base, "shard": "full"}), tmp_path / "two", "base")
    same(tmp_path / "one", tmp_path / "two", 3)
