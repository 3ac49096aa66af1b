"""Questions of easy-VQA as captions."""

import json
from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source
from renaissance.runtime.formats.easy_vqa import reader
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs

SOURCE = Source(name="easy_vqa", max_unreadable=0.01)


def test_captions_are_questions_with_their_answers(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    questions = [["is it red?", "no", 3], ["what color is it?", "blue", 3]]
    (tmp_path / "test" / "questions.json").write_text(json.dumps(questions))
    table = reader.read(EasyVqaPairs(root=str(tmp_path), split="test"), SOURCE)
    assert table.texts.to_pylist() == ["is it red? no", "what color is it? blue"]
    assert table.path(0) == str(tmp_path / "test" / "images" / "3.png")
    with pytest.raises(DataError, match="has no answers"):
        table.answers()


def test_captions_without_images_stand_beside_one(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    questions = [["is it red?", "no", 3], ["what color is it?", "blue", 4]]
    (tmp_path / "test" / "questions.json").write_text(json.dumps(questions))
    block = EasyVqaPairs(root=str(tmp_path), split="test", answers="named", image="none")
    table = reader.read(block, SOURCE)
    assert table.texts.to_pylist() == ["what color is it? blue"]
    whole = reader.read(block.model_copy(update={"answers": "all"}), SOURCE)
    assert set(whole.image_of_row) == {0} and len(whole.images) == 1
