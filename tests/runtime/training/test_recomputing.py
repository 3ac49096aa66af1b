"""`recompute` in a run: the same losses and weights, one process or two, and a line about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from renaissance.compiler.planning.fitting import peak_of
from renaissance.compiler.planning.stages import Conditions
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.training import recomputing
from tests.runs import events, notices, run_in_two, train

WEIGHTS = "base/checkpoints/step-00000004/model.safetensors"


def losses(folder: Path) -> list[Any]:
    return [line["losses"] for line in events(folder, "base", "step")]


def said(folder: Path) -> list[str]:
    return [text for text in notices(folder, "base") if "computed again" in text]


def test_a_run_learns_the_same_with_and_without(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    freeze = (Freeze(selectors=("vision.layers[:1]",)), Freeze(selectors=("text",), until=2))
    base: dict[str, Any] = {"steps": 4, "precision": "bf16", "micro_batch": 5}
    found = []
    for recompute in ("none", "layers"):
        spec = tiny_spec(freeze=freeze, base={**base, "recompute": recompute})
        train(spec, tmp_path / recompute, "base")
        found.append(spec.hash)
    assert found[0] == found[1]  # a run may go on with it or without it
    assert losses(tmp_path / "none") == losses(tmp_path / "layers")
    weights = [load_file(tmp_path / name / WEIGHTS) for name in ("none", "layers")]
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())
    assert len(said(tmp_path / "layers")) == 1 and not said(tmp_path / "none")


def test_auto_recomputes_where_a_step_would_not_fit(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(base={"steps": 1, "recompute": "auto"})
    train(spec, tmp_path / "large", "base")
    assert not said(tmp_path / "large")
    monkeypatch.setattr(recomputing, "memory_of_device", lambda device: 2**20)
    train(spec, tmp_path / "small", "base")
    (sentence,) = said(tmp_path / "small")
    assert "a step needs" in sentence and "counted on" in sentence


def test_what_is_split_over_processes_is_counted_once(tiny_spec: Callable[..., Spec]) -> None:
    spec = tiny_spec()
    conditions = Conditions(device="cpu", machine=None, tokens=None, texts=None)
    job, model = spec.jobs["base"], spec.model_of("base")
    assert isinstance(job, Pretrain)
    one, two, four = (peak_of(job, model, conditions, shards) for shards in (1, 2, 4))
    assert one > two > four
    assert abs((one - two) - 2 * (two - four)) <= 2


@pytest.mark.parametrize("shard", ["none", "full"])
def test_two_processes_are_as_one(
    shard: str, tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    base: dict[str, Any] = {"batch": 11, "steps": 4, "shard": shard, "recompute": "layers"}
    base |= {"checkpoint_every": 4, "validate_every": 4}
    freeze = (Freeze(selectors=("text.embeddings", "text.layers[:1]")),)
    spec = tiny_spec(dropout=0.0, freeze=freeze, base=base)
    plain = tiny_spec(dropout=0.0, freeze=freeze, base={**base, "recompute": "none"})
    train(plain, tmp_path / "one", "base")
    run_in_two(spec, tmp_path / "two", "base")
    for ours, theirs in zip(losses(tmp_path / "one"), losses(tmp_path / "two"), strict=True):
        assert theirs == pytest.approx(ours, rel=2e-4)
    one, two = (load_file(tmp_path / name / WEIGHTS) for name in ("one", "two"))
    assert all(torch.allclose(tensor, two[name], atol=1e-3) for name, tensor in one.items())
