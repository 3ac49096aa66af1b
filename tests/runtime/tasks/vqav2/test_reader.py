"""VQA v2 in its published layout."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renaissance.grammar.check import check
from renaissance.grammar.source import Source
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.reading import read_task
from renaissance.runtime.data.table import Table
from renaissance.runtime.tasks.vqav2 import reader
from renaissance.runtime.tasks.vqav2.annotations import vocabulary
from renaissance.runtime.tasks.vqav2.schema import Vqav2
from tests.published import published_samples, write_vqav2

QUESTIONS = "v2_OpenEnded_mscoco_{}_questions.json"
ANNOTATIONS = "v2_mscoco_{}_annotations.json"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vqav2(tmp_path_factory.mktemp("vqav2"))


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "vqav2"))


def split(root: Path, name: str, **keys: Any) -> Table:
    return read_task(Vqav2(root=str(root), **keys), name)


@pytest.mark.parametrize(
    ("name", "folder", "rows"),
    [("train", "train2014", 32), ("val", "val2014", 20), ("test", "test2015", 12)],
)
def test_each_question_has_its_image(published: Path, name: str, folder: str, rows: int) -> None:
    table = split(published, name)
    assert len(table) == rows and all(Path(path).is_file() for path in table.paths)
    number = table.column("id")[5].as_py()
    assert table.path(table.image_of_row[5]).endswith(
        f"{folder}/COCO_{folder}_{number // 1000:012d}.jpg"
    )
    assert table.texts[5].as_py() == "How many things are there? "
    assert table.has_answers == (name != "test")


def test_what_is_known_of_a_question(published: Path) -> None:
    row = split(published, "val").rows[2]
    assert row["answers"] == ["gray"] * 5 + ["t-shirt gray"] * 5
    assert (row["answer_type"], row["question_type"]) == ("other", "what color is")
    assert row["answer"] == "gray"


def test_both_annotated_splits_together(published: Path) -> None:
    table = split(published, "train_val")
    assert len(table) == 52 and len(table.images) == 13
    assert table.column("subset").to_pylist() == ["train2014"] * 32 + ["val2014"] * 20


def test_answers_are_the_frequent_ones_most_frequent_first(published: Path) -> None:
    # 13 images: `2` and `gray` are the main answer of 13 questions each, `yes` of 7, `no` of 6.
    task = Vqav2(root=str(published), min_count=6)
    assert vocabulary(task) == ("2", "gray", "yes", "no")
    assert vocabulary(task.model_copy(update={"min_count": 7})) == ("2", "gray", "yes")
    assert vocabulary(task.model_copy(update={"answers": 2})) == ("2", "gray")
    assert vocabulary(task.model_copy(update={"min_count": 14})) == ()
    with pytest.raises(
        DataError, match=r"no answer is the main one of 14 questions .* `min_count`"
    ):
        table = split(published, "train", min_count=14)
        part = Part(file="train", table=table, rows=np.arange(len(table)))
        reader.answers(task.model_copy(update={"min_count": 14}), part)


def test_answers_are_those_of_the_files_that_are_there(root: Path) -> None:
    (root / ANNOTATIONS.format("val2014")).unlink()
    assert vocabulary(Vqav2(root=str(root), min_count=4)) == ("2", "gray", "no", "yes")


def test_credit_is_a_matter_of_how_many_agree(published: Path) -> None:
    table = split(published, "val")
    answers = ("2", "yes", "no", "1", "two", "gray", "t shirt gray")
    rows = np.arange(4)
    raw = reader.targets(Vqav2(root=str(published), answers=7), table, answers).of(rows)
    assert raw[0] == pytest.approx([0, 1, 0.3, 0, 0, 0, 0])
    assert raw[1] == pytest.approx([0.9, 0, 0, 0.9, 1, 0, 0])
    assert raw[2] == pytest.approx([0, 0, 0, 0, 0, 1, 0])
    assert not raw[3].any()
    task = Vqav2(root=str(published), answers=7, credit="normalised")
    alike = reader.targets(task, table, answers).of(rows)
    assert alike[1] == pytest.approx([1, 0, 0, 0.9, 0, 0, 0])
    assert alike[2] == pytest.approx([0, 0, 0, 0, 0, 1, 1])


def test_nothing_is_learned_where_no_answer_can_be_given(published: Path) -> None:
    table = split(published, "train", min_count=6)
    assert table.learnable.tolist() == [True, True, True, False] * 8
    assert table.labelled.all()


def test_missing_files_are_named(root: Path) -> None:
    (root / ANNOTATIONS.format("val2014")).unlink()
    with pytest.raises(
        DataError, match=r"v2_mscoco_val2014_annotations.json` does not exist; `root"
    ):
        split(root, "val")
    (root / QUESTIONS.format("test2015")).unlink()
    with pytest.raises(DataError, match=r"test2015_questions.json` does not exist; the server"):
        split(root, "test_dev")
    with pytest.raises(DataError, match=r"test2015_questions.json` does not exist; `root` holds"):
        split(root, "test")


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        (QUESTIONS, "{", "is no JSON object with `questions`"),
        (QUESTIONS, "[]", "is no JSON object with `questions`"),
        (QUESTIONS, "{}", "is no JSON object with `questions`"),
        (QUESTIONS, '{"questions": 3}', "that are no list"),
        (QUESTIONS, '{"questions": [3]}', "question 1 of .* is no JSON object"),
        (QUESTIONS, '{"questions": [{}]}', "question 1 of .* has no 'question_id'"),
        (
            QUESTIONS,
            '{"questions": [{"question_id": "1", "image_id": 1, "question": "q"}]}',
            "question 1 of .* needs whole numbers",
        ),
        (
            QUESTIONS,
            '{"questions": [%s, %s]}'
            % (('{"question_id": 1, "image_id": 1, "question": "q"}',) * 2),
            "asks question 1 2 times",
        ),
        (QUESTIONS, '{"questions": []}', "holds no text with an image"),
        (ANNOTATIONS, '{"annotations": []}', "has no annotation of question 20000"),
        (ANNOTATIONS, '{"annotations": [[]]}', "annotation 1 of .* is no JSON object"),
        (ANNOTATIONS, '{"annotations": [{"question_id": 1}]}', "annotation 1 of .* no 'answers'"),
        (
            ANNOTATIONS,
            '{"annotations": [{"question_id": 1, "answers": [{"answer": 3}]}]}',
            "annotation 1 of .* needs",
        ),
        (
            ANNOTATIONS,
            '{"annotations": [{"question_id": 1, "answers": [{"answer": "a"}], "answer_type": 3}]}',
            "annotation 1 of .* is no text",
        ),
    ],
)
def test_a_damaged_file_is_one_sentence(root: Path, file: str, content: str, problem: str) -> None:
    (root / file.format("val2014")).write_text(content)
    with pytest.raises(DataError, match=problem) as error:
        split(root, "val")
    assert "\n" not in str(error.value)


def test_types_and_main_answers_may_be_missing(root: Path) -> None:
    file = root / ANNOTATIONS.format("val2014")
    content = json.loads(file.read_text())
    for entry in content["annotations"]:
        for name in ("multiple_choice_answer", "answer_type", "question_type", "image_id"):
            del entry[name]
    file.write_text(json.dumps(content))
    table = split(root, "val")
    assert table.answers()[:4] == ["yes", "two", "gray", "Word 20"]
    assert set(table.column("answer_type").to_pylist()) == {None}


@pytest.mark.parametrize(
    ("keys", "split", "found"),
    [
        ("train = train", "val", []),
        ("train = train_val, validation = 2%", "validation", []),
        ("train = train_val, validation = 2%", "test_dev", []),
        ("train = train_val, validation = 2%", "val", ["VL505"]),
        ("train = train_val", "test", ["VL505"]),
        ("", "test2015", ["VL504"]),
    ],
)
def test_what_is_learned_from_measures_nothing(keys: str, split: str, found: list[str]) -> None:
    text = f"""
model tiny {{
  backbone text   = plain_text {{ layers = 2, width = 64, heads = 4 }}
  backbone vision = plain_vision {{ layers = 2, width = 64, heads = 4 }}
  fusion cross = cross_attention(text, vision)
}}
finetune vqa on tiny {{
  task = vqav2 {{ root = "nowhere/vqa", {keys} }}
  optimizer adamw {{ lr = 1e-3 }}
  batch  = 64
  epochs = 2
}}
evaluate measured of vqa {{ split = {split} }}
"""
    assert [finding.code for finding in check(Source(name="a.vl", text=text))] == found


def test_published_records(tmp_path: Path) -> None:
    folder = published_samples("vqav2")
    for name, place in (
        ("v2_OpenEnded_mscoco_val2014_questions.sample", QUESTIONS.format("val2014")),
        ("v2_mscoco_val2014_annotations.sample", ANNOTATIONS.format("val2014")),
        ("allennlp_questions", QUESTIONS.format("train2014")),
        ("allennlp_annotations", ANNOTATIONS.format("train2014")),
    ):
        shutil.copy(folder / f"{name}.json", tmp_path / place)
    answers = tuple(json.loads((folder / "uniter_ans2label.json").read_text()))
    task = Vqav2(root=str(tmp_path))
    down = reader.targets(task, split(tmp_path, "val"), answers)
    named = {answers[n]: float(c) for n, c in zip(down.classes, down.credits, strict=True)}
    wanted = {"down": 1.0, "at table": 0.3, "skateboard": 0.3, "table": 0.3}
    assert named == pytest.approx(wanted)
    net = reader.targets(task, split(tmp_path, "train"), answers).of(np.arange(3))
    found = [{answers[n]: float(row[n]) for n in np.flatnonzero(row)} for row in net]
    # One of ten each says `netting` and `mesh` too, which cannot be given.
    first = {"net": 1.0, "pitcher": 0.3, "orange": 0.3}
    assert found[0] == pytest.approx(first)
    assert found[1:] == [pytest.approx({"pitcher": 1.0, "catcher": 0.3}), {"orange": 1.0}]
