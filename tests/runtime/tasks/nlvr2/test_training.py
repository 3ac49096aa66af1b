"""NLVR2 from its published layout to its official file, and back to the same figures."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2
from tests.published import write_nlvr2
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


def spec_of(root: Path, **model: Any) -> Spec:
    """Learn a few steps, and measure in batches of several sizes."""
    learn = Finetune(
        name="learn",
        on="tiny",
        task=Nlvr2(root=str(root), max_unreadable=Share(0.1)),
        optimizer=AdamW(lr=2e-3),
        batch=8,
        steps=3,
    )
    exams = {
        name: Evaluate(name=name, of="learn", split=split, batch=batch, write=f"{name}.csv")
        for name, split, batch in (("dev", "dev", 16), ("by_three", "dev", 3), ("test", "test2", 4))
    }
    return Spec(models={"tiny": tiny_model(dropout=0.0, **model)}, jobs={"learn": learn, **exams})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    home = tmp_path_factory.mktemp("nlvr2")
    root = write_nlvr2(home / "data")
    (root / "dev/dev-1-1-img1.png").write_bytes(b"<html>not found</html>")
    spec = spec_of(root)
    folder = home / "run"
    train(spec, folder)
    return Trained(root=root, spec=spec, folder=folder)


def test_the_official_file_measures_what_the_evaluation_does(trained: Trained) -> None:
    for job, split, rows in (("dev", "dev", 16), ("test", "test2", 8)):
        found = score(Nlvr2(root=str(trained.root)), trained.folder / f"{job}.csv", split)
        metrics = trained.metrics(job)
        assert metrics.pop("loss") > 0
        assert found.metrics == pytest.approx(metrics) and found.rows == rows
        assert {"accuracy", "consistency"} <= found.metrics.keys()


def test_rows_without_an_image_are_wrong_written_and_named(trained: Trained) -> None:
    labels = {
        row["identifier"]: row["label"]
        for row in map(json.loads, (trained.root / "nlvr2/data/dev.json").read_text().splitlines())
    }
    said = dict(line.split(",") for line in (trained.folder / "dev.csv").read_text().splitlines())
    assert list(said) == list(labels)
    for name in ("dev-1-1-0", "dev-1-1-1"):
        assert said[name] != labels[name]
    assert any(
        "2 rows of `dev` have an image that cannot be read and count as wrong: "
        "`dev-1-1-0`, `dev-1-1-1`" in text
        for text in notices(trained.folder, "dev")
    )
    right = sum(said[name] == label for name, label in labels.items())
    assert trained.metrics("dev")["accuracy"] == right / 16


def test_batches_and_processes_change_nothing(trained: Trained, tmp_path: Path) -> None:
    assert trained.metrics("by_three") == pytest.approx(trained.metrics("dev"), abs=1e-6)
    alone = (trained.folder / "dev.csv").read_bytes()
    assert (trained.folder / "by_three.csv").read_bytes() == alone
    folder = Path(shutil.copytree(trained.folder, tmp_path / "run"))
    shutil.rmtree(folder / "by_three")
    (folder / "by_three.csv").unlink()
    run_in_two(trained.spec, folder, "by_three")
    assert (folder / "by_three.csv").read_bytes() == alone
    two = json.loads((folder / "by_three/result.json").read_text())["metrics"]
    assert two == pytest.approx(trained.metrics("dev"), abs=1e-6)


def test_kept_features_change_nothing(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = []
    for cache in (False, True):
        frozen = (Freeze(selectors=("vision", "text"), cache=cache),)
        folder = tmp_path / f"kept-{cache}"
        train(spec_of(trained.root, freeze=frozen), folder)
        files.append([(folder / name).read_bytes() for name in ("dev.csv", "test.csv")])
        assert any("features of `vision`" in text for text in notices(folder, "dev")) == cache
    assert files[0] == files[1]
