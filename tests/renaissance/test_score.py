"""`renaissance score` on the command line."""

import json
from pathlib import Path

import pytest

from renaissance.cli import main
from tests.published import write_nlvr2, write_vqav2


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("score")
    write_vqav2(home / "vqa")
    write_nlvr2(home / "nlvr2")
    entries = [
        {"question_id": image * 1000 + place, "answer": answer}
        for image in range(20, 25)
        for place, answer in enumerate(("yes", "2", "gray", "none"))
    ]
    (home / "vqa.json").write_text(json.dumps(entries))
    rows = (home / "nlvr2/nlvr2/data/dev.json").read_text().splitlines()
    names = [json.loads(row)["identifier"] for row in rows]
    (home / "true.csv").write_text("".join(f"{name},True\n" for name in names))
    return home


def test_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["score", "vqav2", str(home / "vqa.json"), "--root", str(home / "vqa")]
    assert main([*arguments, "--split", "val", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["task"], told["split"], told["rows"]) == (True, "vqav2", "val", 20)
    # Five images, of which three are dark: `yes` is said by 8 of 10, or by 1 and, spelled alike, 2.
    assert set(told["intervals"]) == set(told["metrics"]) and told["remarks"] == []
    low, high = told["intervals"]["accuracy"]
    assert 0 <= low < told["metrics"]["accuracy"] < high <= 1
    assert told["metrics"] == pytest.approx(
        {
            "accuracy": (3 * 1 + 2 * 0.6 + 5 + 5) / 20,
            "accuracy.yes/no": (3 * 1 + 2 * 0.6) / 5,
            "accuracy.number": 1.0,
            "accuracy.other": 0.5,
            "accuracy.is this": (3 * 1 + 2 * 0.6) / 5,
            "accuracy.how many": 1.0,
            "accuracy.what color is": 1.0,
            "accuracy.what is": 0.0,
        }
    )


def test_why_a_figure_has_no_interval_is_said(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # One image alone.
    root = home / "one"
    root.mkdir()
    (root / "t.csv").write_text("image,label\na.png,cat\na.png,dog\n")
    (root / "said").write_text('{"id": 0, "prediction": "cat"}\n{"id": 1, "prediction": "cat"}\n')
    arguments = ["score", "classify", str(root / "said"), "--set", f"test={root}/t.csv"]
    assert main([*arguments, "--split", "test"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["accuracy", "50.00%"]
    assert lines[-1] == "without brackets: of one image alone, or no mean over images"


def test_as_text(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["score", "nlvr2", str(home / "true.csv"), "--root", str(home / "nlvr2")]
    assert main([*arguments, "--split", "dev", "--set", "validation = 5%"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "nlvr2, dev: 16 rows"
    assert [line.split()[0] for line in lines[1:3]] == ["accuracy", "consistency"]
    assert lines[1].endswith("]") and lines[-1] == "in brackets: 95% intervals over other images"


def test_a_key_that_is_left_out_is_asked_for_as_an_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["score", "retrieval", "scores.npz", "--split", "test"]) == 2
    said = "error: task `retrieval` needs `root`: add `--root DIR`\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("task", "more", "code", "problem"),
    [
        ("nlvr3", [], 1, "unknown task `nlvr3`"),
        ("nlvr2", ["--set", "validation"], 2, "--set validation is not written as KEY=VALUE"),
        ("nlvr2", ["--set", "validation=5%", "--set", "validation=6%"], 2, "is given twice"),
        ("nlvr2", ["--set", "root=x"], 2, "by --root and by --set root"),
        ("nlvr2", ["--set", "vaildation=5%"], 1, "`nlvr2` has no key `vaildation`"),
        ("nlvr2", ["--set", "validation=500%"], 1, "`validation` is out of range"),
        ("nlvr2", ["--set", "validation=test3"], 1, "`validation` cannot be `test3`"),
        ("nlvr2", ["--split", "test3"], 2, "nlvr2 has no split `test3`; it has `train`, `dev`"),
        ("vqav2", ["--split", "test-dev"], 2, "what is right in `test-dev` of vqav2 is not publi"),
        ("vqav2", [], 2, "vqav2 has no split `dev`"),
        ("nlvr2", ["--root", "no/where"], 2, "dev.json` does not exist; `root` holds"),
        ("nlvr2", ["--root", "a\nb"], 2, "dev.json` does not exist"),
    ],
)
def test_what_cannot_be_measured_is_said(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    task: str,
    more: list[str],
    code: int,
    problem: str,
) -> None:
    for option, value in (("--root", str(home / "nlvr2")), ("--split", "dev")):
        more = more if option in more else [*more, option, value]
    assert main(["score", task, str(home / "true.csv"), *more]) == code
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            [],
            "has no split `test`; `--set test=FILE` says where it lies",
        ),
        (["--set", "test=no.csv"], "the table `no.csv` of `classify test` does not exist"),
        (["--split", "train"], "classify has no split `train`"),
    ],
)
def test_a_table_of_the_split_is_all_that_is_asked_for(
    home: Path, capsys: pytest.CaptureFixture[str], more: list[str], problem: str
) -> None:
    more = more if "--split" in more else [*more, "--split", "test"]
    assert main(["score", "classify", str(home / "true.csv"), *more]) != 0
    assert problem in capsys.readouterr().err
