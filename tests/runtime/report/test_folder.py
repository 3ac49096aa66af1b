import json
from pathlib import Path

from renaissance.runtime.report.folder import read_folder


def log(folder: Path, *lines: dict | str) -> None:
    job = folder / "base"
    job.mkdir()
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (job / "log.jsonl").write_text(text)


def begin(step: int) -> dict:
    return {"event": "start", "job": "base", "spec_hash": "x", "step": step}


def trained(step: int, loss: float | str) -> dict:
    return {"event": "step", "step": step, "loss": loss}


def test_steps_that_were_done_again_count_once(tmp_path: Path) -> None:
    lines = [begin(0), trained(1, 4.0), trained(2, 3.0), trained(3, 9.0), begin(2), trained(3, 2.0)]
    log(tmp_path, *lines)
    (run,) = read_folder(tmp_path).jobs
    assert [(entry.step, entry.loss) for entry in run.log.steps] == [(1, 4.0), (2, 3.0), (3, 2.0)]
    assert len(run.log.starts) == 2


def test_line_cut_by_a_kill_is_counted(tmp_path: Path) -> None:
    log(tmp_path, begin(0), trained(1, 4.0), '{"event": "st')
    (run,) = read_folder(tmp_path).jobs
    assert run.log.damaged == 1
    assert len(run.log.steps) == 1
    assert run.problems == ("1 line of base/log.jsonl could not be read.",)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "log.jsonl").write_bytes(b"\xff\xfe\n\x00\n")
    (tmp_path / "spec.vl").write_bytes(b"\xff\xfe")
    read = read_folder(tmp_path)
    assert read.jobs[0].log.damaged == 2
    assert any(problem.startswith("spec.vl could not be read") for problem in read.problems)


def test_jobs_come_in_the_order_of_the_spec(run_folder: Path) -> None:
    assert [run.name for run in read_folder(run_folder).jobs] == ["base", "vqa", "exam"]
