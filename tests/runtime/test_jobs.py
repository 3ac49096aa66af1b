"""All jobs of a spec in a folder: results, skipping, other specs, weights between jobs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from renaissance.compiler import build
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import JobError, jobs, run_jobs
from renaissance.runtime.checkpoint import read_checkpoint
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.parts import parts_of
from renaissance.runtime.errors import CheckpointError, UsageError
from renaissance.runtime.exclusion import held
from renaissance.runtime.folder import changes
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.preflight import check_readable
from renaissance.runtime.records import EVENT, JobResult
from renaissance.runtime.training.transfer import start_from
from tests.runs import notices, train
from tests.tiny import tiny_experiment


def test_from_pairs_to_answers(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    long = {"steps": 120, "batch": 16, "optimizer": AdamW(lr=5e-3), "validate_every": 60}
    spec = tiny_spec(dropout=0.0, base={**long, "steps": 20}, vqa=long)
    spec = spec.model_copy(
        update={
            "jobs": {
                **spec.jobs,
                "exam": spec.jobs["exam"].model_copy(update={"write": "answers.jsonl"}),
            }
        }
    )
    run = run_jobs(spec, tmp_path, device="cpu")
    assert [result.job for result in run.results] == ["base", "vqa", "exam"]
    exam = run.results[2]
    # Colours are plain to see: whoever cannot learn them learns nothing.
    assert exam.metrics["accuracy"] > 0.8
    assert len(exam.confusion) == len(exam.answers) and sum(map(sum, exam.confusion)) == 32
    right = sum(exam.confusion[n][n] for n in range(len(exam.answers)))
    assert exam.metrics["accuracy"] == pytest.approx(right / 32)
    written = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert len(written) == 32
    assert sum(entry["answer"] == entry["prediction"] for entry in written) == right
    assert all(Path(sample.image).is_file() for sample in exam.samples)
    assert run.report is not None and run.report.is_file()
    for name in ("base", "vqa"):
        for line in (tmp_path / name / "log.jsonl").read_text().splitlines():
            EVENT.validate_json(line)
        assert list((tmp_path / name / "tensorboard").iterdir())
        stored = JobResult.model_validate_json((tmp_path / name / "result.json").read_bytes())
        assert stored.steps == spec.jobs[name].steps  # type: ignore[union-attr]
        assert not list((tmp_path / name).rglob("*.pt"))
    assert Spec.model_validate_json((tmp_path / "spec.json").read_text()) == spec


def test_what_a_later_job_cannot_read_is_said_before_anything_is_learned(
    vqa_root: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(vqa_root, tmp_path / "vqa"))
    (root / "test/questions.json").unlink()
    spec = tiny_experiment(root)
    for fresh in (False, True):
        with pytest.raises(DataError) as error:
            train(spec, tmp_path / "run", fresh=fresh)
        assert str(error.value).startswith("job `exam` could not run: ")
        assert str(root / "test/questions.json") in str(error.value)
        assert "--how" in str(error.value)
        assert not (tmp_path / "run/base").exists()
    check_readable(spec, ["base", "vqa"], parts_of(spec))
    (root / "train/questions.json").unlink()
    with pytest.raises(DataError, match="job `vqa` could not run"):
        check_readable(spec, ["base", "vqa"], parts_of(spec))


def test_what_has_finished_is_not_done_again(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    shutil.rmtree(finished_run / "exam")
    log = (finished_run / "base/log.jsonl").read_bytes()
    run = train(tiny_spec(), finished_run)
    assert run.skipped == ("base", "vqa") and run.report is None
    assert (finished_run / "base/log.jsonl").read_bytes() == log
    assert train(tiny_spec(), finished_run).skipped == ("base", "vqa", "exam")
    assert train(tiny_spec(), finished_run, "exam", again=True).skipped == ()


def test_another_spec_in_the_same_folder(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    other = tiny_spec(base={"seed": 3})
    with pytest.raises(UsageError, match=r"`jobs.base.seed` was 0, is 3; .*--fresh"):
        train(other, finished_run, "base")
    assert train(other, finished_run, "base", fresh=True).skipped == ()


def test_a_job_needs_its_source(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    with pytest.raises(JobError, match="job `vqa` starts from job `base`, which has not finished"):
        train(tiny_spec(), tmp_path, "vqa")
    with pytest.raises(UsageError, match="no job `vqb`; jobs are `base`, `vqa`, `exam`"):
        train(tiny_spec(), tmp_path, "vqb")


def test_one_process_at_a_time(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(UsageError, match="another process is at work"):
        train(tiny_spec(), tmp_path)


def test_differences_are_named_by_address() -> None:
    before = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert changes(before, before) == []
    assert changes(before, {"a": {"b": 2, "c": [1]}, "e": 3}) == [
        "`a.b` was 1, is 2",
        "`d` is gone",
        "`e` is new",
    ]


@pytest.fixture
def pretrained(finished: Path) -> Path:
    return finished / "base/checkpoints/step-00000006"


def with_model(spec: Spec, stream: str, change: dict[str, Any]) -> Spec:
    """Change a stream of the model of job `vqa`."""
    model = spec.models["tiny"]
    streams = {**model.streams, stream: model.streams[stream].model_copy(update=change)}
    return spec.model_copy(
        update={"job_models": {"vqa": model.model_copy(update={"streams": streams})}}
    )


def test_weights_are_taken_and_heads_told(tiny_spec: Callable[..., Spec], pretrained: Path) -> None:
    model = build(tiny_spec(), job="vqa")
    transfer = start_from(model, read_checkpoint(pretrained), {})
    stored = load_file(pretrained / "model.safetensors")
    own = model.state_dict()
    for name in own:
        if not name.startswith("heads."):
            assert torch.equal(own[name], stored[name]), name
    assert transfer.dropped == ("itm", "mlm") and transfer.initialised == ("answer",)
    told = " ".join(transfer.sentences("base"))
    assert "`itm`, `mlm`" in told and "`answer`" in told


def test_positions_follow_the_image_size(tiny_spec: Callable[..., Spec], pretrained: Path) -> None:
    larger = with_model(tiny_spec(), "vision", {"image_size": 32})
    transfer = start_from(build(larger, job="vqa"), read_checkpoint(pretrained), {})
    [note] = transfer.notes
    assert "position embeddings of `vision` resized from 5 to 17 rows" in note


def test_other_weights_are_refused(tiny_spec: Callable[..., Spec], pretrained: Path) -> None:
    wider = with_model(tiny_spec(), "text", {"width": 32})
    with pytest.raises(CheckpointError, match=r"do not fit model `tiny`.*of another shape"):
        start_from(build(wider, job="vqa"), read_checkpoint(pretrained), {})
    deeper = with_model(tiny_spec(), "text", {"layers": 3})
    with pytest.raises(CheckpointError, match=r"do not fit model `tiny`.*missing"):
        start_from(build(deeper, job="vqa"), read_checkpoint(pretrained), {})


def test_what_was_taken_over_is_in_the_log(finished: Path) -> None:
    told = notices(finished, "vqa")
    assert len(told) == 3 and "start from job `base`" in told[0]


@pytest.mark.parametrize("fresh", [False, True])
def test_chains_of_jobs_are_tried_once(
    tiny_spec: Callable[..., Spec],
    finished_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    fresh: bool,
) -> None:
    tried: list[tuple[str, ...]] = []
    monkeypatch.setattr(jobs, "check_chains", lambda spec, names: tried.append(tuple(names)))
    train(tiny_spec(), finished_run, "exam", fresh=fresh)
    assert tried == [("exam",)]
