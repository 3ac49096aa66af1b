"""What `exit.json` says of runs that finish, stop, fail and are refused."""

import signal
from contextlib import suppress
from pathlib import Path

import pytest

from renaissance.runtime.ending import ENDING, Ending, Position, recorded_ending
from renaissance.runtime.errors import InterruptionError, JobError, UsageError
from renaissance.runtime.observer import Silent


def ending_of(folder: Path, problem: BaseException | None) -> Ending:
    position = Position(Silent())
    raised = () if problem is None else (type(problem),)
    with suppress(*raised), recorded_ending(folder, position):
        position.begin("base", "train", 8)
        position.advance("train", 5)
        position.begin("base", "validate", 100)
        position.advance("validate", 64)
        assert not (folder / ENDING).exists()
        if problem is not None:
            raise problem
    return Ending.model_validate_json((folder / ENDING).read_bytes())


@pytest.mark.parametrize(
    ("problem", "state", "code"),
    [
        (None, "finished", 0),
        (InterruptionError(signal.SIGTERM, "stopped"), "interrupted", 143),
        (InterruptionError(signal.SIGUSR1, "stopped"), "interrupted", 138),
        (InterruptionError(signal.SIGINT, "stopped"), "interrupted", 130),
        (KeyboardInterrupt(), "interrupted", 130),
        (UsageError("no such source"), "refused", 2),
        (JobError("the disk is full"), "failed", 3),
        (RuntimeError("a bug"), "failed", 3),
    ],
)
def test_it_says_how_and_where_a_run_ended(
    tmp_path: Path, problem: BaseException | None, state: str, code: int
) -> None:
    (tmp_path / ENDING).write_text("what an earlier run left")
    ending = ending_of(tmp_path, problem)
    assert (ending.state, ending.code) == (state, code)
    assert (ending.job, ending.step, ending.total_steps) == ("base", 5, 8)
    assert ending.message == ("" if problem is None else str(problem))
