"""Figures about the data of a job, and the command that prints them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from renaissance.cli import main
from renaissance.grammar.canonical import print_spec
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.summary import Example, Lengths, splits_of, summarise
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.tasks.classify.schema import Classify
from tests.exams import draw, exam_spec

MakeSpec = Callable[..., Spec]


def test_figures_of_a_task(finetuning: MakeSpec, nlvr_folder: Path) -> None:
    spec = finetuning()
    assert splits_of(spec, "learn") == ("train", "validation", "test")
    train, validation, test = summarise(spec, "learn")
    assert (train.texts, train.images, train.answers) == (72, 72, {"false": 36, "true": 36})
    assert (test.texts, test.answers, test.unknown) == (18, {"false": 12, "true": 6}, 0)
    assert train.lengths[0] == Lengths(unit="words", least=7, median=7, most95=7, most=7)
    assert train.lengths[1].unit == "tokens" and train.lengths[1].least >= 10
    assert train.unreadable is None and train.cut == 0
    path = nlvr_folder / "test" / "images" / "4" / "test-0-0-0.png"
    expected = Example(images=(str(path),), text="There is a tower with 0 blocks.", answer="false")
    assert test.examples[0] == expected and len(test.examples) == 3
    assert validation.split == "validation"
    assert [summary.split for summary in summarise(spec, "measure")] == ["test"]


def test_a_scan_names_what_cannot_be_read(finetuning: MakeSpec, nlvr_folder: Path) -> None:
    bad = nlvr_folder / "test" / "images" / "4" / "test-0-1-2.png"
    bad.write_text("no image")
    (summary,) = summarise(finetuning(), "measure", scan=True)
    assert summary.unreadable == ((str(bad), "not an image"),)


@pytest.fixture
def spec_file(pretraining: MakeSpec, captions: Path) -> Path:
    text = print_spec(pretraining(objectives=(Itm(),), batch=4, epochs=1))
    path = captions.parent / "mine.vl"
    path.write_text(text.replace("max_tokens = 16", "max_tokens = 6"), encoding="utf-8")
    return path


def test_the_command_prints_every_split(
    spec_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", f"{spec_file}:base"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "base: train\n" in printed.out and "base: validation\n" in printed.out
    assert "about 38 images" in printed.out  # two of 40 are held out
    assert "texts longer than 6 tokens" in printed.out
    assert "a red thing, number 0 of many unforgettable things" in printed.out


def test_the_command_as_json_and_with_a_scan(
    spec_file: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (captions.parent / "images" / "8.png").unlink()
    assert main(["data", str(spec_file), "--scan", "--format", "json"]) == 1
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    (job,) = document["jobs"]
    train, validation = job["splits"]
    assert train["images"] + validation["images"] == 40
    unreadable = train["unreadable"] + validation["unreadable"]
    assert unreadable == [[str(captions.parent / "images" / "8.png"), "missing"]]
    beyond = "more than 1% of the 40 images of `pairs` cannot be read"
    assert train["refused"] + validation["refused"] in ([beyond], [beyond, beyond])


def test_a_scan_tells_what_jobs_bear(
    spec_file: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (captions.parent / "images" / "8.png").unlink()
    text = spec_file.read_text()
    for share, judged in (("1%", "  refused     more than 1%"), ("5%", "  bearable  ")):
        assert "max_unreadable = 1%" in text
        spec_file.write_text(text.replace("max_unreadable = 1%", f"max_unreadable = {share}"))
        assert main(["data", str(spec_file), "--scan"]) == 1
        printed = capsys.readouterr().out
        assert judged in printed and "  unreadable  1 of 38 images" in printed


@pytest.mark.parametrize(
    ("job", "content", "expected"),
    [
        (":bsae", None, "there is no job `bsae`; jobs are `base`"),
        ("", "file,text\na,b\n", "has no column `image`"),
        ("", "", "is empty"),
    ],
)
def test_the_command_says_what_is_wrong(
    spec_file: Path,
    captions: Path,
    capsys: pytest.CaptureFixture[str],
    job: str,
    content: str | None,
    expected: str,
) -> None:
    if content is not None:
        table = captions.with_suffix(".csv")
        table.write_text(content)
        spec_file.write_text(spec_file.read_text().replace(str(captions), str(table)))
    assert main(["data", f"{spec_file}{job}"]) == 2
    printed = capsys.readouterr()
    assert expected in printed.err and "Traceback" not in printed.err
    assert printed.out == ""


def test_rows_without_texts_are_not_measured_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(8):
        draw(tmp_path / f"set/{'ab'[number % 2]}/{number}.png", (number * 20, 1, 2))
    task = Classify(train=str(tmp_path / "set"), classes=2, validation=Share(0.25))
    file = tmp_path / "mine.vl"
    file.write_text(print_spec(exam_spec(task)), encoding="utf-8")
    assert main(["data", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "  no texts    6 rows about 6 images\n" in printed
    assert "words" not in printed and "tokens" not in printed and "  example     -> a  (" in printed
