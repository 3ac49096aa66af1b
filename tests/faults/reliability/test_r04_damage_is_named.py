"""Each file of a run has a digest: damage is named, and made good where that is possible."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError, JobError
from renaissance.runtime.checkpoint import read_checkpoint
from renaissance.runtime.data import Tokenizer
from renaissance.runtime.errors import CheckpointError, DamageError
from renaissance.runtime.results import read_result
from tests.runs import StopAt, events, last_bytes, notices, train

STATE = "checkpoints/step-00000004/state.json"


@pytest.fixture
def stopped(tiny_spec: Callable[..., Spec], tmp_path: Path) -> tuple[Spec, Path]:
    """A pretraining of 6 steps with a frozen tower, stopped after the fourth."""
    spec = tiny_spec(
        freeze=(Freeze(selectors=("vision",)),),
        base={"checkpoint_every": 2, "validate_every": 3, "keep": 3},
    )
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "run", "base", observer=StopAt(4))
    return spec, tmp_path / "run"


def change(path: Path, pattern: str, replacement: str) -> None:
    """Change the first place of a text file that a pattern matches."""
    text, count = re.subn(pattern, replacement, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r'"step": 4', '"step": 5'),
        (r'"step": 4', '"step": 6'),
        (r'"score": \[\s*-', '"score": ['),
        (r'"streams.vision', '"streams.vjsion'),
        (r'"texts": \d', '"texts": 9'),
        (r'"format": 2', '"format": 1'),
        (r'"sha256": "(?=[0-9a-f]{64}"\s*}\s*$)', '"sha257": "'),
    ],
)
def test_a_damaged_state_is_passed_over(
    stopped: tuple[Spec, Path], tmp_path: Path, pattern: str, replacement: str
) -> None:
    spec, folder = stopped
    change(folder / "base" / STATE, pattern, replacement)
    train(spec, folder, "base")
    assert [event["step"] for event in events(folder, "base", "start")] == [0, 3]
    [said] = [text for text in notices(folder, "base") if "is not used" in text]
    assert "step-00000004" in said


def test_a_bit_flip_anywhere_is_seen(stopped: tuple[Spec, Path]) -> None:
    _, folder = stopped
    path = folder / "base" / STATE
    whole = path.read_bytes()
    state = read_checkpoint(path.parent).state
    for place in range(0, len(whole), 97):
        for bit in range(8):
            path.write_bytes(
                whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :]
            )
            try:
                assert read_checkpoint(path.parent).state == state  # in white space
            except CheckpointError as problem:
                assert "\n" not in str(problem)


def test_the_state_of_another_step(stopped: tuple[Spec, Path]) -> None:
    _, folder = stopped
    steps = folder / "base/checkpoints"
    (steps / "step-00000004").rename(steps / "step-00000009")
    with pytest.raises(DamageError, match="is the state of step 4"):
        read_checkpoint(steps / "step-00000009")


def test_a_state_that_an_earlier_version_wrote(stopped: tuple[Spec, Path]) -> None:
    """It has no digest; what its frozen tensors should be is compared before it is used."""
    spec, folder = stopped
    for path in folder.glob("base/checkpoints/*/state.json"):
        state = json.loads(path.read_text())
        del state["sha256"], state["vocabulary"]
        # It took the hash of other keys.
        state["spec_hash"] = "0" * 64
        if "00000004" in str(path):
            name = next(iter(state["frozen"]))
            state["frozen"][name] = "0" * 64
        path.write_text(json.dumps(state | {"format": 1}))
    (folder / "base/tokenizer.special.json").unlink()
    train(spec, folder, "base")
    assert [event["step"] for event in events(folder, "base", "start")] == [0, 3]
    [said] = [text for text in notices(folder, "base") if "is not used" in text]
    assert "frozen tensors are not those of the job's start" in said
    result = read_result(folder / "base")
    assert result is not None and result.spec_hash == spec.hash
    assert train(spec, folder, "base").skipped == ("base",)


def test_the_tokens_of_a_damaged_tokenizer_are_made_again(
    stopped: tuple[Spec, Path], tmp_path: Path
) -> None:
    spec, folder = stopped
    train(spec, tmp_path / "whole", "base")
    path = folder / "base/tokenizer.json"
    whole = path.read_bytes()
    vocabulary = json.loads(whole)["model"]["vocab"]
    first, second = list(vocabulary)[10:12]
    swapped = whole.replace(f'"{first}"'.encode(), b'"\0"').replace(
        f'"{second}"'.encode(), f'"{first}"'.encode()
    )
    path.write_bytes(swapped.replace(b'"\0"', f'"{second}"'.encode()))
    train(spec, folder, "base")
    assert path.read_bytes() == whole
    assert any("not what was written" in text for text in notices(folder, "base"))
    assert last_bytes(folder, "base", 6) == last_bytes(tmp_path / "whole", "base", 6)


@pytest.mark.parametrize("damage", ["delete", "empty", "cut"])
def test_a_tokenizer_of_other_texts_is_refused(
    stopped: tuple[Spec, Path], monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    spec, folder = stopped
    path = folder / "base/tokenizer.json"
    whole = path.read_bytes()
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else whole[:-30])
    learned = Tokenizer.learned
    monkeypatch.setattr(
        Tokenizer, "learned", lambda texts, size: learned(["quite other words"], size)
    )
    with pytest.raises(JobError, match="has other tokens than job `base` was trained with"):
        train(spec, folder, "base")


def test_a_flipped_figure_of_a_result(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    for name in ("base", "exam"):
        change(finished_run / name / "result.json", r'(accuracy": 0\.\d)\d?', r"\g<1>99")
        with pytest.raises(DamageError, match="is not what was written"):
            read_result(finished_run / name)
    checkpoint = last_bytes(finished_run, "base", 6)
    run = train(tiny_spec(), finished_run)
    assert run.skipped == ("vqa",)
    assert last_bytes(finished_run, "base", 6) == checkpoint
    for name in ("base", "exam"):
        assert read_result(finished_run / name) is not None


def test_best_json_with_the_path_of_another_checkpoint(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    best = finished_run / "base/best.json"
    whole = best.read_text()
    change(best, r"step-0000000\d", "step-00000001")
    train(tiny_spec(), finished_run)
    assert best.read_text() == whole
