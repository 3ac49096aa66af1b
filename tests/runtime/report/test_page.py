import json
import re
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.report import page, write_report
from renaissance.runtime.report.folder import read_folder
from renaissance.runtime.report.planned import machine_of
from tests.pages import LOADS, Page, assert_framed

PARTS = [
    {
        "address": f"{stream}.embeddings",
        "kind": "embeddings",
        "parameters": parameters,
        "trainable": trainable,
        "output": output,
    }
    for stream, parameters, trainable, output in (
        ("text", 600, 600, [16, 32]),
        ("vision", 400, 0, [17, 32]),
    )
]
PLAN = {
    "models": [
        {
            "name": "two_tower",
            "streams": ["text", "vision"],
            "fusion": "cross",
            "heads": {},
            "components": PARTS,
            "parameters": {"total": 1000, "trainable": 600, "frozen": 400, "tied": 0},
            "flops_per_sample": {"forward": 5e6, "training": 15e6},
            "freeze": [],
            "notes": [],
        }
    ],
    "jobs": [],
}


@pytest.fixture(autouse=True)
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "plan_of", lambda spec, machine: PLAN)


def made(folder: Path) -> Page:
    return Page(write_report(folder).read_text(encoding="utf-8"))


def test_report_is_one_file_in_the_folder(run_folder: Path) -> None:
    before = {path.name for path in run_folder.iterdir()}
    path = write_report(run_folder)
    assert path == run_folder / "report.html"
    assert {entry.name for entry in run_folder.iterdir()} - before == {"report.html"}
    assert path.stat().st_size < 200_000


def test_report_loads_nothing(run_folder: Path) -> None:
    path = write_report(run_folder)
    seen = Page(path.read_text(encoding="utf-8"))
    for name in LOADS:
        assert all(value.startswith(("data:", "#")) for value in seen.values(name)), name
    assert_framed(seen, "report")
    assert "script" not in seen.tags
    assert "iframe" not in seen.tags
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://", text)
    assert not re.search(r"@import|url\((?!#)", text)


def test_report_says_what_was_found(run_folder: Path) -> None:
    text = made(run_folder).text
    assert "94.00 % accuracy" in text
    assert "200 questions" in text
    assert "12 errors in 200 questions" in text
    assert "3 jobs took 2 min 38 s on CPU, 2 cores" in text
    assert "two_tower has 1.00 k parameters, 40.0 % of them frozen" in text
    for piece in ("mlm accuracy", "90.00 %", "pretrain", "evaluate", "4,000", "2.14.0"):
        assert piece in text


def test_report_names_the_spec_and_its_hash(run_folder: Path, spec: Spec) -> None:
    text = made(run_folder).text
    assert spec.hash in text
    assert "Hash in the logs" not in text


def test_log_of_another_spec_is_pointed_out(run_folder: Path) -> None:
    log = run_folder / "vqa" / "log.jsonl"
    start, rest = log.read_text().split("\n", 1)
    log.write_text(json.dumps({**json.loads(start), "spec_hash": "0123"}) + "\n" + rest)
    assert "Hash in the logs 0123" in made(run_folder).text


def test_data_is_text_not_markup(run_folder: Path) -> None:
    seen = made(run_folder)
    assert '<script>alert("1")</script> & <img src=x onerror=alert(1)>' in "".join(seen.words)
    assert "<b>circle</b>" in "".join(seen.words)
    assert not seen.values("onerror")
    assert "x" not in seen.values("src")


def test_images_are_embedded_once_readable(run_folder: Path) -> None:
    seen = made(run_folder)
    assert [value[:22] for value in seen.values("src")] == ["data:image/png;base64,"]
    assert seen.text.count("The image could not be read.") == 2


def test_wrong_answers_come_first(run_folder: Path) -> None:
    text = made(run_folder).text
    assert 0 < text.index("Answered wrongly") < text.index("true: red")
    assert text.index("true: red") < text.index("Answered rightly")


def test_confusion_and_mixups_are_listed(run_folder: Path) -> None:
    seen = made(run_folder)
    first = seen.text.index("Most frequent mix-ups")
    assert re.search(r"yes no 7 10\.4 %.*red circle 3 7\.0 %", seen.text[first:])
    assert sum(value.startswith("hit") for value in seen.values("class")) == 4
    assert sum(value.startswith("miss") for value in seen.values("class")) == 3


def test_skipped_images_are_named(run_folder: Path) -> None:
    text = made(run_folder).text
    assert "vqa skipped 1 image of 90, missing or damaged" in text
    assert "broken.png" in text


def test_notices_are_shown(run_folder: Path) -> None:
    assert made(run_folder).text.count("began <anew>") == 2


def test_unfinished_jobs_are_said_to_be(run_folder: Path) -> None:
    (run_folder / "vqa" / "result.json").unlink()
    for path in (run_folder / "exam").iterdir():
        path.unlink()
    text = made(run_folder).text
    assert "not finished: 40 of 40 steps are logged" in text
    assert "not started" in text
    assert "2 jobs have not finished." in text
    assert "Nothing has been evaluated yet." in text
    assert "No evaluation has finished yet" in text


def test_result_without_confusion_or_samples(run_folder: Path) -> None:
    result = {"job": "exam", "kind": "evaluate", "metrics": {"accuracy": 0.5}}
    (run_folder / "exam" / "result.json").write_text(json.dumps(result))
    text = made(run_folder).text
    assert "There is no confusion of answers to show." in text
    assert "No sample predictions were stored." in text


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("spec.json", None, "There is no spec.json."),
        ("spec.json", "{", "spec.json is not a resolved spec"),
        ("spec.vl", None, "There is no spec.vl."),
        ("vqa/result.json", '{"job": 3}', "vqa/result.json is not a result: job"),
        ("vqa/log.jsonl", "", "No step of this job is logged."),
        ("vqa/log.jsonl", '{"event": "step", "st', "1 line of vqa/log.jsonl could not be read."),
    ],
)
def test_damage_becomes_a_sentence(
    run_folder: Path, name: str, content: str | None, sentence: str
) -> None:
    if content is None:
        (run_folder / name).unlink()
    else:
        (run_folder / name).write_text(content)
    assert sentence in made(run_folder).text


def test_empty_folder_has_a_report(tmp_path: Path) -> None:
    text = made(tmp_path).text
    assert "The folder holds no jobs." in text
    assert "The resolved spec is not in the folder." in text


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="there is no run folder"):
        write_report(tmp_path / "nowhere")


def test_plan_that_fails_costs_only_the_drawing(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(spec: object, machine: object) -> dict:
        raise RuntimeError("no such <backbone>")

    monkeypatch.setattr(page, "plan_of", fail)
    text = made(run_folder).text
    assert "The architecture could not be drawn: no such <backbone>" in text
    assert "12 errors" in text


def test_a_pretraining_at_chance_is_said_to_be(run_folder: Path) -> None:
    file = run_folder / "base" / "result.json"
    result = json.loads(file.read_text())
    said = "itm accuracy is at chance: the same answer to all items gives 50.00"
    assert said not in write_report(run_folder).read_text()
    result["metrics"]["itm_accuracy"] = 0.51
    file.write_text(json.dumps(result))
    assert said in write_report(run_folder).read_text()


def test_planned_steps_stand_beside_what_was_measured(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = {"name": "base", "kind": "pretrain", "model": PLAN["models"][0]}
    job |= {"batch": 12, "tokens": 16, "precision": "fp32"}
    stage: dict[str, Any] = {"memory": {"peak": 3_000_000_000}, "speed": {"step": 0.002}}
    stage["flops_per_sample"] = {"training": 2_000_000_000}
    job["stages"] = [stage]
    monkeypatch.setattr(page, "plan_of", lambda spec, machine: {**PLAN, "jobs": [job]})
    log = run_folder / "base" / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    held = [{**line, "memory": 2_500_000_000} for line in lines if line["event"] == "step"]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in held))
    text = write_report(run_folder).read_text()
    row = text.split('<th scope="row">base</th><td class="number">24.0', 1)[1].split("</tr>")[0]
    cells = [cell.split("<")[0] for cell in row.split('<td class="number">')[1:]]
    assert cells[:2] == ["2\N{NO-BREAK SPACE}ms", "13.3\N{NO-BREAK SPACE}ms"]
    assert cells[2] == "1.80\N{NO-BREAK SPACE}TFLOP/s"
    assert cells[3:] == ["3.00 GB", "2.50 GB"]


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("NVIDIA H100 PCIe", None),
        ("NVIDIA A100-SXM4-80GB", "A100 80 GB SXM"),
        ("NVIDIA A100-SXM4-40GB", "A100 40 GB SXM"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA L40", None),
        ("Tesla T4", "T4"),
        ("NVIDIA GeForce RTX 4090", "GeForce RTX 4090"),
        ("NVIDIA H200, 2 processes", None),
        ("CPU, 2 threads", None),
    ],
)
def test_machines_are_known_by_their_devices(
    run_folder: Path, device: str, name: str | None
) -> None:
    run = read_folder(run_folder)
    for job in run.jobs:
        job.log.starts = [start.model_copy(update={"device": device}) for start in job.log.starts]
    machine = machine_of(run)
    assert (machine and machine.name) == name
