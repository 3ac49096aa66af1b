"""Checkpoints are whole or refused, and a full disk costs only the newest."""

import json
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from renaissance.compiler import build
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import JobError
from renaissance.runtime.checkpoint import Best, State, read_checkpoint, write_checkpoint
from renaissance.runtime.checkpoints import Checkpoints, best_checkpoint
from renaissance.runtime.errors import CheckpointError
from renaissance.runtime.weights import model_tensors, restore


def state(step: int) -> State:
    return State(job="base", spec_hash="0" * 64, step=step, total_steps=9)


def write(path: Path, step: int, size: int = 1000) -> None:
    tensors = {"a": torch.arange(size, dtype=torch.float32), "b": torch.tensor(3)}
    write_checkpoint(path, state(step), tensors, {"a/exp_avg": torch.ones(size)})


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the operating system refuse files that grow beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write(tmp_path / "step-00000003", 3)
    found = read_checkpoint(tmp_path / "step-00000003")
    assert found.state.step == 3
    assert torch.equal(found.model["a"], torch.arange(1000.0)) and found.model["b"] == 3
    assert found.optimizer.keys() == {"a/exp_avg"}
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]
    assert not list(tmp_path.rglob("*.pt")) and not list(tmp_path.rglob("*.pkl"))


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("model.safetensors", lambda b: b[: len(b) // 2], "is cut off or was replaced"),
        ("optimizer.safetensors", lambda b: b[:-1], "is cut off or was replaced"),
        ("model.safetensors", lambda b: b[:-4] + b"\0\0\0\1", "is not what was written"),
        ("state.json", lambda b: b[:-20], "is no state of a checkpoint"),
        ("state.json", lambda b: b"{}", "is no state of a checkpoint"),
    ],
)
def test_a_damaged_file_is_refused(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes], said: str
) -> None:
    path = tmp_path / "step-00000003"
    write(path, 3)
    (path / name).write_bytes(damage((path / name).read_bytes()))
    with pytest.raises(CheckpointError, match=said) as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "step-00000003", 3)
    (tmp_path / "step-00000003/model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_checkpoint(tmp_path / "step-00000003")


def test_the_one_before_a_damaged_one_is_used(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=3)
    for step in (2, 4, 6):
        write(checkpoints.path(step), step)
    (checkpoints.path(6) / "model.safetensors").write_bytes(b"")
    said: list[str] = []
    found = checkpoints.newest(lambda checkpoint: None, said.append)
    assert found is not None and found.state.step == 4
    assert len(said) == 1 and "step-00000006" in said[0]
    # Set aside, so that it does not count among those that are kept.
    assert checkpoints.steps() == [2, 4]


def test_when_none_can_be_used_the_job_stops(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=3)
    write(checkpoints.path(2), 2)
    (checkpoints.path(2) / "state.json").write_text("")
    with pytest.raises(CheckpointError, match=r"no checkpoint .* can be used"):
        checkpoints.newest(lambda checkpoint: None, lambda sentence: None)


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    best = Best(step=2, score=(0.9,), losses={"loss": 1.0}, metrics={})
    for step in (1, 2, 3, 4, 5):
        write(checkpoints.path(step), step)
        checkpoints.mark_best(best if step >= 2 else None)
    assert checkpoints.steps() == [2, 4, 5]
    assert best_checkpoint(tmp_path).state.step == 2
    assert json.loads((tmp_path / "best.json").read_text())["path"] == "checkpoints/step-00000002"


def test_a_full_disk_is_one_sentence_and_costs_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "step-00000003", 3)
    with largest_file(100_000), pytest.raises(JobError, match="the disk is full") as caught:
        write(tmp_path / "step-00000006", 6, size=1_000_000)
    assert "step 6" in str(caught.value) and "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]
    assert read_checkpoint(tmp_path / "step-00000003").state.step == 3


def test_a_checkpoint_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path / "step-00000003", 3)
    write(tmp_path / "step-00000003", 3, size=10)
    assert len(read_checkpoint(tmp_path / "step-00000003").model["a"]) == 10
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]


def test_half_written_and_half_deleted_ones_are_swept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    write(checkpoints.path(2), 2)
    for name in (".draft-step-00000004", ".old-step-00000001"):
        (tmp_path / "checkpoints" / name).mkdir()
    checkpoints.sweep()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000002"]


def test_tensors_of_another_model_are_refused_by_class(tiny_spec: Callable[..., Spec]) -> None:
    model = build(tiny_spec(), job="base")
    tensors = {name: tensor.detach() for name, tensor in model_tensors(model)[0].items()}
    names = list(tensors)
    del tensors[names[0]]
    tensors["stranger"] = torch.zeros(1)
    tensors[names[1]] = torch.zeros(2, 2, 2)
    with pytest.raises(CheckpointError) as caught:
        restore(model, tensors, ())
    message = str(caught.value)
    assert f"`{names[0]}` missing" in message and "`stranger` unexpected" in message
    assert f"{names[1]} [2, 2, 2]" in message and "of another shape" in message
