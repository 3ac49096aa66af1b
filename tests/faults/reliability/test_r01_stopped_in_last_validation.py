"""A stop during a validation changes nothing of what the run ends with."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError
from renaissance.runtime.checkpoint import read_checkpoint
from renaissance.runtime.checkpoints import best_checkpoint
from renaissance.runtime.observer import Silent
from tests.runs import train

STEPS = 6
FOLDER = f"checkpoints/step-{STEPS:08d}"


class StopInValidation(Silent):
    """Sends a signal when a validation begins, the one of that number."""

    def __init__(self, number: int, sent: int) -> None:
        self.left = number
        self.sent = sent

    def begin(self, job: str, stage: str, total: int) -> None:
        if stage == "validate":
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(self.sent)


def outcome(folder: Path) -> dict[str, Any]:
    """Everything of a finished job that must not depend on stops."""
    result = json.loads((folder / "result.json").read_bytes())
    checkpoint = read_checkpoint(folder / FOLDER)
    return {
        "best": (folder / "best.json").read_bytes(),
        "validated": checkpoint.state.validated,
        "recorded": checkpoint.state.best,
        "metrics": result["metrics"],
        "model": (folder / FOLDER / "model.safetensors").read_bytes(),
        "optimizer": (folder / FOLDER / "optimizer.safetensors").read_bytes(),
    }


@pytest.fixture
def spec(tiny_spec: Callable[..., Spec]) -> Spec:
    from renaissance.runtime.optimizers.adamw.schema import AdamW

    learns = {"optimizer": AdamW(lr=5e-3), "validate_every": 3, "steps": STEPS}
    return tiny_spec(dropout=0.0, base=learns)


@pytest.fixture
def undisturbed(spec: Spec, tmp_path: Path) -> dict[str, Any]:
    train(spec, tmp_path / "whole", "base")
    found = outcome(tmp_path / "whole/base")
    assert json.loads(found["best"])["step"] == STEPS, "the last validation must be the best"
    return found


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("validation", [1, 2])
def test_the_best_checkpoint_is_that_of_an_undisturbed_run(
    spec: Spec, undisturbed: dict[str, Any], tmp_path: Path, validation: int, sent: int
) -> None:
    folder = tmp_path / "stopped"
    with pytest.raises(InterruptionError):
        train(spec, folder, "base", observer=StopInValidation(validation, sent))
    train(spec, folder, "base")
    assert outcome(folder / "base") == undisturbed
    assert best_checkpoint(folder / "base").state.step == STEPS


def test_stopped_twice_in_the_same_validation(
    spec: Spec, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "stopped"
    for _ in range(2):
        with pytest.raises(InterruptionError, match="after step 6 of 6"):
            train(
                spec,
                folder,
                "base",
                observer=StopInValidation(2 if not folder.exists() else 1, signal.SIGTERM),
            )
    train(spec, folder, "base")
    assert outcome(folder / "base") == undisturbed
