"""The easy-VQA package's own data, and copies of its layout."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source
from renaissance.runtime.tasks.easy_vqa import reader
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa

SOURCE = Source(name="easy_vqa", max_unreadable=0.01)


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_installed_data_are_what_the_package_says(split: str) -> None:
    import easy_vqa

    questions, answers, images = getattr(easy_vqa, f"get_{split}_questions")()
    paths = getattr(easy_vqa, f"get_{split}_image_paths")()
    table = reader.read(EasyVqa(), SOURCE, split)
    assert table.texts.to_pylist() == questions
    assert table.answers() == answers
    assert len(table.images) == len(paths)
    read = [table.path(image) for image in table.image_of_row[:500]]
    assert [Path(path) for path in read] == [Path(paths[image]) for image in images[:500]]
    assert sorted(set(answers)) == sorted(easy_vqa.get_answers())


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "[1]", '[["q", "a"]]', '[["q", "a", "x"]]', '[["q", 1, 1]]', "\0\1", "[[["],
)
def test_bad_questions_are_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "questions.json").write_text(content)
    with pytest.raises(DataError) as error:
        reader.read(EasyVqa(root=str(tmp_path)), SOURCE, "train")
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)


def test_missing_folders(tmp_path: Path, draw_images: Callable[[Path, int], list[Path]]) -> None:
    with pytest.raises(DataError, match="nowhere` does not exist; `root` must hold `train`"):
        reader.read(EasyVqa(root=str(tmp_path / "nowhere")), SOURCE, "train")
    with pytest.raises(DataError, match="no split `train`"):
        reader.read(EasyVqa(root=str(tmp_path)), SOURCE, "train")
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match=r"questions.json` does not exist"):
        reader.read(EasyVqa(root=str(tmp_path)), SOURCE, "train")


@pytest.mark.parametrize(("split", "images", "known"), [("train", 4000, 3578), ("test", 1000, 888)])
def test_images_without_questions_show_what_these_tell(split: str, images: int, known: int) -> None:
    asked = reader.read(EasyVqa(), SOURCE, split)
    shown = reader.read(EasyVqa(text="none"), SOURCE, split)
    assert (len(asked.images), len(shown.images)) == (images, known)
    assert set(shown.texts.to_pylist()) == {""}
    kinds = dict(zip(map(shown.path, shown.image_of_row), shown.answers(), strict=True))
    assert len(set(kinds.values())) == EasyVqa(text="none").outputs == 24
    questions = zip(asked.texts.to_pylist(), asked.answers(), asked.image_of_row, strict=True)
    for question, answer, image in questions:
        kind = kinds.get(asked.path(image))
        if kind is not None and answer not in ("yes", "no"):
            assert answer in kind.split(), question


def test_an_image_of_which_questions_do_not_tell_both_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    questions = [
        ["what color is the circle?", "blue", 0],  # says both
        ["what color is the shape?", "blue", 1],
        ["what shape is present?", "circle", 2],
        ["is there a red shape?", "yes", 2],
        ["what shape is present?", "circle", 3],  # contradicts the next one
        ["what shape is present?", "triangle", 3],
        ["what color is the shape?", "red", 3],
    ]
    (tmp_path / "train" / "questions.json").write_text(json.dumps(questions))
    table = reader.read(EasyVqa(root=str(tmp_path), text="none"), SOURCE, "train")
    names = [Path(table.path(image)).name for image in table.image_of_row]
    assert dict(zip(names, table.answers(), strict=True)) == {
        "0.png": "blue circle",
        "2.png": "red circle",
    }
