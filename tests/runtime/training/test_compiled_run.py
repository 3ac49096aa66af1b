"""`compile = layers`: the same losses, a line about it, a sentence where it cannot be."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.torch_version import TorchVersion

from renaissance.compiler.errors import CompileError
from renaissance.compiler.lowering import compilation
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from tests.runs import events, train

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")

# Torch 2.11 casts at other places in a layer that it traces, and bfloat16 has 8 bits.
TOLERANCE = 1e-6 if TorchVersion(torch.__version__) >= "2.12" else 1e-3


def test_losses_stay_and_the_log_names_the_layers(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "BACKEND", "eager")
    monkeypatch.setattr(logging.getLogger("torch.__trace"), "propagate", False)
    freeze = (Freeze(selectors=("vision",)), Freeze(selectors=("text.layers[:1]",), until=2))
    base: dict[str, Any] = {"steps": 4, "precision": "bf16"}
    plain = tiny_spec(dropout=0.0, freeze=freeze, base=base)
    compiled = tiny_spec(dropout=0.0, freeze=freeze, base={**base, "compile": "layers"})
    assert plain.hash == compiled.hash  # a run may go on with it or without it
    train(plain, tmp_path / "plain", "base")
    train(compiled, tmp_path / "compiled", "base")
    torch._dynamo.reset()
    logs = {name: events(tmp_path / name, "base") for name in ("plain", "compiled")}
    losses = {name: [e["loss"] for e in log if e["event"] == "step"] for name, log in logs.items()}
    assert len(losses["plain"]) == 4
    assert losses["plain"] == pytest.approx(losses["compiled"], rel=TOLERANCE)
    starts = {name: log[0]["compiled"] for name, log in logs.items()}
    assert starts["plain"] == []
    assert starts["compiled"] == [
        *(f"{tower}.layers[{index}]" for tower in ("text", "vision") for index in (0, 1)),
        "cross.layers[0]",
    ]
    assert any("5 layers are compiled" in e.get("text", "") for e in logs["compiled"])
    weights = [
        load_file(tmp_path / name / "base/checkpoints/step-00000004/model.safetensors")
        for name in ("plain", "compiled")
    ]
    assert weights[0].keys() == weights[1].keys()


def test_a_machine_without_a_compiler_gets_a_sentence(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("No working C++ compiler found")

    monkeypatch.setattr(compilation, "BACKEND", broken)
    spec = tiny_spec(base={"compile": "layers"})
    with pytest.raises(CompileError, match=r"No working C\+\+ compiler found.*`compile = none`"):
        train(spec, tmp_path, "base")
