"""What is frozen does not change, and a run in which it does stops."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from renaissance.compiler import build
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import JobError
from renaissance.runtime.errors import FrozenChangedError
from renaissance.runtime.training.frozen import FrozenContract, frozen_names
from renaissance.runtime.training.step import TrainingStep
from tests.runs import train

VISION = (Freeze(selectors=("vision",)),)


def test_a_frozen_tower_is_not_touched(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    spec = tiny_spec(freeze=VISION)
    train(spec, tmp_path, "base")
    start = build(spec, job="base").state_dict()
    path = tmp_path / "base/checkpoints/step-00000006"
    end = load_file(path / "model.safetensors")
    vision = [name for name in start if name.startswith("streams.vision.")]
    assert vision and all(torch.equal(start[name], end[name]) for name in vision)
    moved = [name for name in start if not torch.equal(start[name], end[name])]
    assert any(name.startswith("streams.text.") for name in moved)
    assert set(json.loads((path / "state.json").read_text())["frozen"]) >= set(vision)
    averages = load_file(path / "optimizer.safetensors")
    assert not any(name.startswith("streams.vision.") for name in averages)


def test_a_run_that_changes_a_frozen_tensor_stops(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[VisionLanguageModel] = []
    whole_step = TrainingStep.__call__

    def tampering(self: TrainingStep, *batches: object, **options: object) -> object:
        models.append(self._objectives.model)
        if options["step"] == 3:
            with torch.no_grad():
                next(models[-1].streams["vision"].parameters()).view(-1)[0] += 1e-6
        return whole_step(self, *batches, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(TrainingStep, "__call__", tampering)
    spec = tiny_spec(freeze=VISION, base={"checkpoint_every": 2, "validate_every": 6})
    with pytest.raises(FrozenChangedError, match="at step 4 1 frozen tensor is not") as caught:
        train(spec, tmp_path, "base")
    name, _ = next(models[0].streams["vision"].named_parameters())
    assert f"`streams.vision.{name}`" in str(caught.value)
    steps = sorted(path.name for path in (tmp_path / "base/checkpoints").glob("step-*"))
    assert steps == ["step-00000002"]
    assert isinstance(caught.value, JobError)


def test_buffers_of_frozen_modules_count_too() -> None:
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 4))
    for parameter in model[0].parameters():
        parameter.requires_grad_(False)
    names = frozen_names(model)  # type: ignore[arg-type]
    assert {"0.weight", "0.bias", "0.running_mean", "0.running_var"} <= set(names)
    assert not any(name.startswith("1.") for name in names)
    contract = FrozenContract(model)  # type: ignore[arg-type]
    contract.check("now")
    model(torch.randn(8, 4))
    with pytest.raises(FrozenChangedError, match="running_mean"):
        contract.check("after a pass in training mode")
