"""The page about a study: one file, whatever there is."""

import re
import shutil
from pathlib import Path

import pytest

from renaissance.grammar.kinds.quantity import SHARE
from renaissance.grammar.schema.model import Freeze
from renaissance.runtime.identity import write_identity
from renaissance.runtime.studies.answer import answer
from renaissance.runtime.studies.page import write_study_report
from renaissance.runtime.studies.page.charts import Dots, dot_chart, front
from renaissance.runtime.studies.results import read_results
from tests.made_study import make_study
from tests.pages import LOADS, Page, assert_framed
from tests.tiny import tiny_experiment

SCORES = {"none": (0.8, 0.825), "vision": (0.79, 0.83), "text": (0.70, 0.71)}


def page_of(folder: Path) -> tuple[Page, str]:
    results = read_results(folder)
    text = write_study_report(results, answer(results)).read_text()
    return Page(text), text


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "runs" / "freezing", SCORES)


def test_the_page_shows_answer_plots_curves_rows_and_stages(study: Path) -> None:
    page, text = page_of(study)
    for words in (
        "Accuracy of exam on test",
        "of 2 seeds nothing can be concluded",
        "Score against training operations",
        "all variants (2 seeds)",
        "Where variants disagree",
        "freeze=text: no, no",
        "variants share base",
        "5.00",
        "As it was planned",
        "Accuracy of exam, %",
        "Loss of exam, less is better",
        "Training operations of a seed, FLOP",
        "Memory of tensors",
    ):
        assert words in page.text, words
    assert "Parameters that learn in the first step, of base / vqa." in page.text
    assert "Not counted: bytes read, energy (no counter of this device can be read)." in page.text
    assert ">Memory of the process<" in text and ">Energy<" not in text and ">Read<" not in text
    assert text.count('class="chart dots"') == 2 and text.count('class="chart costs"') == 2
    assert 'class="band c' in text and "data:image/png" in text
    assert "The image could not be read." in page.text  # a fifth image is not there


def test_nothing_is_loaded_and_what_data_say_is_text(study: Path) -> None:
    page, text = page_of(study)
    assert_framed(page, "study")
    assert "script" not in page.tags
    assert not re.search(r"@import|url\((?!#)", text)
    for name in LOADS:
        for value in page.values(name):
            assert value.startswith(("#", "data:")) or not value.startswith(("http", "//", "/"))
    assert "<b>row" not in text and "&lt;b&gt;row" in text


def test_stages_link_to_the_pages_of_their_cells(study: Path) -> None:
    home = study / "cells" / "freeze=none" / "seed=0"
    home.mkdir(parents=True)
    (home / "report.html").write_text("page")
    page, _ = page_of(study)
    links = [value for value in page.values("href") if value.startswith("cells/")]
    assert links and all((study / link).is_file() for link in links)


def test_differences_are_those_of_the_specs_that_were_run(study: Path) -> None:
    base = tiny_experiment("nowhere")
    frozen = tiny_experiment("nowhere", freeze=(Freeze(selectors=("vision",)),))
    for level, spec in (("none", base), ("vision", frozen)):
        home = study / "cells" / f"freeze={level}" / "seed=0"
        home.mkdir(parents=True)
        write_identity(home, spec)
    page, _ = page_of(study)
    assert "tiny.freeze vision \N{EN DASH} there" in page.text
    assert "Its spec is not in the folder yet." in page.text  # that of text


@pytest.mark.parametrize("scores", ({"none": (None,)}, {"none": (0.8,), "text": (None,)}))
def test_a_study_that_has_hardly_begun_has_a_page(
    scores: dict[str, tuple[float | None, ...]], tmp_path: Path
) -> None:
    folder = make_study(tmp_path / "runs" / "s", scores)
    page, _ = page_of(folder)
    assert "are done: this is what follows so far" in page.text


def test_without_any_stage_there_is_a_page(study: Path) -> None:
    shutil.rmtree(study.parent / ".stages")
    page, _ = page_of(study)
    assert "Nothing has been measured yet." in page.text
    assert "No training has logged anything yet." in page.text


def test_the_front_is_what_no_other_beats() -> None:
    places = [(1.0, 0.5), (2.0, 0.4), (2.0, 0.7), (3.0, 0.7), (4.0, 0.8)]
    assert front(places, larger_is_better=True) == [True, False, True, False, True]
    assert front(places, larger_is_better=False) == [True, True, False, False, False]
    assert front([(1.0, 0.5), (1.0, 0.5)], larger_is_better=True) == [True, True]


def test_an_interval_that_is_far_wider_than_all_scores_is_cut_off() -> None:
    def ticks(interval: tuple[float, float]) -> list[str]:
        rows = [
            Dots(label="a", values=(0.80, 0.81), mean=0.805, interval=(0.79, 0.82), colour=0),
            Dots(label="b", values=(0.82, 0.83), mean=0.825, interval=interval, colour=1),
        ]
        svg = dot_chart(
            rows, quantity=SHARE, baseline=0.805, title="Accuracy, %", label="a, b", told=str
        )
        return re.findall(r'class="tick"[^>]*>([^<]*)<', svg)

    assert ticks((-5.0, 6.0))[0].startswith("76") and ticks((0.81, 0.84))[0].startswith("79")


def test_no_axis_goes_where_there_can_be_no_values() -> None:
    rows = [Dots(label="a", values=(0.0, 0.9), mean=0.45, interval=(0.0, 1.0), colour=0)]
    svg = dot_chart(rows, quantity=SHARE, baseline=None, title="Accuracy, %", label="a", told=str)
    ticks = re.findall(r'class="tick"[^>]*>([^<]*)<', svg)
    assert (ticks[0], ticks[-1]) == ("0\N{NO-BREAK SPACE}%", "100\N{NO-BREAK SPACE}%")
