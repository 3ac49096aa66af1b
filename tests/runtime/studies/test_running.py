"""Studies as they run: equal stages once, going on after stops and kills, several processes."""

import os
import shutil
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from renaissance.grammar.canonical import print_spec
from renaissance.grammar.loading import load_studies
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.render.study_plan import draw_study
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.exclusion import held
from renaissance.runtime.observer import Observer, Silent
from renaissance.runtime.records import Checkpoint, Event, Step
from renaissance.runtime.studies import working
from renaissance.runtime.studies.data import Data
from renaissance.runtime.studies.folder import stages_folder
from renaissance.runtime.studies.operations import Planned
from renaissance.runtime.studies.planning import plan_study
from renaissance.runtime.studies.records import STAGE, Costs
from renaissance.runtime.studies.results import CellResults, StudyResults, read_results, read_stage
from renaissance.runtime.studies.stages import Stage, stages_of
from renaissance.runtime.studies.working import Settled, begin_study, run_study
from tests.runs import PROCESSES
from tests.runtime.feature_cache.runs import counts
from tests.tiny import tiny_experiment, write_easy_vqa

STUDY = """
study freezing {
  of = [vqa]
  seeds = SEEDS
  factor freeze {
    none   { vqa { model { freeze nothing } } }
    vision { vqa { model { freeze vision } } }
  }
}
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = write_easy_vqa(tmp_path_factory.mktemp("data") / "vqa", train=10, test=5)
    return print_spec(_experiment(root))


def _experiment(root: Path, **model: Any) -> Spec:
    keys: dict[str, Any] = {"steps": 4, "batch": 8}
    return tiny_experiment(root, layers=1, base=keys, vqa=keys, **model)


@pytest.fixture
def write(text: str, tmp_path: Path) -> Any:
    """Write the file of the study; returns its path."""

    def written(seeds: str = "[0]", *changes: tuple[str, str]) -> Path:
        return _write(tmp_path / "a.vl", text, seeds, *changes)

    return written


def _write(path: Path, text: str, seeds: str, *changes: tuple[str, str]) -> Path:
    file = text + STUDY.replace("SEEDS", seeds)
    for old, new in changes:
        assert old in file
        file = file.replace(old, new)
    path.write_text(file)
    return path


def _root(text: str) -> Path:
    """Return the folder of the data of a spec."""
    return Path(text.partition("root")[2].partition('"')[2].partition('"')[0])


class Told:
    """Remembers what was settled; `inner` watches stages."""

    def __init__(self, inner: Observer | None = None) -> None:
        self.settled: list[Settled] = []
        self.inner = Silent() if inner is None else inner

    def stage(self, state: Settled) -> None:
        self.settled.append(state)

    def watching(self, stage: Stage) -> Observer:
        return self.inner

    @property
    def jobs(self) -> list[str]:
        return [each.stage.job for each in self.settled]


class StopAt(Silent):
    """Asks the process to stop, or kills it, at the first checkpoint of a job."""

    def __init__(self, number: int) -> None:
        self.number, self.asked = number, False

    def event(self, event: Event) -> None:
        if isinstance(event, Checkpoint) and event.step == 2 and not self.asked:
            self.asked = True
            os.kill(os.getpid(), self.number)


def run(path: Path, folder: Path, told: Told | None = None, **options: Any) -> StudyResults:
    [study] = load_studies(path).values()
    stages = stages_of(study.cells, Data())
    begin_study(folder, study, stages)
    told = Told() if told is None else told
    options = {"pages": False, **options}
    return run_study(study, stages, folder, told, device="cpu", **options)


@pytest.fixture(scope="module")
def ended(text: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyResults]:
    """The folder of the study, which ran once with one seed, and its results."""
    home = tmp_path_factory.mktemp("ended")
    folder = home / "runs" / "s"
    return folder, run(_write(home / "a.vl", text, "[0]"), folder)


def test_equal_stages_run_once_and_a_seed_is_added(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, folder = Told(), tmp_path / "runs" / "s"
    results = run(write(), folder, told, pages=True)
    assert told.jobs == ["base", "vqa", "exam", "vqa", "exam"]
    assert [each.number for each in told.settled] == [1, 2, 3, 4, 5]
    assert {each.total for each in told.settled} == {5}
    assert told.settled[0].left is None and told.settled[2].left is not None

    none, vision = results.cells
    assert (none.state, vision.state) == ("done", "done")
    assert none.jobs["base"].stage == vision.jobs["base"].stage
    assert none.jobs["base"].shared == ("freeze=vision/seed=0",)
    assert none.jobs["vqa"].shared == ()
    assert set(none.metrics["exam"]) >= {"accuracy", "loss"}
    exam = vision.jobs["exam"]
    assert exam.predictions is not None and exam.predictions.exists()
    assert exam.report is not None and exam.report.exists()
    assert (folder / "cells/freeze=vision/seed=0/vqa/log.jsonl").exists()

    again = Told()
    run(write("[0, 1]"), folder, again)
    assert again.jobs == ["base", "vqa", "exam", "vqa", "exam"]
    assert {each.stage.users[0].rpartition("/")[2] for each in again.settled} == {"seed=1"}
    assert len(read_results(folder).cells) == 4
    # A narrower invocation forgets no seed that is there.
    assert len(run(write("[1]"), folder, again).cells) == 4
    assert len(again.jobs) == 5

    # A cell that another process is just linking gets its page when that is done.
    home, waits, other = exam.report.parent, list[float](), ExitStack()
    exam.report.unlink()
    other.enter_context(held(home))

    def wait(seconds: float) -> None:
        waits.append(seconds)
        other.close()

    monkeypatch.setattr(working, "time", SimpleNamespace(sleep=wait, time=time.time))
    run(write(), folder, again, pages=True)
    assert len(waits) == 1 and exam.report.exists() and len(again.jobs) == 5


def test_costs_are_counted_once_and_add_up(ended: tuple[Path, StudyResults]) -> None:
    _, results = ended
    none, vision = results.cells
    base = none.jobs["base"].costs
    assert base.operations is not None and base.seconds is not None
    assert base.peak_memory is None or base.peak_memory > 2**26
    for name in ("operations", "cpu_seconds"):
        whole, of_base = getattr(results.costs, name), getattr(base, name)
        both = getattr(none.costs, name) + getattr(vision.costs, name)
        assert whole == pytest.approx(both - of_base)
    assert vision.costs.operations is not None and none.costs.operations is not None
    assert vision.costs.operations < none.costs.operations
    mine, all_learn = vision.jobs["vqa"].trainable, none.jobs["vqa"].trainable
    assert mine is not None and all_learn is not None and mine < all_learn


@pytest.mark.parametrize(
    "changes",
    [
        (("pretrain base on", "pretrain start on"), ("vqa from base", "vqa from start")),
        (("evaluate exam of vqa", "evaluate test of vqa"),),
        (("seeds = [0]", "# a remark\n  seeds = [0]"),),
    ],
)
def test_names_and_remarks_run_nothing_again(
    write: Any, ended: tuple[Path, StudyResults], changes: tuple[tuple[str, str], ...]
) -> None:
    folder, before = ended
    told = Told()
    # Another study beside it, too.
    after = run(write("[0]", *changes), folder.with_name("other"), told)
    rmtree(folder.with_name("other"))
    assert told.settled == []
    [old, new] = ([*results.cells[0].metrics.values()] for results in (before, after))
    assert old == new and old
    assert all(cell.state == "done" for cell in after.cells)


def test_cosmetic_keys_are_no_part_of_a_stage_and_others_are(write: Any) -> None:
    def ids(*changes: tuple[str, str]) -> list[str]:
        [study] = load_studies(write("[0]", *changes)).values()
        return list(stages_of(study.cells, Data()).distinct)

    before = ids()
    cosmetic = ids(("checkpoint_every = 10%", "checkpoint_every = 50%"))
    assert cosmetic == before
    rate = ids(("lr           = 0.002", "lr = 0.003"))
    assert not set(rate) & set(before)


def test_other_data_are_another_stage(write: Any, tmp_path: Path) -> None:
    [study] = load_studies(write()).values()
    before = stages_of(study.cells, Data())
    block = next(iter(study.cells[0].spec.data.values()))
    image = next(Path(block.root, "train", "images").glob("*.png"))  # type: ignore[attr-defined]
    kept = image.read_bytes()
    try:
        image.write_bytes(kept + b"\0")
        after = stages_of(study.cells, Data())
    finally:
        image.write_bytes(kept)
    assert not set(before.distinct) & set(after.distinct) or _measures(before, after)
    assert list(stages_of(study.cells, Data()).distinct) == list(before.distinct)


def _measures(before: Any, after: Any) -> bool:
    """Tell whether all that learns differs."""
    same = set(before.distinct) & set(after.distinct)
    return all(before.distinct[id].kind == "evaluate" for id in same)


def test_features_of_one_variant_serve_the_others(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = _root(text)
    frozen = Freeze(selectors=("vision",), cache=True, cache_limit=1.0)
    path = tmp_path / "a.vl"
    path.write_text(
        print_spec(_experiment(root, freeze=(frozen,)))
        + """
study rates {
  of = [vqa]
  factor rate { low { vqa.optimizer.lr = 1e-3 }, high { vqa.optimizer.lr = 1e-2 } }
}
"""
    )
    [study] = load_studies(path).values()
    plan = plan_study(study, Planned(), Data())
    low, high = run(path, tmp_path / "runs" / "s").cells
    assert (low.state, high.state) == ("done", "done")
    assert low.jobs["vqa"].stage != high.jobs["vqa"].stage

    def counted(job: str, cell: CellResults) -> tuple[int, int, int]:
        folder = cell.jobs[job].folder
        assert folder is not None
        return counts(folder.parent, job)

    _, computed, kept = counted("base", low)
    assert computed > 0 and kept > 0
    for job in ("vqa", "exam"):
        assert counted(job, high)[0] > 0 and counted(job, high)[1:] == (0, 0)
    assert sum(counted("exam", low)[1:]) > 0  # nobody has seen these images before

    [features] = plan.kept
    assert (features.stream, features.after, features.stages) == ("vision", None, 5)
    assert features.jobs == ("base", "vqa", "exam") and len(features.cells) == 2
    assert features.count == sum(counted(job, low)[2] for job in features.jobs)
    assert 0 < features.once < features.each_time and plan.saved > 0
    [line] = (line for line in map(str, draw_study(plan)) if "kept features of" in line)
    assert "computed once for `base`, `vqa`, `exam` of rate=low, rate=high (5 stages)" in line


def test_a_failed_cell_says_why_and_the_others_go_on(write: Any, tmp_path: Path) -> None:
    path = write(
        "[0]",
        ("none   { vqa { model { freeze nothing } } }", "none { vqa.optimizer.lr = 1e-3 }"),
        ("vision { vqa { model { freeze vision } } }", "vision { vqa.optimizer.lr = 1e6 }"),
    )
    folder = tmp_path / "runs" / "s"
    none, vision = run(path, folder).cells
    assert (none.state, vision.state) == ("done", "failed")
    assert vision.why.startswith("vqa: ") and "finite" in vision.why
    assert vision.jobs["base"].state == "done" and vision.jobs["exam"].state == "failed"
    assert "`vqa`, which it starts from, failed" in vision.jobs["exam"].why


def test_data_that_are_not_there_fail_what_reads_them(write: Any, tmp_path: Path) -> None:
    path = write(
        "[0]",
        ("none   { vqa { model { freeze nothing } } }", 'none { vqa.task.root = "gone" }'),
        ("vision { vqa { model { freeze vision } } }", "vision { vqa.task.root = ROOT }"),
    )
    spec = path.read_text()
    path.write_text(spec.replace("ROOT", f'"{_root(spec)}"'))
    told = Told()
    none, vision = run(path, tmp_path / "runs" / "s", told).cells
    assert (none.state, vision.state) == ("failed", "done")
    assert "gone" in none.why and told.jobs == ["base", "vqa", "exam"]


def test_a_stop_and_a_kill_lose_no_stage(
    write: Any, text: str, ended: tuple[Path, StudyResults], tmp_path: Path
) -> None:
    keys = ("checkpoint_every = 10%", "checkpoint_every = 2")
    root, folder = _root(text), tmp_path / "runs" / "s"
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(root, old)
    with pytest.raises(InterruptionError):
        path = write("[0]", keys, (str(root), str(old)))
        run(path, folder, Told(StopAt(signal.SIGTERM)))
    [cell, _] = read_results(folder).cells
    assert cell.state == "waiting" and (cell.jobs["base"].costs.seconds or 0) > 0
    # The data move meanwhile. It goes on in a process that dies, whose lock dies with it.
    old.rename(new)
    path = write("[0]", keys, (str(root), str(new)))
    worker = PROCESSES.Process(target=_killed, args=(path, folder))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    results = run(path, folder)
    assert all(cell.state == "done" for cell in results.cells)

    _, whole = ended
    for went_on, at_once in zip(results.cells, whole.cells, strict=True):
        assert went_on.metrics == at_once.metrics
        assert went_on.costs.operations == at_once.costs.operations


def _killed(path: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    run(path, folder, Told(KillAt()))


class KillAt(Silent):
    """Kills the process after the first step of a fine-tuning."""

    def begin(self, job: str, stage: str, total: int) -> None:
        self.job = job

    def event(self, event: Event) -> None:
        if isinstance(event, Step) and self.job == "vqa":
            os.kill(os.getpid(), signal.SIGKILL)


def test_two_processes_share_the_stages(write: Any, tmp_path: Path) -> None:
    path, folder = write("[0, 1]"), tmp_path / "runs" / "s"
    workers = [PROCESSES.Process(target=_work, args=(path, folder)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    results = read_results(folder)
    assert all(cell.state == "done" for cell in results.cells)
    for stage in results.stages.values():
        assert stage.folder is not None
        starts = (stage.folder / "log.jsonl").read_text().count('"event": "start"')
        assert starts == 1


def _work(path: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    run(path, folder)


def test_what_kills_its_processes_fails_in_the_end(write: Any, tmp_path: Path) -> None:
    path, folder, began = write(), tmp_path / "runs" / "s", time.time()
    for _ in range(2):
        worker = PROCESSES.Process(target=_dies, args=(path, folder, began))
        worker.start()
        worker.join()
        assert worker.exitcode == -signal.SIGKILL
    one = ["freeze=none/seed=0"]
    results = run(path, folder, only=one, began=began)
    assert results.cells[0].state == "failed" and "memory" in results.cells[0].why
    # Asked for anew it is tried anew.
    assert run(path, folder, only=one).cells[0].state == "done"


def _dies(path: Path, folder: Path, began: float) -> None:
    torch.set_num_threads(1)
    run(path, folder, Told(KillAtStart()), began=began)


class KillAtStart(Silent):
    """Kills the process when something begins."""

    def begin(self, job: str, stage: str, total: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_stage_says_what_it_is(write: Any, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "s"
    results = run(write(), folder, only=["freeze=none/seed=0"])
    assert [cell.state for cell in results.cells] == ["done", "waiting"]
    for id, stage in results.stages.items():
        record = read_stage(stages_folder(folder) / id)
        if stage.state == "done":
            assert record is not None and record.stage == id and record.job == stage.name

    base = results.cells[0].jobs["base"]
    assert base.folder is not None and base.costs.operations
    log = (base.folder / "log.jsonl").read_bytes()
    (base.folder.parent / STAGE).write_text("{")
    again = run(write(), folder, only=["freeze=none/seed=0"]).cells[0]
    assert again.state == "done" and again.jobs["base"].costs == Costs()
    assert (base.folder / "log.jsonl").read_bytes() == log
