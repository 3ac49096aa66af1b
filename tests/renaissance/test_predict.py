"""`renaissance predict` as a person uses it."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from renaissance.cli import main
from tests.runs import train
from tests.tiny import tiny_experiment, write_easy_vqa


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and a table beside images."""
    folder = tmp_path_factory.mktemp("predict")
    root = write_easy_vqa(folder / "vqa", train=4, test=4)
    spec = tiny_experiment(root, layers=1, base={"steps": 1}, vqa={"steps": 2})
    train(spec, folder / "run", "base", "vqa")
    (folder / "table.csv").write_text(
        "id,text,image\n"
        "q1,what color is the picture?,vqa/test/images/0.png\n"
        "q2,is the picture red?,missing.png\n"
        "q3,is the picture red?,vqa/test/images/1.png\n"
    )
    return folder


def test_answers_are_printed_and_rows_without_one_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(home / "run"), str(home / "table.csv"), "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["id"] for row in rows] == ["q1", "q2", "q3"]
    assert [row["prediction"] == "" for row in rows] == [False, True, False]
    assert 0 < float(rows[0]["probability"]) <= 1
    assert rows[1]["problem"] == f"`{home / 'missing.png'}`: missing"
    assert "2 of 3 rows answered; `problem` says why others are not\n" in err
    assert "missing.png" not in err


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_files_are_written_as_their_suffix_says(
    home: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"new/answers.{suffix}"
    arguments = ["predict", f"{home / 'run'}:vqa", str(home / "table.csv"), "-o", str(out)]
    assert main([*arguments, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    if suffix == "jsonl":
        assert [json.loads(line) for line in out.read_text().splitlines()] == rows
    elif suffix == "parquet":
        found = pq.read_table(out).to_pylist()
        assert [row["prediction"] for row in found] == [row["prediction"] for row in rows]
    else:
        assert len(list(csv.DictReader(out.read_text().splitlines()))) == len(rows) == 3


def test_what_cannot_be_answered(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, table = str(home / "run"), str(home / "table.csv")
    other = home / "other.csv"
    other.write_text("question,image\nwhat?,a.png\n")
    none = home / "none.jsonl"
    none.write_text('{"text": "a", "image": "none.png"}\n')
    for arguments, code, said in (
        ([run, str(other)], 2, "`text`"),
        ([run, str(none)], 1, "no row could be answered"),
        ([f"{run}:base", table], 2, "job `base` is a pretraining"),
        ([f"{run}:vqaa", table], 2, "there is no job `vqaa`"),
        ([run, table, "-o", "x.txt"], 2, "answers go to .csv, .jsonl, .parquet"),
        ([run, table, "--batch", "0"], 2, "1 row or more"),
        ([run, str(home / "absent.csv")], 2, "does not exist"),
        ([run, table, "--weights", "average"], 2, "kept no average"),
    ):
        assert main(["predict", *arguments]) == code
        assert said in capsys.readouterr().err
