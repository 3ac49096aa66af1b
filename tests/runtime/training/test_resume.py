"""A run that was stopped ends with the weights of one that was not, bit for bit."""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError, JobError, run_jobs
from tests.runs import StopAt, events, last_bytes, notices, start, train

THAW = (Freeze(selectors=("text",), until=Share(0.5)),)


@pytest.mark.parametrize("stop", [1, 6, 7, 8])
def test_stopped_and_resumed_around_a_thaw(
    tiny_spec: Callable[..., Spec], tmp_path: Path, stop: int
) -> None:
    spec = tiny_spec(freeze=THAW, base={"steps": 12, "checkpoint_every": 5, "validate_every": 4})
    train(spec, tmp_path / "whole", "base")
    folder = tmp_path / "parts"
    with pytest.raises(InterruptionError, match=f"after step {stop} of 12") as caught:
        train(spec, folder, "base", observer=StopAt(stop))
    assert caught.value.signal == signal.SIGTERM
    assert (folder / "base/checkpoints" / f"step-{stop:08d}").is_dir()
    assert not (folder / "base/result.json").exists()
    train(spec, folder, "base")
    assert last_bytes(folder, "base", 12) == last_bytes(tmp_path / "whole", "base", 12)
    for name in ("whole", "parts"):
        [thaw] = events(tmp_path / name, "base", "thaw")
        assert thaw["step"] == 6 and "text.embeddings" in thaw["addresses"]
    whole, parts = (
        json.loads((tmp_path / name / "base/best.json").read_text()) for name in ("whole", "parts")
    )
    assert whole == parts


def test_a_stopped_run_has_a_page(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    spec = tiny_spec(base={"steps": 6, "validate_every": 2})
    with pytest.raises(InterruptionError):
        run_jobs(spec, tmp_path, only=("base",), device="cpu", observer=StopAt(3))
    page = (tmp_path / "report.html").read_text()
    assert "not finished: 3 of 6 steps are logged" in page
    assert "Learning rate" in page and "Seed" in page
    whole = run_jobs(spec, tmp_path, only=("base",), device="cpu")
    assert "the job goes on after step 3 of 6" in notices(tmp_path, "base")
    assert whole.report is not None and "not finished: 3" not in whole.report.read_text()


def test_layers_that_learn_at_rates_of_their_own_go_on_alike(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    decays = {"text": 0.5, "vision": 0.9, "cross": 0.7}
    keys = {"steps": 6, "checkpoint_every": 6, "validate_every": 6}
    spec = tiny_spec(freeze=THAW, base={**keys, "decay_lr": decays})
    train(spec, tmp_path / "whole", "base")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", "base", observer=StopAt(4))
    train(spec, tmp_path / "parts", "base")
    assert last_bytes(tmp_path / "parts", "base", 6) == last_bytes(tmp_path / "whole", "base", 6)
    train(tiny_spec(freeze=THAW, base=keys), tmp_path / "even", "base")
    assert last_bytes(tmp_path / "even", "base", 6) != last_bytes(tmp_path / "whole", "base", 6)


def test_what_is_frozen_until_later_does_not_move_before(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = tiny_spec(
        freeze=THAW, base={"steps": 8, "checkpoint_every": 4, "validate_every": 8, "keep": 9}
    )
    train(spec, tmp_path, "base")
    from renaissance.compiler import build

    start = build(spec, job="base").state_dict()
    before, after = (
        load_file(tmp_path / f"base/checkpoints/step-{step:08d}/model.safetensors")
        for step in (4, 8)
    )
    text = [name for name in start if name.startswith("streams.text.")]
    assert text and all(bool((before[name] == start[name]).all()) for name in text)
    assert any(bool((after[name] != start[name]).any()) for name in text)


def test_killed_at_any_moment(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    steps = 60
    spec = tiny_spec(base={"steps": steps, "checkpoint_every": 2, "validate_every": 7})
    train(spec, tmp_path / "whole", "base")
    folder = tmp_path / "killed"
    log = folder / "base/log.jsonl"
    wait = random.uniform(0, 0.5)
    process = start(spec, folder, "base")
    while process.is_alive() and (not log.exists() or b'"step"' not in log.read_bytes()):
        time.sleep(0.005)
    time.sleep(wait)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"had ended after {wait} s"
    train(spec, folder, "base")
    assert last_bytes(folder, "base", steps) == last_bytes(tmp_path / "whole", "base", steps), wait
    left = [p.name for p in (folder / "base/checkpoints").iterdir() if p.name.startswith(".")]
    assert left == []


def test_a_damaged_checkpoint_is_passed_over(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = tiny_spec(base={"steps": 9, "checkpoint_every": 2, "validate_every": 9})
    train(spec, tmp_path / "whole", "base")
    folder = tmp_path / "damaged"
    with pytest.raises(InterruptionError):
        train(spec, folder, "base", observer=StopAt(6))
    file = folder / "base/checkpoints/step-00000006/model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    train(spec, folder, "base")
    assert last_bytes(folder, "base", 9) == last_bytes(tmp_path / "whole", "base", 9)
    passed_over, goes_on = notices(folder, "base")
    assert "step-00000006" in passed_over and "cut off" in passed_over
    assert goes_on == "the job goes on after step 4 of 9"
    starts = [e["step"] for e in events(folder, "base", "start")]
    assert starts == [0, 4]


def test_a_checkpoint_of_another_spec_is_refused(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    spec = tiny_spec(base={"steps": 5})
    with pytest.raises(InterruptionError):
        train(spec, tmp_path, "base", observer=StopAt(3))
    (tmp_path / "spec.json").unlink()
    other = tiny_spec(base={"steps": 5, "seed": 1})
    with pytest.raises(JobError, match="its spec hash is not that of this job") as caught:
        train(other, tmp_path, "base")
    assert "--fresh" in str(caught.value)


def test_an_interrupt_from_the_keyboard_keeps_its_signal(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(InterruptionError) as caught:
        train(tiny_spec(), tmp_path, "base", observer=StopAt(2, signal.SIGINT))
    assert caught.value.signal == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before
