"""`renaissance report` on the command line: of studies, of runs, and of several runs together."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from renaissance.cli import main
from renaissance.grammar.schema.model import Freeze
from tests.made_study import make_run, make_study

SCORES = {
    "none": (0.80, 0.825, 0.8125),
    "vision": (0.79, 0.83, 0.80),
    "a_level_with_a_name_that_is_long": (0.70, 0.71, 0.72),
}
LONG = "freeze=a_level_with_a_name_that_is_long"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "runs" / "freezing", SCORES)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["report", *arguments]) == 0
    return capsys.readouterr().out


def in_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(capsys, *arguments, "--format", "json"))
    return found


def test_a_study_as_text_fits_a_terminal(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, str(study)).splitlines()
    assert lines.pop() == f"report: {study / 'report.html'}"
    assert max(map(len, lines)) <= 80
    assert lines[0] == "study freezing: seeds 0, 1, 2; baseline freeze=none"
    rows = [line.split() for line in lines]
    assert ["freeze=none", "81.39", "±", "3.16"] in rows
    assert [LONG] in rows
    assert any(line.startswith("  freeze=none    5.00 TFLOP") for line in lines)
    text = " ".join(" ".join(lines).split())
    assert f"{LONG}: -10.56 points [" in text and "worse than freeze=none" in text
    assert "cannot give less than p = 0.25 with 3 seeds" in text


def test_every_format_says_where_seeds_are_missing(
    tmp_path: Path, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = {"none": SCORES["none"], "vision": (0.79, None, None)}
    part = make_study(tmp_path / "part" / "study", scores)
    counts = {"freeze=none": "3", "freeze=vision": "1"}
    text = [line.split() for line in told(capsys, str(part)).splitlines()]
    scored = text[next(place for place, row in enumerate(text) if row[-1:] == ["seeds"]) + 1 :][:2]
    assert {row[0]: row[-1] for row in scored} == counts
    for format, between in (("markdown", "|"), ("latex", "&")):
        rows = [
            [cell.strip(" \\") for cell in line.strip("| ").split(between)]
            for line in told(capsys, str(part), "--format", format).splitlines()
            if line.count(between) > 5
        ]
        place = rows[0].index("Seeds")
        found = {row[0].replace("\\", ""): row[place] for row in rows}
        assert {name: found[name] for name in counts} == counts
        assert "Seeds" not in told(capsys, str(study), "--format", format)
    measure, *_ = in_json(capsys, str(part))["answer"]["measures"]
    assert {each["variant"]: str(each["seeds"]) for each in measure["variants"]} == counts
    page = (part / "report.html").read_text(encoding="utf-8")
    assert '<th class="number">Seeds</th>' in page
    assert '<th class="number">Seeds</th>' not in (study / "report.html").read_text("utf-8")


def test_a_study_below_runs_is_found_by_its_name(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study.parents[1])
    assert "report: runs/freezing/report.html" in told(capsys, "freezing")


def test_plots_stand_alone(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, str(study), "--plots", str(tmp_path / "plots"))
    drawn = {
        path.name: ElementTree.parse(path).getroot() for path in (tmp_path / "plots").iterdir()
    }
    assert sorted(drawn) == [
        f"exam.{metric}.{kind}.svg"
        for metric in ("accuracy", "loss")
        for kind in ("costs", "seeds")
    ]
    for name, root in drawn.items():
        tag = "{http://www.w3.org/2000/svg}"
        assert root.tag == f"{tag}svg"
        texts = [text.text or "" for text in root.iter(f"{tag}text")]
        assert any(LONG in text for text in texts), name
        style = root.find(f"{tag}style")
        assert style is not None and "prefers-color-scheme: dark" in str(style.text)
        *_, height = map(float, root.attrib["viewBox"].split())
        assert max(float(text.attrib["y"]) for text in root.iter(f"{tag}text")) < height


def test_csv_has_a_line_for_each_variant_and_metric(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = list(csv.DictReader(io.StringIO(told(capsys, str(study), "--format", "csv"))))
    assert [(row["metric"], row["variant"]) for row in rows[:4]] == [
        ("accuracy", "freeze=none"),
        ("accuracy", "freeze=vision"),
        ("accuracy", LONG),
        ("loss", "freeze=none"),
    ]
    assert rows[0]["difference"] == "" and float(rows[2]["difference_high"]) < 0
    assert float(rows[2]["p_exact"]) == 0.25 and float(rows[2]["operations"]) == 3e12


def test_markdown_and_latex_mark_nothing_that_is_not_told_apart(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markdown = told(capsys, str(study), "--format", "markdown")
    assert "| freeze=none | 81.39 ± 3.16 |  |  |  | 5.00 TFLOP | 50.0 s | 2.00 GB |" in markdown
    assert "- not distinguishable from the best: freeze=none, freeze=vision" in markdown
    latex = told(capsys, str(study), "--format", "latex")
    assert r"freeze=none & 81.39 $\pm$ 3.16 &" in latex and r"\textbf" not in latex
    assert r"freeze=a\_level\_with" in latex and "*" not in latex
    assert latex.count(r"\toprule") == latex.count(r"\end{tabular}") == 2


def test_latex_marks_the_best_where_seeds_tell_it_from_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = {"none": (0.70, 0.71, 0.70), "text": (0.90, 0.91, 0.91)}
    study = make_study(tmp_path / "runs" / "s", scores)
    latex = told(capsys, str(study), "--format", "latex")
    assert latex.count(r"\textbf") == 2  # accuracy and loss
    assert r"freeze=text & \textbf{90.56" in latex


def test_json_has_all_values_and_what_follows(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = in_json(capsys, str(study))
    assert found["ok"] and found["report"] == str(study / "report.html")
    answer = found["answer"]
    assert (answer["cells"], answer["done"], answer["failed"]) == (9, 9, {})
    line = answer["measures"][0]["variants"][2]
    assert set(line["values"]) == {"0", "1", "2"} and line["difference"]["distinguishable"]
    assert len(line["difference"]["over_images"]["images"]) == 2
    assert len(answer["measures"][0]["conclusions"]) == 3


def test_a_run_that_goes_on_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run(tmp_path / "a", None)
    assert told(capsys, str(folder)).splitlines() == [
        "base: not started",
        "vqa: not started",
        "exam: not started",
        f"report: {folder / 'report.html'}",
    ]
    assert "Nothing has been evaluated yet." in (folder / "report.html").read_text()


def test_a_run_is_reported_somewhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, page = make_run(tmp_path / "a", 0.8), tmp_path / "page.html"
    found = in_json(capsys, str(folder), "--out", str(page))
    assert found["report"] == str(page) and page.exists()
    assert not (folder / "report.html").exists()
    assert found["results"][0]["metrics"]["accuracy"] == 0.8


def test_runs_are_compared_and_seeds_of_one_spec_belong_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen = {"freeze": (Freeze(selectors=("vision",)),)}
    folders = [
        make_run(tmp_path / f"{name}{seed}", score + seed / 100, seed=seed, **model)
        for name, score, model in (("plain", 0.80, {}), ("frozen", 0.70, frozen))
        for seed in (0, 1)
    ]
    page = tmp_path / "comparison.html"
    found = in_json(capsys, *map(str, folders), "--out", str(page))["answer"]
    assert (found["baseline"], found["seeds"]) == ("run=plain0", [0, 1])
    plain, other = found["measures"][0]["variants"]
    assert (plain["variant"], other["variant"]) == ("run=plain0", "run=frozen0")
    assert set(other["values"]) == {"0", "1"}
    assert other["difference"]["mean"] == pytest.approx(-0.1, abs=0.01)
    text = page.read_text()
    assert "freeze vision" in text and "run=frozen0" in text


def test_runs_with_other_seeds_are_compared_in_their_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = make_run(tmp_path / "one", 0.8, seed=3)
    other = make_run(tmp_path / "other", 0.6, seed=5, freeze=(Freeze(selectors=("text",)),))
    text = told(capsys, str(one), str(other), "--out", str(tmp_path / "c.html"))
    assert "run=other: -20.00 points; of one seed it is not known" in " ".join(text.split())


def test_the_same_run_again_is_no_other_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = make_run(tmp_path / "one", 0.8), make_run(tmp_path / "other", 0.8)
    found = in_json(capsys, str(one), str(other), "--out", str(tmp_path / "c.html"))["answer"]
    assert [spent["variant"] for spent in found["costs"]] == ["run=one", "run=other"]
    assert found["measures"][0]["variants"][1]["difference"]["mean"] == 0


def test_mistakes_are_sentences(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, empty = make_run(tmp_path / "a", 0.8), tmp_path / "empty"
    empty.mkdir()
    for folders, message in (
        ([tmp_path / "gone"], "there is no folder"),
        ([empty], "is no folder of a run or a study"),
        ([study, run], "a study is reported by itself"),
        ([run, run], "one run is named twice"),
        ([run, make_run(tmp_path / "b", None)], ""),
        ([run, empty], "is no run folder"),
    ):
        code = main(["report", *map(str, folders), "--out", str(tmp_path / "c.html")])
        assert code == (2 if message else 0)
        assert message in capsys.readouterr().err
