"""A run that goes on over other data says so, and does not compare what was measured on both."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError
from renaissance.runtime.data import job_data
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from tests.runs import StopAt, notices, train

Make = Callable[..., Spec]
LEARN, SELECT = "to learn from are not those", "the best checkpoint is chosen anew"
KEYS = {"steps": 6, "checkpoint_every": 2, "validate_every": 1}


@pytest.fixture
def experiment(tiny_spec: Make, vqa_root: Path, tmp_path: Path) -> tuple[Spec, Path]:
    """A spec whose data may be changed, and the file to change."""
    import shutil

    root = tmp_path / "data"
    shutil.copytree(vqa_root, root)
    spec = tiny_spec(base=KEYS)
    spec = spec.model_copy(update={"data": {"pairs": EasyVqaPairs(root=str(root))}})
    return spec, root / "train" / "questions.json"


def changed(file: Path, change: Callable[[list[Any]], list[Any]]) -> None:
    file.write_text(json.dumps(change(json.loads(file.read_text()))))


def stopped(spec: Spec, folder: Path) -> None:
    with pytest.raises(InterruptionError):
        train(spec, folder, "base", observer=StopAt(3))


def test_the_same_data_are_not_mentioned(experiment: tuple[Spec, Path], tmp_path: Path) -> None:
    spec, _ = experiment
    stopped(spec, tmp_path / "run")
    train(spec, tmp_path / "run", "base")
    told = notices(tmp_path / "run", "base")
    assert not any(LEARN in text or SELECT in text for text in told)


def test_other_texts_are_a_notice(experiment: tuple[Spec, Path], tmp_path: Path) -> None:
    spec, file = experiment
    stopped(spec, tmp_path / "run")
    state = tmp_path / "run/base/checkpoints/step-00000003/state.json"
    before = json.loads(state.read_text())
    assert set(before["data"]) == {"train", "validation"} and before["best"] is not None
    changed(file, lambda rows: [[f"{text} indeed", answer, n] for text, answer, n in rows])
    train(spec, tmp_path / "run", "base")
    told = notices(tmp_path / "run", "base")
    assert any(LEARN in text for text in told) and any(SELECT in text for text in told)
    best = json.loads((tmp_path / "run/base/best.json").read_text())
    assert best["step"] > 3
    assert (tmp_path / "run/base" / best["path"]).is_dir()


def test_what_a_digest_depends_on(experiment: tuple[Spec, Path], tmp_path: Path) -> None:
    spec, file = experiment
    whole = file.read_text()
    first = job_data(spec, "base").digests

    def digests(change: Callable[[list[Any]], list[Any]]) -> dict[str, str]:
        file.write_text(whole)
        changed(file, change)
        return job_data(spec, "base").digests

    assert digests(list) == first
    assert digests(lambda rows: rows[::-1]) != first
    assert digests(lambda rows: [[t, a, (n + 1) % 16] for t, a, n in rows]) != first
    moved = tmp_path / "moved"
    file.write_text(whole)
    file.parent.parent.rename(moved)
    other = spec.model_copy(update={"data": {"pairs": EasyVqaPairs(root=str(moved))}})
    assert job_data(other, "base").digests == first
