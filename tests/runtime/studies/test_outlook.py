"""What is left of a study before it goes on."""

from pathlib import Path

import pytest

from renaissance.runtime.studies.counting import write_stage
from renaissance.runtime.studies.outlook import outlook, time_left
from renaissance.runtime.studies.records import Costs
from renaissance.runtime.studies.results import read_stage
from renaissance.runtime.studies.stages import Stage, Stages
from tests.made_study import make_study
from tests.tiny import tiny_experiment

JOBS = {"base0": "base", "vqa-none-0": "vqa", "vqa-vision-0": "vqa"}
CELLS = ("freeze=none/seed=0", "freeze=vision/seed=0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of which one fine-tuning has not begun; the other one took 30 seconds."""
    return make_study(tmp_path / "runs" / "s", {"none": (0.8,), "vision": (None,)})


def stages() -> tuple[Stage, ...]:
    spec = tiny_experiment("nowhere")
    users = {"base0": CELLS, "vqa-none-0": CELLS[:1], "vqa-vision-0": CELLS[1:]}
    return tuple(
        Stage(id=id, spec=spec, job=job, sources=(), users=users[id]) for id, job in JOBS.items()
    )


def left(folder: Path) -> float | None:
    done = {"base0", "vqa-none-0"}
    root = folder.parent / ".stages"
    return time_left(stages(), root, settled=lambda stage: stage.id in done, workers=2)


def test_a_stage_takes_as_long_as_equal_ones_did_less_what_is_done(folder: Path) -> None:
    assert left(folder) == pytest.approx(30 / 2)
    home = folder.parent / ".stages" / "vqa-vision-0"
    record = read_stage(home)
    assert record is not None
    write_stage(home, record.model_copy(update={"costs": Costs(seconds=12.0)}))
    assert left(folder) == pytest.approx(18 / 2)
    (folder.parent / ".stages/vqa-none-0/vqa/result.json").unlink()
    assert left(folder) is None  # nothing like it has been done


def test_what_is_done_and_what_is_left(folder: Path) -> None:
    found = Stages(distinct={stage.id: stage for stage in stages()}, of_cells={}, problems={})
    before = outlook(found, folder, CELLS)
    assert [stage.id for stage in before.to_run] == ["vqa-vision-0"]
    assert not before.begun and not before.failed
    one = outlook(found, folder, CELLS[:1])
    assert len(one.stages) == 2 and not one.to_run
