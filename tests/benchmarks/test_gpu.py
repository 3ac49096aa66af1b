"""The prepared run on a GPU: a dry run of every part, and what must not lose results."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import gpu
from benchmarks.gpu_parts.results import FILE, Options, Results, read
from benchmarks.gpu_parts.tests import _note
from benchmarks.gpu_table import table

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory):
    """What a dry run of all parts printed, and its results."""
    out = tmp_path_factory.mktemp("dry")
    command = [sys.executable, "-m", "benchmarks.gpu", "--out", str(out), "--device", "cpu"]
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [*command, "--tiny", "--seconds", "570"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, read(out), out


def of(lines, part):
    return [line for line in lines if line["part"] == part and line["item"] != "end"]


def test_every_part_ends_by_itself(dry_run):
    printed, lines, _ = dry_run
    ends = {line["part"]: line for line in lines if line["item"] == "end"}
    assert set(ends) == set(gpu.NAMES)
    assert not [end for end in ends.values() if "reason" in end], printed
    assert all(f"\n{name}\n" in "\n" + printed for name in gpu.NAMES)


REASONS = {
    "ceilings": "there is no other device",
    "sanitizer": "",
    "warm": "nothing is compiled for this device",
    "trace": "a CPU is never waited for",
}
"""Parts of which something cannot run without a GPU, and what they say about it."""


BOUNDS = "only 0-dimensional arrays can be converted"
"""What Triton 3.6's interpreter says with NumPy 2.4 or later; see `tests.interpreter`."""


def test_what_cannot_run_says_why(dry_run):
    for line in dry_run[1]:
        if "reason" in line and BOUNDS not in line["reason"]:
            assert REASONS.get(line["part"], "nothing") in line["reason"], line


def test_results_of_each_part(dry_run):
    _, lines, out = dry_run
    assert {line["right"] for line in of(lines, "numerics") if "right" in line} == {True}
    contenders = {line["contender"] for line in of(lines, "attention") if "contender" in line}
    assert contenders == {"triton", "sdpa math", "eager"}
    steps = {line["variant"]: line for line in of(lines, "steps")}
    assert {"ours", "plain, default attention", "plain, sdpa attention"} <= set(steps)
    assert steps["ours, both frozen, cached, as training"]["seconds"] > 0
    assert steps["ours, as training"]["tflop"] > steps["ours, both frozen, as training"]["tflop"]
    [counts] = of(lines, "tests")
    assert counts["ended"] and counts["skipped"] > 0 and counts["failed"] == 0
    jobs = {line["item"]: line for line in of(lines, "job")}
    assert jobs["bf16, stopped and resumed"]["resumed"]
    assert jobs["fp16"]["finite"]
    assert jobs["features found again"]["found again"]
    assert any("computed 0 times" in said for said in jobs["features found again"]["second"])
    [profile] = [line for line in of(lines, "trace") if line["item"] == "profile"]
    assert len(profile["kernels"]) == 40 and (out / profile["trace"]).exists()
    loads = {line["item"]: line for line in of(lines, "loader")}
    assert loads["1 workers"]["images per second"] > 0
    assert 0 < loads["step beside 1 workers"]["waited share"] < 1


PROLOGUE = """
import os, signal, subprocess, sys, time
from pathlib import Path
from benchmarks.gpu_parts.results import Options, Results
results = Results("steps", Options(out=Path(sys.argv[1]), device="cpu"))
results.item("one", lambda: {"value": 1})
def fails():
    raise MemoryError("too large")
results.item("two", fails)
"""
DIES = "results.item('dies', lambda: os.kill(os.getpid(), signal.SIGKILL))\n"
HANGS = """
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
Path(sys.argv[1], "child").write_text(str(child.pid))
results.item("hangs", lambda: time.sleep(600))
"""
LAST = "results.item('last', lambda: ({'value': n} for n in (2, 3)))\n"


@pytest.fixture
def with_script(tmp_path, monkeypatch):
    """Run one stage whose part is a script."""

    def run(script, seconds=60.0, left=60.0):
        def start(part, options):
            return subprocess.Popen(
                [sys.executable, "-c", PROLOGUE + script, str(options.out)],
                start_new_session=True,
                cwd=ROOT,
            )

        monkeypatch.setattr(gpu, "_start", start)
        options = Options(out=tmp_path, device="cpu")
        part = gpu.Part(name="steps", seconds=seconds)
        gpu._run([part], options, time.monotonic() + left)
        return [{k: v for k, v in line.items() if k != "took"} for line in read(tmp_path)]

    return run


def test_an_item_that_fails_leaves_the_others(with_script):
    one, two, *last, end = with_script(LAST)
    assert one["value"] == 1
    assert two["reason"] == "MemoryError: too large"
    assert [line["value"] for line in last] == [2, 3]
    assert "reason" not in end


def test_a_part_that_dies_goes_on_behind_what_it_died_in(with_script):
    lines = with_script(DIES + LAST)
    assert [line["item"] for line in lines] == ["one", "two", "dies", "last", "last", "end"]
    assert lines[2]["reason"] == "its process died in it"
    assert "reason" not in lines[-1]


def test_a_part_that_dies_at_once_is_not_started_for_ever(with_script):
    lines = with_script("raise SystemExit(3)")
    assert [line["item"] for line in lines] == ["one", "two", "end"]
    assert lines[-1]["reason"] == "died with exit code 3; see steps.log"


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_part_ends_at_its_limit_with_all_that_it_started(with_script, tmp_path):
    lines = with_script(HANGS + LAST, seconds=3.0)
    assert [line["item"] for line in lines] == ["one", "two", "end"]
    assert lines[-1]["reason"] == "ended at its limit of 3 s"
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not alive(child):
            break
        time.sleep(0.05)
    assert not alive(child)


def test_no_part_is_started_that_has_no_time(with_script):
    [end] = with_script(LAST, left=2.0)
    assert end["reason"].startswith("not run: ")


def test_a_run_that_is_stopped_prints_what_it_knows(tmp_path):
    command = [sys.executable, "-m", "benchmarks.gpu", "--out", str(tmp_path), "--device", "cpu"]
    process = subprocess.Popen(
        [*command, "--tiny", "--only", "ceilings", "--only", "loader"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    while not of(read(tmp_path), "ceilings"):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "stopped: this is what is known so far" in printed
    assert "versions: python" in printed


def test_without_a_gpu(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "_has_gpu", lambda: False)
    assert gpu.main(["--out", str(tmp_path)]) == 2
    assert "a dry run: --device cpu --tiny" in capsys.readouterr().err
    assert gpu.main(["--out", str(tmp_path), "--device", "cpu"]) == 2
    assert "add --tiny" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_folder_that_cannot_be_written(folder, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert gpu.main(["--out", str(tmp_path / folder), "--device", "cpu", "--tiny"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("cannot write results to ") and said.count("\n") == 1


def groups(*arguments, side_by_side=True):
    asked = gpu._parser().parse_args(["--out", "x", *arguments])
    found = gpu._groups(asked, side_by_side)
    return [[part.name for part in group] for group in found], found


def test_what_is_timed_runs_alone():
    names, found = groups()
    alone = [group[0] for group in names if len(group) == 1]
    assert alone == ["ceilings", "steps", "attention", "trace", "loader"]
    longest = [max(part.seconds for part in group) for group in found]
    assert sum(longest) <= 560
    names, _ = groups(side_by_side=False)
    assert names == [[name] for name in gpu.NAMES]


def test_few_parts_have_all_the_time():
    names, found = groups("--only", "attention", "--only", "warm", "--seconds", "200")
    assert names == [["warm"], ["attention"]]
    assert [part.seconds for group in found for part in group] == [200, 200]


def test_a_line_that_was_cut_off_is_passed_over(tmp_path):
    (tmp_path / FILE).write_text('{"part": "steps", "item": "a", "value": 1}\n{"part": "st')
    assert read(tmp_path) == [{"part": "steps", "item": "a", "value": 1}]


OUTPUT = """\
[gw0] [  1%] PASSED tests/compiler/kernels/test_varlen.py::test_lengths[gpu-torch.float32-ragged self]
[gw1] [  2%] FAILED tests/compiler/kernels/test_bias.py::test_with_dropout[gpu-x-lengths0]
tests/compiler/kernels/test_fusion.py::test_x[gpu] SKIPPED (this machine has no GPU) [ 20%]
E       assert 1 == 2
FAILED tests/compiler/kernels/test_bias.py::test_with_dropout[gpu-x-lengths0] - AssertionError: 3
SKIPPED [10] tests/compiler/kernels/test_varlen.py:22: this machine has no GPU
"""  # noqa: E501


def test_outcomes_of_tests_are_read_from_what_pytest_prints(tmp_path):
    results = Results("tests", Options(out=tmp_path, device="cpu"))
    counts = dict.fromkeys(("PASSED", "FAILED", "ERROR", "SKIPPED"), 0)
    for line in OUTPUT.splitlines():
        _note(line, counts, results)
    assert counts == {"PASSED": 1, "FAILED": 1, "ERROR": 0, "SKIPPED": 1}
    failed, why = read(tmp_path)
    name = "tests/compiler/kernels/test_bias.py::test_with_dropout[gpu-x-lengths0]"
    assert failed["item"] == why["item"] == name
    assert why["reason"] == "AssertionError: 3"


def test_table_of_a_run():
    lines = [
        {"part": "numerics", "item": "captions, bfloat16, 64 wide", "right": False,
         "same_bits": True, "largest": 0.5, "accepted": 0.01},
        {"part": "attention", "item": "image", "contender": "triton", "milliseconds": 1.0,
         "eager milliseconds": 2.0, "tflops": 3.0},
        {"part": "attention", "item": "image", "contender": "triton", "ratio": 1.25,
         "eager ratio": 0.5, "share of ceiling": 0.1},
        {"part": "attention", "item": "image", "contender": "flash", "reason": "no mask"},
        {"part": "attention", "item": "text", "contender": "flash", "reason": "no mask"},
        {"part": "steps", "item": "end", "reason": "ended at its limit of 3 s"},
    ]  # fmt: skip
    text = table([json.loads(json.dumps(line)) for line in lines])
    assert "0 of 1 right" in text
    assert "WRONG captions, bfloat16, 64 wide: 5.00e-01 > 1.00e-02" in text
    assert "1.25 x best other, 0.50 x eager" in text
    assert text.count("no mask") == 1
    assert "end: ended at its limit of 3 s" in text
