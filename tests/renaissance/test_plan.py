"""`plan` and `compile` on the command line."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from renaissance import load, plan
from renaissance.cli import main
from renaissance.compiler import assembly
from renaissance.compiler.planning import models
from renaissance.compiler.planning.machines import find_gpu
from renaissance.files import find_spec
from renaissance.grammar.schema.model import Model
from renaissance.render.plan import draw


def test_plan_prints_a_tree(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "quickstart"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("base: a step of 64 texts needs ")
    assert "\nmodel " in printed
    assert "└── pool" in printed
    assert "vqa" in printed


def test_plan_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "quickstart", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    model = document["models"][0]
    assert sum(part["parameters"] for part in model["components"]) == model["parameters"]["total"]


def test_compile_writes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "quickstart", "-o", str(tmp_path / "job")]) == 0
    assert "launch.sh" in capsys.readouterr().out
    assert (tmp_path / "job" / "lock.json").is_file()


def test_the_command_that_starts_a_folder_can_be_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "it's a job"
    assert main(["compile", "quickstart", "--out", str(folder)]) == 0
    said = capsys.readouterr().out.partition("start it with ")[2]
    assert shlex.split(said) == [str(folder / "launch.sh")]


def test_compile_into_something_else_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "diary.txt").write_text("private")
    assert main(["compile", "quickstart", "-o", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "is not empty" in captured.err


def test_a_part_can_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "quickstart", "--model", "nothing"]) == 1
    assert "there is no model `nothing`" in capsys.readouterr().err
    job = ["--job", "base", "--format", "json"]
    assert main(["compile", "quickstart", "-o", str(tmp_path / "job"), *job]) == 0
    assert json.loads((tmp_path / "job" / "lock.json").read_text())["jobs"] == ["base"]


def test_plan_says_what_a_cache_costs_and_saves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "freezing_base"]) == 0
    vision, text = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("cache ")
    ]
    assert "cache vision: 605 kB an image (605 MB per 1,000) instead of 35.1 GFLOP" in vision
    assert "on a CPU (kept where all images fit)" in vision
    assert "cache text: 154 kB a text of 50 tokens (154 MB per 1,000) instead of 8.59 GFLOP" in text
    assert "on a CPU (kept where all texts fit)" in text
    assert main(["plan", "freezing_base", "--tokens", "12"]) == 0
    assert "36.9 kB a text of 12 tokens" in capsys.readouterr().out
    assert main(["plan", "freezing_base", "--format", "json"]) == 0
    [model] = json.loads(capsys.readouterr().out)["models"]
    kept = [(each["stream"], each["tokens"], each["mode"]) for each in model["caching"]]
    assert kept == [("vision", 197, "auto"), ("text", 50, "auto")]


def test_plan_states_memory_time_and_what_is_shared(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--gpu", "h100", "--texts", "1000", "--tokens", "9"]
    assert main(["plan", "quickstart", *asked]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 100
    assert "pretrain: a text has 9 tokens; 64 texts a step, up to 4 about an image" in printed
    assert "`vision` encodes 16 rows for 64 texts, 192 without sharing" in printed
    assert "memory (GPU)" in printed and "activations" in printed
    assert "H100 SXM" in printed and "an assumption" in printed


def test_a_plan_answers_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    build = assembly.assemble

    def assemble(declared: Model, *others: Any, **options: Any) -> Any:
        built.append(declared.name)
        return build(declared, *others, **options)

    monkeypatch.setattr(models, "assemble", assemble)
    lengths = ["--texts", "1000", "--texts", "vqa_test=50"]
    asked = ["plan", "quickstart", "--gpu", "h100", "--price", "3.6", *lengths]
    assert main([*asked, "--summary", "-v"]) == 0
    printed, told = capsys.readouterr()
    assert told.startswith("planned in ") and " s of imports" in told
    assert len(built) == 1 + 3, "the model and each job, whatever freezing would save"
    assert "base: fits: a step of 64 texts needs " in printed
    assert "GPU-hours" in printed and " at 3.60 an hour\n" in printed
    assert "\nall jobs: " in printed
    assert "freezing `vision` would save " in printed and "of the time) and " in printed
    assert "`text`, `vision`, `cross` start from the weights of job `base`" in printed
    assert "\nmodel " not in printed and "component" not in printed
    assert main([*asked, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    seconds = {job["name"]: job["run"]["seconds"] for job in document["jobs"]}
    assert document["price"]["jobs"] == pytest.approx(
        {name: time / 1000 for name, time in seconds.items()}
    )
    saved = {each["tower"]: each for each in document["jobs"][0]["savings"]}
    assert saved["vision"]["bytes"] > 0 and 0 < saved["vision"]["share"] < 1
    assert saved["vision"]["seconds"] == pytest.approx(saved["vision"]["share"] * seconds["base"])
    assert document["jobs"][2]["savings"] == []


def test_a_narrow_terminal_cuts_nothing() -> None:
    drawn = draw(plan(load(find_spec("quickstart")), machine=find_gpu("h100")))
    words = {}
    for width in (60, 200):
        console = Console(width=width, no_color=True, highlight=False)
        with console.capture() as captured:
            console.print(drawn, crop=False)
        words[width] = set(captured.get().split())
    assert words[60] == words[200]


def test_what_a_plan_cannot_suppose_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for asked, said in (
        (["--gpu", "h101"], "nearest are h100"),
        (["--bench", "none.json"], "cannot read none.json"),
        (["--tokens", "99"], "has 1 to 16 tokens"),
        (["--texts", "0"], "--texts takes 1 or more"),
        (["--texts", "finetuned=many"], "as N or JOB=N, and not finetuned=many"),
        (["--texts", "nobody=9"], "there is no job `nobody`; jobs are `"),
    ):
        assert main(["plan", "quickstart", *asked]) != 0
        captured = capsys.readouterr()
        assert captured.out == "" and captured.err.count("\n") == 1 and said in captured.err


def test_evaluations_have_numbers_of_texts_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.vl"
    file.write_text(
        "model m {\n"
        "  backbone text = plain_text { layers = 1, width = 8, heads = 2, vocabulary = 64 }\n"
        "  backbone vision = plain_vision { layers = 1, width = 8, heads = 2, image_size = 16, "
        "patch = 8 }\n"
        "  fusion cross = cross_attention(text, vision) { layers = 1, width = 8, heads = 2 }\n}\n"
        "finetune learn on m {\n  task = easy_vqa\n  optimizer adamw { lr = 1e-3 }\n"
        "  batch = 10\n  epochs = 3\n}\n"
        "evaluate one of learn { batch = 10 }\nevaluate two of learn { batch = 10 }\n"
    )
    asked = ["plan", str(file), "--format", "json", "--texts"]
    assert main([*asked, "100", "--texts", "two=45"]) == 0
    jobs = json.loads(capsys.readouterr().out)["jobs"]
    assert [job["run"]["steps"] for job in jobs] == [30, None, 5]
    assert "add --texts one=N" in jobs[1]["run"]["missing"]


def test_bench_writes_what_plan_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from renaissance.compiler.planning import measurement

    monkeypatch.setattr(measurement, "_SECONDS", 0.02)
    monkeypatch.setattr(measurement, "_SIDES", {"cpu": 64})
    monkeypatch.setattr(measurement, "_COPIED", {"cpu": 2**16})
    path = str(tmp_path / "bench.json")
    assert main(["bench", "--device", "cpu", "--out", path]) == 0
    assert "GFLOP/s" in capsys.readouterr().out
    assert main(["plan", "quickstart", "--bench", path, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["machine"]["device"] == document["device"] == "cpu"
    assert document["jobs"][0]["stages"][0]["speed"]["step"] > 0
    assert document["jobs"][0]["stages"][0]["memory"]["peak"] > 0


def test_diff_shows_what_a_freeze_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(find_spec("quickstart")).read_text(encoding="utf-8")
    frozen = text.replace("  pool = cls\n", "  pool = cls\n  freeze vision\n")
    assert frozen != text
    (tmp_path / "old.vl").write_text(text)
    (tmp_path / "new.vl").write_text(frozen)
    files = [str(tmp_path / "old.vl"), str(tmp_path / "new.vl")]
    assert main(["diff", *files]) == 0
    assert "with --plan" in capsys.readouterr().out
    assert main(["diff", *files, "--plan", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["figures"]
    figures = {(row["block"], row["what"]): (row["old"], row["new"]) for row in rows}
    for what in ("trainable", "training FLOPs a sample", "activations, bytes", "optimizer, bytes"):
        old, new = figures["pretrain base", what]
        assert new < old
    old, new = figures["pretrain base", "parameters"]
    assert old == new


SMALL = """\
model used {
  backbone text   = plain_text { layers = 1, width = 8, heads = 1, vocabulary = 64 }
  backbone vision = plain_regions("no_such_folder/regions") { layers = 1, width = 8, heads = 1 }
  fusion pair = dual_encoder(text, vision) { width = 8 }
  pool = mean
}
model spare extends used { weights = "no_such_folder/weights" }
data pairs { format = image_caption, table = "no_such_folder/pairs.csv" }
pretrain base on used {
  data = [pairs]
  objective itc
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 2
}
"""


def test_a_plan_leaves_out_what_no_job_uses_and_names_what_is_absent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.vl"
    file.write_text(SMALL)
    assert main(["plan", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "\nmodel used" in printed and "\nmodel spare" not in printed
    assert "\nno job uses `spare`; `--model` plans one\n" in printed
    absent = "`no_such_folder/regions`, the `features` of stream `vision` of model `used`"
    assert f"\ndata: {absent}, is not there\n" in printed
    assert main(["plan", str(file), "--model", "spare"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "`no_such_folder/weights`, the `weights` of model `spare`" in said
    assert main(["check", str(file)]) == 0
    assert "not there, seen from this folder: `no_such_folder/" in capsys.readouterr().out
