"""What can be made again is made again; where nothing can, the message says what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import JobError
from renaissance.runtime.results import read_result
from tests.runs import last_bytes, train


def redo(folder: Path, *names: str) -> None:
    """Let jobs count as not finished."""
    for name in names:
        (folder / name / "result.json").unlink()


@pytest.mark.parametrize("damage", [None, b"", b"{}", b'{"path": "checkpoints/step-00000001"}'])
def test_best_json_is_written_anew(
    tiny_spec: Callable[..., Spec], finished_run: Path, damage: bytes | None
) -> None:
    best = finished_run / "base/best.json"
    whole = best.read_bytes()
    best.unlink()
    if damage is not None:
        best.write_bytes(damage)
    assert train(tiny_spec(), finished_run, "base").skipped == ("base",)
    assert best.read_bytes() == whole


def test_the_next_job_starts_from_what_the_checkpoints_call_best(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    model = last_bytes(finished_run, "vqa", 6)
    (finished_run / "base/best.json").unlink()
    train(tiny_spec(), finished_run, "vqa", fresh=True)
    assert last_bytes(finished_run, "vqa", 6) == model


def test_a_damaged_best_checkpoint_says_what_to_do(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    for path in finished_run.glob("base/checkpoints/*/model.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    redo(finished_run, "vqa")
    for path in finished_run.glob("vqa/checkpoints/*"):
        path.rename(path.with_name(f"gone-{path.name}"))
    with pytest.raises(JobError, match="`renaissance train FILE:base --fresh`") as caught:
        train(tiny_spec(), finished_run, "vqa")
    assert "is cut off" in str(caught.value) and "\n" not in str(caught.value)
    train(tiny_spec(), finished_run, "base", fresh=True)
    assert train(tiny_spec(), finished_run).skipped == ("base",)


def test_a_deleted_tokenizer(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    redo(finished_run, "exam")
    before = read_result(finished_run / "vqa")
    for name in ("base", "vqa"):
        (finished_run / name / "tokenizer.json").write_bytes(b"{")
    run = train(tiny_spec(), finished_run)
    assert run.skipped == ("base", "vqa") and read_result(finished_run / "vqa") == before


@pytest.mark.parametrize("damage", [None, b"", b"\xff\xfe", b'{"models": 3}'])
def test_spec_json_is_written_anew(
    tiny_spec: Callable[..., Spec], finished_run: Path, damage: bytes | None
) -> None:
    path = finished_run / "spec.json"
    whole = path.read_bytes()
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    assert train(tiny_spec(), finished_run).skipped == ("base", "vqa", "exam")
    assert path.read_bytes() == whole


def test_spec_json_of_another_value(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    path = finished_run / "spec.json"
    whole = path.read_text()
    path.write_text(whole.replace('"seed":0', '"seed":8', 1))
    assert path.read_text() != whole
    assert train(tiny_spec(), finished_run).skipped == ("base", "vqa", "exam")
    assert path.read_text() == whole


def test_a_copy_made_by_hand_is_no_checkpoint(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    (finished_run / "base/checkpoints/step-99").mkdir()
    (finished_run / "base/checkpoints/step-00000005.bak").mkdir()
    redo(finished_run, "base")
    train(tiny_spec(), finished_run, "base")
    assert (finished_run / "base/checkpoints/step-99").is_dir()
