"""What never learns is held in the precision of the pass, and every file has what it was."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from renaissance.compiler import build
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError
from renaissance.runtime.errors import FrozenChangedError
from renaissance.runtime.training.step import TrainingStep
from tests.runs import StopAt, events, last_bytes, train

VISION = (Freeze(selectors=("vision",)),)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[VisionLanguageModel]:
    """The model of every step that is done."""
    models: list[VisionLanguageModel] = []
    whole_step = TrainingStep.__call__

    def watching(self: TrainingStep, *batches: Any, **options: Any) -> Any:
        models.append(self._objectives.model)
        return whole_step(self, *batches, **options)

    monkeypatch.setattr(TrainingStep, "__call__", watching)
    return models


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_later_job_starts_from_the_exact_weights(
    tiny_spec: Callable[..., Spec],
    tmp_path: Path,
    seen: list[VisionLanguageModel],
    precision: str,
) -> None:
    spec = tiny_spec(freeze=VISION, base={"precision": precision})
    # A later job has the same model with nothing frozen, and float32.
    free = tiny_spec().models["tiny"]
    later = spec.jobs["vqa"].model_copy(update={"on": "free", "precision": "fp32"})
    spec = spec.model_copy(
        update={
            "models": {"tiny": spec.models["tiny"], "free": free},
            "jobs": {**spec.jobs, "vqa": later},
        }
    )
    train(spec, tmp_path, "base")
    held = {name: p.dtype for name, p in seen[-1].named_parameters() if p.dtype != torch.float32}
    assert set(held.values()) == {{"bf16": torch.bfloat16, "fp16": torch.float16}[precision]}
    assert len(held) > 12 and all(name.startswith("streams.vision.") for name in held)
    start = build(spec, job="base").state_dict()
    end = load_file(tmp_path / "base/checkpoints/step-00000006/model.safetensors")
    assert {tensor.dtype for tensor in end.values()} == {torch.float32}
    vision = [name for name in start if name.startswith("streams.vision.")]
    assert vision and all(torch.equal(start[name], end[name]) for name in vision)

    first: dict[str, torch.Tensor] = {}
    step = TrainingStep.__call__

    def copying(self: TrainingStep, *batches: Any, **options: Any) -> Any:
        if not first:
            first.update({n: p.clone() for n, p in self._objectives.model.state_dict().items()})
        return step(self, *batches, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingStep, "__call__", copying)
        train(spec, tmp_path, "vqa")
    best = json.loads((tmp_path / "base/best.json").read_text())["path"]
    source = load_file(tmp_path / "base" / best / "model.safetensors")
    assert all(torch.equal(first[name], source[name]) for name in vision)


def test_stopped_and_resumed_it_ends_with_the_same_bytes(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    # One part never learns, another one learns from the middle on.
    freeze = (*VISION, Freeze(selectors=("text.layers[:1]",), until=4))
    base = {"precision": "bf16", "steps": 8, "checkpoint_every": 3, "validate_every": 4}
    spec = tiny_spec(freeze=freeze, base=base)
    train(spec, tmp_path / "whole", "base")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", "base", observer=StopAt(2))
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", "base", observer=StopAt(6))
    train(spec, tmp_path / "parts", "base")
    assert last_bytes(tmp_path / "parts", "base", 8) == last_bytes(tmp_path / "whole", "base", 8)


def test_its_losses_are_those_of_float32_weights(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(freeze=VISION, base={"precision": "bf16"})
    train(spec, tmp_path / "held", "base")
    monkeypatch.setattr(
        "renaissance.compiler.lowering.low_precision.hold_in_low_precision",
        lambda model, never, dtype: {},
    )
    train(spec, tmp_path / "whole", "base")
    assert last_bytes(tmp_path / "held", "base", 6) == last_bytes(tmp_path / "whole", "base", 6)
    held, whole = (
        [event["loss"] for event in events(tmp_path / name, "base", "step")]
        for name in ("held", "whole")
    )
    assert held == whole and len(held) == 6


def test_a_change_of_what_is_held_is_noticed(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_step = TrainingStep.__call__

    def tampering(self: TrainingStep, *batches: Any, **options: Any) -> Any:
        if options["step"] == 3:
            held = [p for p in self._objectives.model.parameters() if p.dtype == torch.bfloat16]
            with torch.no_grad():
                held[0].view(-1)[0] += 1
        return whole_step(self, *batches, **options)

    monkeypatch.setattr(TrainingStep, "__call__", tampering)
    spec = tiny_spec(freeze=VISION, base={"precision": "bf16", "checkpoint_every": 4})
    with pytest.raises(FrozenChangedError, match=r"at step 4 1 frozen tensor is not .*vision"):
        train(spec, tmp_path, "base")
