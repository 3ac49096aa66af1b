"""GLUE in its published files."""

import shutil
from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.tasks.glue.layout import LAYOUTS
from renaissance.runtime.tasks.glue.reader import read
from renaissance.runtime.tasks.glue.schema import Glue
from tests.published import published_samples
from tests.published_glue import FIRST, sentence


def split_of(root: Path, task: str, file: str) -> Table:
    block = Glue.model_validate({"root": str(root), "subtask": task})
    return read(block, Source(name=f"glue {file}", max_unreadable=0.01), file)


@pytest.mark.parametrize("task", LAYOUTS)
def test_every_split_of_every_task(glue_root: Path, task: str) -> None:
    layout = LAYOUTS[task]
    for file in [*layout.train, *layout.tests]:
        if file == "diagnostic_full":
            continue
        table = split_of(glue_root, task, file)
        assert table.incomplete == 0
        first = number_of_first(task, file)
        assert table.texts[0].as_py() == sentence(first)
        if len(layout.texts) == 2:
            assert table.seconds is not None
            assert table.seconds[0].as_py().endswith(sentence(table_second(task, file, first)))
        assert table.column("id").to_pylist() == [str(n) for n in range(len(table))]
        assert table.has_answers == (file in layout.train and bool(layout.classes))
        if table.has_answers:
            assert set(table.answers()) == set(layout.classes)
    sizes = [len(split_of(glue_root, task, file)) for file in [*layout.train][:2]]
    assert sizes == [16, 9]


def number_of_first(task: str, file: str) -> int:
    """The number of the first sentence of a part."""
    if task == "mrpc" and file != "test":
        return 1 if file == "train" else 0  # each third one is in `dev`
    diagnostic = file == "diagnostic" or (task == "ax" and file == "test")
    return FIRST["train" if diagnostic else file.partition("_")[0]]


def table_second(task: str, file: str, first: int) -> int:
    """The number of the second sentence of the first row."""
    diagnostic = file == "diagnostic" or (task == "ax" and file == "test")
    return first + (2 if diagnostic else 5)


def test_numbers_are_numbers(glue_root: Path) -> None:
    scores = split_of(glue_root, "stsb", "dev").column("score").to_pylist()
    assert scores == [float(n % 6) for n in range(9)]


def test_lines_that_are_too_short_are_counted(glue_root: Path, tmp_path: Path) -> None:
    shutil.copytree(glue_root / "QQP", tmp_path / "QQP")
    for split in ("train", "test"):
        file = tmp_path / f"QQP/{split}.tsv"
        lines = file.read_text().splitlines()
        file.write_text("\n".join([*lines[:3], "402555\t536040", *lines[3:]]) + "\n")
    table = split_of(tmp_path, "qqp", "train")
    assert (len(table), table.incomplete) == (16, 1)
    assert table.column("id").to_pylist()[:4] == ["0", "1", "3", "4"]
    with pytest.raises(DataError, match=r"line 4 of `.*test.tsv` is too short"):
        split_of(tmp_path, "qqp", "test")


def test_what_is_wrong_is_named(glue_root: Path, tmp_path: Path) -> None:
    shutil.copytree(glue_root, tmp_path, dirs_exist_ok=True)
    (tmp_path / "RTE/dev.tsv").write_text("index\tsentence1\tsentence2\tlabel\n0\ta\tb\tmaybe\n")
    with pytest.raises(DataError, match=r"line 2 of .* has the label `maybe`, none of entailment"):
        split_of(tmp_path, "rte", "dev")
    (tmp_path / "CoLA/dev.tsv").write_text("gj04\t2\t\ta sentence\n")
    with pytest.raises(DataError, match=r"line 1 of .* has the label `2`, none of 0, 1"):
        split_of(tmp_path, "cola", "dev")
    (tmp_path / "STS-B/dev.tsv").write_text("sentence1\tsentence2\tscore\na\tb\t7\n")
    with pytest.raises(DataError, match=r"line 2 of .* has the score `7`, none of 0 to 5"):
        split_of(tmp_path, "stsb", "dev")
    (tmp_path / "QNLI/dev.tsv").write_text("index\tquestion\tlabel\n")
    with pytest.raises(DataError, match="has no column `sentence`; its columns are index, ques"):
        split_of(tmp_path, "qnli", "dev")
    (tmp_path / "MRPC/mrpc_dev_ids.tsv").unlink()
    with pytest.raises(DataError, match=r"mrpc_dev_ids.tsv` does not exist; it says which rows"):
        split_of(tmp_path, "mrpc", "train")
    with pytest.raises(DataError, match=r"train.tsv` does not exist; `root` holds a folder for"):
        split_of(tmp_path / "RTE", "rte", "train")


def test_the_labelled_diagnostic_set(glue_root: Path, tmp_path: Path) -> None:
    shutil.copytree(glue_root / "MNLI", tmp_path / "MNLI")
    (tmp_path / "diagnostic").mkdir()
    (tmp_path / "diagnostic/diagnostic-full.tsv").write_text(
        "Lexical Semantics\tLogic\tPremise\tHypothesis\tLabel\n\t\tone\ttwo\tneutral\n"
    )
    table = split_of(tmp_path, "ax", "diagnostic_full")
    assert (table.texts[0].as_py(), table.answers()) == ("one", ["neutral"])


def test_published_rows() -> None:
    samples = published_samples("glue")
    table = split_of(samples, "mrpc", "dev")
    assert table.seconds is not None
    assert table.answers()[:2] == ["equivalent", "not_equivalent"]
    assert table.seconds[0].as_py().startswith('" The foodservice pie business')
    assert len(table) == len((samples / "MRPC/dev.tsv").read_text().splitlines()) - 1
    scores = split_of(samples, "stsb", "dev").column("score")
    assert scores[0].as_py() == 5.0
