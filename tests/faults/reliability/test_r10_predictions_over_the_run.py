"""`write` of an evaluation cannot name what the run keeps itself, and appears whole."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.outputs import OF_JOB, OF_RUN, refusal
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.errors import JobError, UsageError
from tests.runs import train


def writing(spec: Spec, write: str) -> Spec:
    exam = spec.jobs["exam"].model_copy(update={"write": write})
    return spec.model_copy(update={"jobs": {**spec.jobs, "exam": exam}})


REFUSED = (
    "spec.json",
    "./spec.vl",
    "x/../report.html",
    ".lock",
    "exit.json",
    "base",
    "exam",
    "exam/",
    "exam/result.json",
    "vqa/checkpoints/answers.jsonl",
    "base/../base/best.json",
    "vqa/tokenizer.special.json",
    ".",
    "",
    "a/..",
    "a\nb",
)


@pytest.mark.parametrize("write", REFUSED)
def test_nothing_is_run(tiny_spec: Callable[..., Spec], finished_run: Path, write: str) -> None:
    before = {p: p.read_bytes() for p in finished_run.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="cannot write its predictions") as caught:
        train(writing(tiny_spec(), write), finished_run)
    assert "evaluation `exam`" in str(caught.value)
    assert {p: p.read_bytes() for p in finished_run.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("spelling", ["absolute", "above", "link"])
def test_other_spellings_of_the_same_file(
    tiny_spec: Callable[..., Spec], finished_run: Path, tmp_path: Path, spelling: str
) -> None:
    (tmp_path / "link").symlink_to(finished_run)
    write = {
        "absolute": str(finished_run / "spec.json"),
        "above": f"../{finished_run.name}/base/result.json",
        "link": str(tmp_path / "link" / "vqa" / "log.jsonl"),
    }[spelling]
    with pytest.raises(UsageError, match="cannot write its predictions"):
        train(writing(tiny_spec(), write), finished_run, "exam")


@pytest.mark.parametrize("write", ["answers.jsonl", "exam/answers.jsonl", "out/deep/a.jsonl"])
def test_other_files_are_written_whole(
    tiny_spec: Callable[..., Spec], finished_run: Path, write: str
) -> None:
    train(writing(tiny_spec(), write), finished_run, "exam", again=True)
    lines = (finished_run / write).read_text().splitlines()
    assert len(lines) == 32 and all(json.loads(line)["text"] for line in lines)
    assert not list((finished_run / write).parent.glob(".draft-*"))


def test_a_device_is_written_to(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    train(writing(tiny_spec(), "/dev/null"), finished_run, "exam", again=True)
    assert Path("/dev/null").is_char_device()
    with pytest.raises(JobError, match=r"`/proc/.*` cannot be used"):
        train(writing(tiny_spec(), "/proc/x"), finished_run, "exam", again=True)


def test_every_file_of_a_run_is_known(finished: Path) -> None:
    for path in finished.iterdir():
        assert path.is_dir() or path.name in OF_RUN, path.name
    for job in ("base", "vqa", "exam"):
        for path in (finished / job).iterdir():
            assert path.name in OF_JOB, path.name
    assert refusal("predictions.jsonl", ("base",)) is None
