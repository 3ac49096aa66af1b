"""Retrieval from the published layout to a file of scores, and back to the same figures."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from renaissance.compiler.step import Objectives
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from tests.published import write_karpathy
from tests.runs import notices, run_in_two, train
from tests.tiny import tiny_model


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run, and what it read."""

    root: Path
    spec: Spec
    folder: Path

    def metrics(self, job: str) -> dict[str, float]:
        found: dict[str, float] = json.loads((self.folder / job / "result.json").read_text())[
            "metrics"
        ]
        return found

    def scores(self, job: str) -> np.ndarray:
        found: np.ndarray = np.load(self.folder / f"{job}.npz")["scores"]
        return found


def spec_of(root: Path, *, task: dict[str, Any] | None = None, **model: Any) -> Spec:
    """Learn a few steps, and measure in passes of several sizes."""
    learn = Finetune(
        name="learn",
        on="tiny",
        task=Retrieval(root=str(root), max_unreadable=Share(0.3), **(task or {})),
        optimizer=AdamW(lr=2e-3),
        batch=8,
        micro_batch=4,
        steps=3,
    )
    exams = {
        name: Evaluate(name=name, of="learn", split=split, batch=batch, write=f"{name}.npz")
        for name, split, batch in (("exam", "test", 64), ("by_three", "test", 3), ("val", "val", 8))
    }
    tiny = tiny_model(dropout=0.0, text={"vocabulary": 200, "max_tokens": 40}, **model)
    return Spec(models={"tiny": tiny}, jobs={"learn": learn, **exams})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    home = tmp_path_factory.mktemp("retrieval")
    root = write_karpathy(home / "data")
    (root / "val2014/COCO_val2014_000000001016.jpg").write_bytes(b"<html>not found</html>")
    spec, folder = spec_of(root), home / "run"
    train(spec, folder)
    return Trained(root=root, spec=spec, folder=folder)


def test_a_file_of_scores_measures_what_the_evaluation_does(trained: Trained) -> None:
    task = Retrieval(root=str(trained.root))
    for job, split, rows in (("exam", "test", 31), ("val", "val", 20)):
        found = score(task, trained.folder / f"{job}.npz", split)
        assert found.metrics == pytest.approx(trained.metrics(job)) and found.rows == rows
    assert {"text_r@1", "text_r@5", "text_r@10", "image_r@1"} <= trained.metrics("exam").keys()


def test_every_pair_is_scored_but_those_of_images_that_cannot_be_read(trained: Trained) -> None:
    scores = trained.scores("exam")
    assert scores.shape == (6, 31)
    unread = np.isneginf(scores).all(axis=1)
    assert unread.tolist() == [False, False, True, False, False, False]
    assert np.isfinite(scores[~unread]).all() and len(np.unique(scores[~unread])) > 30
    metrics = trained.metrics("exam")
    assert metrics["text_scored"] == pytest.approx(5 / 6)
    assert metrics["image_scored"] == pytest.approx(26 / 31)
    assert metrics["image_r@10"] == metrics["image_scored"]
    sentence = "5 images and 26 distinct texts were encoded once each; all 155 pairs were scored"
    assert sentence in notices(trained.folder, "exam")
    assert any(
        "5 rows of `test` have an image that cannot" in t for t in notices(trained.folder, "exam")
    )


def test_figures_have_intervals_over_images(trained: Trained) -> None:
    result = json.loads((trained.folder / "exam/result.json").read_text())
    for name in ("text_r@5", "image_r@5", "image_mean_rank"):
        low, high = result["intervals"][name]
        assert low <= result["metrics"][name] <= high and low < high
    assert result["chance"]["image_r@1"] == pytest.approx(1 / 6)  # one of the six images
    assert set(result["chance"]) == set(result["metrics"]) - {"loss", "text_scored", "image_scored"}


def test_batches_and_processes_change_nothing(trained: Trained, tmp_path: Path) -> None:
    assert trained.scores("by_three") == pytest.approx(trained.scores("exam"), abs=1e-6)
    assert trained.metrics("by_three") == pytest.approx(trained.metrics("exam"))
    folder = Path(shutil.copytree(trained.folder, tmp_path / "run"))
    shutil.rmtree(folder / "by_three")
    (folder / "by_three.npz").unlink()
    run_in_two(trained.spec, folder, "by_three")
    assert (folder / "by_three.npz").read_bytes() == (trained.folder / "by_three.npz").read_bytes()
    two = json.loads((folder / "by_three/result.json").read_text())["metrics"]
    assert two == pytest.approx(trained.metrics("exam"))


def test_images_and_texts_are_encoded_once(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(trained.folder, tmp_path / "run"))
    images, texts = [], []
    of_images, of_texts = Objectives.encode_images, Objectives.encode_texts

    def count_images(self: Objectives, given: Any) -> Any:
        assert isinstance(given, Tensor)
        images.append(len(given))
        return of_images(self, given)

    def count_texts(self: Objectives, given: Any) -> Any:
        found = of_texts(self, given)
        texts.append(found.rows)
        return found

    monkeypatch.setattr(Objectives, "encode_images", count_images)
    monkeypatch.setattr(Objectives, "encode_texts", count_texts)
    train(trained.spec, folder, "by_three", again=True)
    assert sum(images) == 5 and sum(texts) == 26


def test_the_best_by_a_cheaper_score(trained: Trained, tmp_path: Path) -> None:
    """With as many candidates as there are, nothing is lost; means of all tokens are the image."""
    found = {}
    for name, best, coarse in (("all", "all", 4), ("many", 1000, 1), ("few", 10, 1)):
        folder = tmp_path / name
        train(spec_of(trained.root, task={"best": best, "coarse": coarse}), folder, "learn", "exam")
        found[name] = np.load(folder / "exam.npz")["scores"]
    assert found["many"] == pytest.approx(found["all"], abs=1e-6)
    few = np.isfinite(found["few"])
    assert 0 < few.sum() < few.size and (few.sum(axis=1)[[0, 1, 3, 4, 5]] >= 10).all()
    assert found["few"][few] == pytest.approx(found["all"][few], abs=1e-6)
    assert any("are among the best 10 of" in text for text in notices(tmp_path / "few", "exam"))
    folder = tmp_path / "few"
    shutil.rmtree(folder / "exam")
    run_in_two(spec_of(trained.root, task={"best": 10, "coarse": 1}), folder, "exam")
    assert np.load(folder / "exam.npz")["scores"] == pytest.approx(found["few"], abs=1e-6)


def test_kept_features_change_nothing(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "run"
    plain, kept = (
        spec_of(trained.root, freeze=(Freeze(selectors=("vision", "text"), cache=cache),))
        for cache in (False, True)
    )
    train(plain, folder, "learn", "exam")
    before = np.load(folder / "exam.npz")["scores"]
    # Once they are computed and kept, and once they are read.
    for _ in range(2):
        train(kept, folder, "exam", again=True)
        assert np.load(folder / "exam.npz")["scores"] == pytest.approx(before, abs=1e-6)
        assert any("features of `vision`" in text for text in notices(folder, "exam"))
