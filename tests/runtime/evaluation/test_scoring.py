"""Files of predictions without a model, of tasks that have no file of their own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renaissance.grammar.composition.one_task import read_task as read_task_of
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import optional_facet, schema, words
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.vocabulary import keys_of, spelling_of
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.reading import read_task
from renaissance.runtime.data.targets import Classes
from renaissance.runtime.evaluation.intervals import of_mean
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.tasks.easy_vqa import reader
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa
from renaissance.runtime.tasks.entries import json_lines
from tests.kinds.amount.schema import Amount
from tests.kinds.candidates.schema import AmongCandidates
from tests.runs import train
from tests.tiny import tiny_experiment


def answers(root: Path) -> list[str]:
    questions = json.loads((root / "test/questions.json").read_text())
    return [answer for _, answer, _ in questions]


def written(folder: Path, said: dict[Any, Any]) -> Path:
    file = folder / "said.jsonl"
    lines = [json.dumps({"id": row, "prediction": word, "sure": 1}) for row, word in said.items()]
    file.write_text("\n".join(lines) + "\n\n")
    return file


def test_rows_without_names_are_known_by_their_numbers(vqa_root: Path, tmp_path: Path) -> None:
    said: dict[int, str | None] = dict(enumerate(answers(vqa_root)))
    task = EasyVqa(root=str(vqa_root))
    found = score(task, written(tmp_path, said), "test")
    assert (found.task, found.split, found.rows) == ("easy_vqa", "test", 32)
    assert found.metrics == dict.fromkeys(("accuracy", "accuracy.color", "accuracy.yes/no"), 1.0)
    # Neither an answer that nobody gives nor none at all is right, whatever comes first.
    said |= {0: "purple", 5: None}
    turned = dict(reversed(said.items()))
    found = score(task, written(tmp_path, turned), "test")
    assert found.metrics == {
        "accuracy": 30 / 32,
        "accuracy.color": 7 / 8,
        "accuracy.yes/no": 23 / 24,
    }


def number_by_themselves(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let a task have classes of its own, which its targets number without asking."""
    monkeypatch.setattr(reader, "answers", lambda block, train: names)
    monkeypatch.setattr(
        reader, "targets", lambda block, table, answers: Classes.named(table.answers(), names)
    )


def test_classes_of_a_task_have_its_own_numbers(
    vqa_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = answers(vqa_root)
    number_by_themselves(monkeypatch, "of no row", *sorted(set(right), reverse=True))
    task = EasyVqa(root=str(vqa_root))
    said = dict(enumerate(right)) | {0: "above all", 1: None}
    assert score(task, written(tmp_path, said), "test").metrics["accuracy"] == 30 / 32
    of_one = dict.fromkeys(range(32), right[5])
    found = score(task, written(tmp_path, of_one), "test").metrics["accuracy"]
    assert found == right.count(right[5]) / 32


def test_what_an_evaluation_writes_is_worth_what_it_measures(
    vqa_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_experiment(vqa_root, vqa={"source": None})
    exam = Evaluate(name="exam", of="vqa", write="said.jsonl")
    run = train(spec.model_copy(update={"jobs": {"vqa": spec.jobs["vqa"], "exam": exam}}), tmp_path)
    found = score(EasyVqa(root=str(vqa_root)), tmp_path / "said.jsonl", "test")
    assert found.metrics["accuracy"] == run.results[1].metrics["accuracy"]
    questions = json.loads((vqa_root / "train/questions.json").read_text())
    number_by_themselves(monkeypatch, *sorted({answer for _, answer, _ in questions}))
    again = score(EasyVqa(root=str(vqa_root)), tmp_path / "said.jsonl", "test")
    assert again.metrics == found.metrics


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 33 is no JSON object with `id` and `prediction`"),
        ("3", "line 33 is no JSON object"),
        ('{"id": 40}', "line 33 is no JSON object"),
        ('{"id": 1, "prediction": true}', "line 33 has a `prediction` that is neither"),
        ('{"id": 1.5, "prediction": "a"}', "line 33 has an `id` that is neither"),
        ('{"id": 40, "prediction": ["a"]}', "line 33 has a `prediction` that is neither"),
        ('{"id": 40, "prediction": "a"}', "line 33 is about `40`, no row of `test`"),
        ('{"id": 3, "prediction": "a"}', "line 33 is about `3` again, after line 4"),
        ("\udcff", "line 33 is no UTF-8 text"),
    ],
)
def test_a_wrong_line_is_one_sentence(
    vqa_root: Path, tmp_path: Path, line: str, problem: str
) -> None:
    file = written(tmp_path, dict(enumerate(answers(vqa_root))))
    file.write_bytes(file.read_bytes().rstrip() + b"\n" + line.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match=problem) as error:
        score(EasyVqa(root=str(vqa_root)), file, "test")
    assert str(error.value).startswith(f"`{file}`: ") and "\n" not in str(error.value)


def test_rows_that_are_left_out_are_counted_and_named(vqa_root: Path, tmp_path: Path) -> None:
    file = written(tmp_path, dict(list(enumerate(answers(vqa_root)))[:27]))
    problem = "nothing about 5 of the 32 rows of `test`: `27`, `28`, `29` and 2 more"
    with pytest.raises(DataError, match=problem):
        score(EasyVqa(root=str(vqa_root)), file, "test")


@pytest.mark.parametrize(
    ("split", "problem"),
    [
        ("tset", "easy_vqa has no split `tset`; it has `train`, `test`, `validation`"),
        ("validation", "`validation` of easy_vqa is a share that each job draws for itself"),
    ],
)
def test_splits_that_cannot_be_measured(
    vqa_root: Path, tmp_path: Path, split: str, problem: str
) -> None:
    with pytest.raises(DataError, match=problem):
        score(EasyVqa(root=str(vqa_root)), written(tmp_path, {}), split)


def test_a_file_that_is_not_there(vqa_root: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(DataError, match="cannot be read: "):
            score(EasyVqa(root=str(vqa_root)), path, "test")


def test_numbers_and_places_among_candidates(tmp_path: Path) -> None:
    said: dict[str, Any] = {"d": 3, "c": 2.0, "b": "1", "a": 1}
    file = written(tmp_path, said)
    assert score(AmongCandidates(), file, "train").metrics == {"accuracy": 0.75}
    # Its measure is the mean credit: the negative squared error.
    assert score(Amount(), file, "train").metrics == {"accuracy": -0.25}


@pytest.mark.parametrize(
    ("task", "said", "problem"),
    [
        (Amount(), "many", "line 1 predicts `many`, which is no number"),
        (Amount(), "", "line 1 predicts ``, which is no number"),
        (Amount(), None, "line 1 predicts `None`, which is no number"),
        (Amount(), float("nan"), "line 1 predicts `nan`, which is no number"),
        (AmongCandidates(), 1.5, "line 1 predicts `1.5`, which is no place among candidates"),
        (AmongCandidates(), -1, "line 1 predicts `-1`, which is no place among candidates"),
    ],
)
def test_what_is_no_number_and_no_place(
    tmp_path: Path, task: TaskBlock, said: Any, problem: str
) -> None:
    file = written(tmp_path, {"a": said, "b": 1, "c": 2, "d": 3})
    with pytest.raises(DataError, match=problem):
        score(task, file, "train")


def test_predictions_that_are_no_answer_are_counted_and_named(
    vqa_root: Path, tmp_path: Path
) -> None:
    right = answers(vqa_root)
    task = EasyVqa(root=str(vqa_root))
    assert score(task, written(tmp_path, dict(enumerate(right))), "test").remarks == ()
    said: dict[int, Any] = dict(enumerate(right)) | {3: right[3].upper(), 4: 7, 6: None}
    found = score(task, written(tmp_path, said), "test")
    assert found.metrics["accuracy"] == 29 / 32
    first, second = found.remarks
    assert first.startswith(
        f"2 of 32 predictions are no answer of `test` and count as wrong; the first is "
        f"`{right[3].upper()}` (line 4); there is `{right[3]}`"
    )
    assert second == "1 of 32 rows have no prediction and count as wrong; the first is `6` (line 7)"


def test_a_score_has_the_interval_of_an_evaluation(vqa_root: Path, tmp_path: Path) -> None:
    said: dict[int, Any] = dict(enumerate(answers(vqa_root))) | {0: "purple"}
    task = EasyVqa(root=str(vqa_root))
    found = score(task, written(tmp_path, said), "test")
    table = read_task(task, "test")
    right = np.array([0.0] + [1.0] * 31)
    assert found.intervals.keys() == {"accuracy", "accuracy.color", "accuracy.yes/no"}
    assert found.intervals["accuracy"] == of_mean(right, table.scene_of_row[:, 0])
    low, high = found.intervals["accuracy"]
    assert low < found.metrics["accuracy"] < high


def test_mistakes_about_rows_show_a_line(vqa_root: Path, tmp_path: Path) -> None:
    lines = '{"id": 0, "prediction": "circle"}'
    for said in ({"no": "circle"}, dict(list(enumerate(answers(vqa_root)))[:3])):
        with pytest.raises(DataError) as error:
            score(EasyVqa(root=str(vqa_root)), written(tmp_path, said), "test")
        assert lines in str(error.value) and "counted from 0" in str(error.value)
        assert "the first row of `test` is `0`" in str(error.value)


@pytest.mark.parametrize("word", sorted(words("task")))
def test_the_example_line_of_a_task_is_read(word: str) -> None:
    kind = schema("task", word)
    assert kind is not None and issubclass(kind, TaskBlock)
    line = kind.result_file.line
    if line is None:
        return
    keys = {"root": ".", "task": "sst2"}
    needed = {spelling_of(name, info) for name, info in keys_of(kind).items() if info.is_required()}
    said = {name: value for name, value in keys.items() if name in needed}
    task = read_task_of(word, said, "test")
    parse = getattr(optional_facet(task, "result"), "parse", None)
    content = line.encode()
    [entry] = json_lines(content) if parse is None else parse(task, content)
    assert entry.prediction is not None
