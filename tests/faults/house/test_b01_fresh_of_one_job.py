"""`train FILE:JOB --fresh` removes that job and what was made from it, or nothing at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import DataError
from renaissance.runtime.errors import UsageError
from renaissance.runtime.observer import Silent
from renaissance.runtime.records import Event, Notice
from tests.runs import train


class Listener(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def event(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.said.append(event.text)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_source_is_kept(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    before = contents(finished_run / "base")
    exam = (finished_run / "exam/log.jsonl").read_bytes()
    hearing = Listener()
    run = train(tiny_spec(), finished_run, "vqa", fresh=True, observer=hearing)
    assert run.skipped == () and [result.job for result in run.results] == ["vqa"]
    assert contents(finished_run / "base") == before
    # What was measured on weights that are gone counts no longer.
    assert not (finished_run / "exam/result.json").exists() and exam
    [said] = [sentence for sentence in hearing.said if "removed" in sentence]
    assert "`vqa`, `exam`" in said and "`base`" not in said
    assert train(tiny_spec(), finished_run).skipped == ("base", "vqa")


def test_nothing_is_removed_where_the_source_is_missing(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    (finished_run / "base/result.json").unlink()
    before = contents(finished_run / "vqa")
    with pytest.raises(UsageError, match="starts from job `base`, which has not finished"):
        train(tiny_spec(), finished_run, "vqa", fresh=True)
    assert contents(finished_run / "vqa") == before
    assert (finished_run / "exam/result.json").exists()
    assert (finished_run / "base/checkpoints").is_dir()


def test_an_evaluation_alone(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    before = contents(finished_run / "vqa") | contents(finished_run / "base")
    assert train(tiny_spec(), finished_run, "exam", fresh=True).skipped == ()
    assert contents(finished_run / "vqa") | contents(finished_run / "base") == before


def test_all_jobs(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    (finished_run / "vqa/notes.txt").write_text("mine")
    assert train(tiny_spec(), finished_run, fresh=True).skipped == ()
    # What a run has not written is none of its business.
    assert (finished_run / "vqa/notes.txt").read_text() == "mine"


def test_part_of_another_spec_is_not_kept_beside_new_results(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    before = contents(finished_run)
    other = tiny_spec(vqa={"seed": 3})
    with pytest.raises(UsageError, match=r"`jobs.vqa.seed` was 0, is 3; .*renaissance train FILE"):
        train(other, finished_run, "vqa", fresh=True)
    after = contents(finished_run)
    assert {name: after.get(name) for name in before} == before


def test_nothing_is_removed_where_the_data_are_gone(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    spec = tiny_spec()
    data = {name: part.model_copy(update={"root": "/gone"}) for name, part in spec.data.items()}
    before = contents(finished_run / "base")
    with pytest.raises(DataError, match=r"`/gone`, the `root` of data `.*`, does not exist"):
        train(spec.model_copy(update={"data": data}), finished_run, fresh=True)
    assert contents(finished_run / "base") == before
    assert (finished_run / "vqa/result.json").exists()
