"""Weights that are split over two processes learn to predict patches as whole ones do."""

from collections.abc import Callable
from pathlib import Path

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.objectives.mim.schema import Mim
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.runs import run_in_two, train
from tests.runtime.objectives.itc.test_itc_runs import same


def test_split_weights_learn_as_whole_ones(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    base = {"objectives": (Mim(), Mlm()), "batch": 12, "steps": 3}
    train(tiny_spec(dropout=0.0, base=base), tmp_path / "one", "base")
    run_in_two(tiny_spec(dropout=0.0, base={**base, "shard": "full"}), tmp_path / "two", "base")
    same(tmp_path / "one", tmp_path / "two", 3)
