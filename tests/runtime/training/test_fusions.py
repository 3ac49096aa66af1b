"""Every fusion of two towers trains as the first: kept features, resume, two processes, plain."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from renaissance.compiler import build
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.runs import StopAt, events, last_bytes, run_in_two, train
from tests.tiny import OF_TWO_TOWERS, tiny_fusion

Make = Callable[..., Spec]


def joined(make: Make, word: str, *inputs: str, pool: str = "cls", **changes: Any) -> Spec:
    """Return the tiny experiment with another fusion."""
    spec = make(**changes)
    update = {"fusion": tiny_fusion(word, *inputs), "pool": pool}
    model = spec.models["tiny"].model_copy(update=update)
    return spec.model_copy(update={"models": {"tiny": model}})


def losses(folder: Path, job: str = "base") -> list[float]:
    return [event["loss"] for event in events(folder, job, "step")]


@pytest.mark.parametrize("word", OF_TWO_TOWERS)
def test_a_frozen_tower_is_kept_and_a_run_resumes_bit_for_bit(
    tiny_spec: Make, tmp_path: Path, word: str
) -> None:
    spec, kept = (
        joined(tiny_spec, word, freeze=(Freeze(selectors=("vision",), cache=cache, cache_limit=1),))
        for cache in (False, True)
    )
    train(spec, tmp_path / "whole", "base")
    with pytest.raises(InterruptionError):
        train(kept, tmp_path / "parts", "base", observer=StopAt(3))
    train(kept, tmp_path / "parts", "base")
    assert last_bytes(tmp_path / "parts", "base", 6) == last_bytes(tmp_path / "whole", "base", 6)
    start = build(spec, job="base").state_dict()
    end = load_file(tmp_path / "whole/base/checkpoints/step-00000006/model.safetensors")
    still = {name for name in start if torch.equal(start[name], end[name])}
    assert {name for name in start if name.startswith("streams.vision.")} <= still
    assert not {name for name in start if name.startswith("fusion.")} & still


@pytest.mark.parametrize(
    ("word", "inputs"),
    [
        *((word, ("text", "vision")) for word in OF_TWO_TOWERS),
        ("asymmetric", ("vision", "text")),
        ("dual_encoder", ("vision", "text")),
    ],
)
def test_two_processes_are_as_one(
    tiny_spec: Make, tmp_path: Path, word: str, inputs: tuple[str, str]
) -> None:
    keys = {"batch": 11, "steps": 3, "validation": Share(0.0)}
    spec = joined(tiny_spec, word, *inputs, dropout=0.0, base=keys)
    words = spec.jobs["base"].model_copy(update={"name": "words", "objectives": (Mlm(),)})
    spec = spec.model_copy(update={"jobs": {"base": spec.jobs["base"], "words": words}})
    train(spec, tmp_path / "one")
    run_in_two(spec, tmp_path / "two", *spec.jobs)
    for job in spec.jobs:
        one, two = (losses(tmp_path / name, job) for name in ("one", "two"))
        assert two == pytest.approx(one, rel=2e-4) and one


@pytest.mark.parametrize("word", OF_TWO_TOWERS)
def test_losses_are_those_of_the_plain_model(tiny_spec: Make, tmp_path: Path, word: str) -> None:
    found = []
    for lower in ("auto", "none"):
        keys = {"validation": Share(0.0)}
        spec = joined(tiny_spec, word, pool="first", dropout=0.0, lower=lower, base=keys)
        train(spec, tmp_path / lower, "base")
        found.append(losses(tmp_path / lower))
    assert found[0] == pytest.approx(found[1], abs=1e-4) and found[0]
