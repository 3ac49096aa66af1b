"""VQA v2 from its published layout to its official files, and back to the same figures."""

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
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.vqav2.metric import accuracy
from renaissance.runtime.tasks.vqav2.result import UNREADABLE
from renaissance.runtime.tasks.vqav2.schema import Vqav2
from tests.published import write_vqav2
from tests.runs import notices, run_in_two, train
from tests.tiny import tiny_model


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run, and what it read."""

    root: Path
    spec: Spec
    folder: Path

    def result(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / job / "result.json").read_text())
        return found

    def metrics(self, job: str) -> dict[str, float]:
        found: dict[str, float] = self.result(job)["metrics"]
        return found

    def written(self, job: str) -> dict[int, str]:
        entries = json.loads((self.folder / f"{job}.json").read_text())
        assert all(entry.keys() == {"question_id", "answer"} for entry in entries)
        return {entry["question_id"]: entry["answer"] for entry in entries}


def spec_of(root: Path, **model: Any) -> Spec:
    """Learn a few steps, and measure and predict in batches of several sizes."""
    task = Vqav2(root=str(root), min_count=6, answers=12, max_unreadable=Share(0.2))
    learn = Finetune(
        name="learn", on="tiny", task=task, optimizer=AdamW(lr=5e-3), batch=8, steps=12
    )
    exams = {
        name: Evaluate(name=name, of="learn", split=split, batch=batch, write=f"{name}.json")
        for name, split, batch in (
            ("val", "val", 20),
            ("by_three", "val", 3),
            ("test", "test", 5),
            ("test_dev", "test_dev", 5),
        )
    }
    return Spec(models={"tiny": tiny_model(dropout=0.0, **model)}, jobs={"learn": learn, **exams})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    home = tmp_path_factory.mktemp("vqav2")
    root = write_vqav2(home / "data")
    (root / "val2014/COCO_val2014_000000000021.jpg").write_bytes(b"<html>not found</html>")
    spec, folder = spec_of(root), home / "run"
    train(spec, folder)
    return Trained(root=root, spec=spec, folder=folder)


def test_the_official_file_measures_what_the_evaluation_does(trained: Trained) -> None:
    metrics = trained.metrics("val")
    assert metrics.pop("loss") > 0
    found = score(Vqav2(root=str(trained.root)), trained.folder / "val.json", "val")
    assert found.metrics == pytest.approx(metrics) and found.rows == 20
    assert {"accuracy", "accuracy.yes/no", "accuracy.number", "accuracy.other"} <= metrics.keys()
    assert {"accuracy.is this", "accuracy.what color is"} <= metrics.keys()


def test_figures_are_means_over_questions(trained: Trained) -> None:
    file = trained.root / "v2_mscoco_val2014_annotations.json"
    said = trained.written("val")
    rows = [
        (
            entry["answer_type"],
            accuracy(said[entry["question_id"]], [one["answer"] for one in entry["answers"]]),
        )
        for entry in json.loads(file.read_text())["annotations"]
    ]
    metrics = trained.metrics("val")
    # Something is learned, so that figures are no zeros.
    assert 0 < metrics["accuracy"] < 1
    assert metrics["accuracy"] == pytest.approx(sum(right for _, right in rows) / 20)
    other = [right for kind, right in rows if kind == "other"]
    # Half of them have no answer that can be given, and are there all the same.
    assert len(other) == 10
    assert metrics["accuracy.other"] == pytest.approx(sum(other) / 10)


def test_questions_without_an_image_are_wrong_written_and_named(trained: Trained) -> None:
    said = trained.written("val")
    assert [said[21000 + place] for place in range(4)] == [UNREADABLE] * 4
    assert list(said.values()).count(UNREADABLE) == 4
    assert any(
        "4 rows of `val` have an image that cannot be read and count as wrong: `21000`" in text
        for text in notices(trained.folder, "val")
    )


def test_hidden_splits_are_written_whole_and_not_measured(trained: Trained) -> None:
    test, test_dev = trained.written("test"), trained.written("test_dev")
    every = [image * 1000 + place for image in range(40, 43) for place in range(4)]
    assert list(test) == list(test_dev) == every
    answers = {"2", "gray", "yes", "no"}
    assert set(test.values()) <= answers
    # Of the questions that test-dev does not ask there is no answer; the others have the same.
    assert [test_dev[number] for number in every[:4]] == [""] * 4
    assert all(test_dev[number] == test[number] for number in every[4:])
    for job in ("test", "test_dev"):
        assert trained.metrics(job) == {} and trained.result(job)["samples"]
    for name in ("test", "test-dev"):
        with pytest.raises(DataError, match="is not published, so that nobody can measure it"):
            score(Vqav2(root=str(trained.root)), trained.folder / "test.json", name)


def test_answers_travel_with_the_checkpoint(trained: Trained) -> None:
    states = sorted(trained.folder.glob("learn/checkpoints/*/state.json"))
    assert states
    for state in states:
        assert json.loads(state.read_text())["answers"] == ["2", "gray", "yes", "no"]


def test_batches_and_processes_change_nothing(trained: Trained, tmp_path: Path) -> None:
    assert trained.metrics("by_three") == pytest.approx(trained.metrics("val"), abs=1e-6)
    alone = (trained.folder / "val.json").read_bytes()
    assert (trained.folder / "by_three.json").read_bytes() == alone
    folder = Path(shutil.copytree(trained.folder, tmp_path / "run"))
    shutil.rmtree(folder / "by_three")
    (folder / "by_three.json").unlink()
    run_in_two(trained.spec, folder, "by_three")
    assert (folder / "by_three.json").read_bytes() == alone
    two = json.loads((folder / "by_three/result.json").read_text())["metrics"]
    assert two == pytest.approx(trained.metrics("val"), abs=1e-6)


def test_kept_features_change_nothing(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = []
    for cache in (False, True):
        frozen = (Freeze(selectors=("vision", "text"), cache=cache),)
        folder = tmp_path / f"kept-{cache}"
        train(spec_of(trained.root, freeze=frozen), folder)
        files.append([(folder / name).read_bytes() for name in ("val.json", "test.json")])
        assert any("features of `vision`" in text for text in notices(folder, "val")) == cache
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[", "it is no JSON"),
        ("{}", "it is no list"),
        ("[3]", "entry 1 has no whole number"),
        ('[{"question_id": "20000", "answer": "a"}]', "entry 1 has no whole number"),
        ('[{"question_id": 20000, "answer": 3}]', "entry 1 has no whole number"),
        ('[{"question_id": 1, "answer": "a"}]', "entry 1 is about `1`, no row of `val`"),
        (
            "[%s, %s]" % (('{"question_id": 20000, "answer": "a"}',) * 2),
            "entry 2 is about .* again",
        ),
        ("[]", "nothing about 20 of the 20 rows of `val`: `20000`, `20001`, `20002` and 17 more"),
    ],
)
def test_a_wrong_file_is_one_sentence(
    trained: Trained, tmp_path: Path, content: str, problem: str
) -> None:
    file = tmp_path / "said.json"
    file.write_text(content)
    with pytest.raises(DataError, match=problem) as error:
        score(Vqav2(root=str(trained.root)), file, "val")
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def test_any_answer_can_be_measured_not_only_those_that_a_model_gives(
    trained: Trained, tmp_path: Path
) -> None:
    file = tmp_path / "said.json"
    entries = [
        {"question_id": image * 1000 + place, "answer": answer}
        for image in range(20, 25)
        for place, answer in enumerate(("Yes", "TWO", "T - shirt Gray", f"Word {image}"))
    ]
    file.write_text(json.dumps(entries))
    found = score(Vqav2(root=str(trained.root)), file, "val").metrics
    assert found["accuracy.number"] == found["accuracy.what color is"] == 1.0
    assert found["accuracy.what is"] == 1.0
