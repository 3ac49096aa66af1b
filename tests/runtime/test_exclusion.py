"""Who works in a run folder: one process, and anybody where the file system has no locks."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from renaissance.runtime import exclusion
from renaissance.runtime.errors import UsageError
from renaissance.runtime.exclusion import held


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    told: list[str] = []
    with (
        held(tmp_path, told.append),
        pytest.raises(UsageError, match="another process is at work"),
        held(tmp_path, told.append),
    ):
        pass
    with held(tmp_path, told.append):
        pass
    assert not told


def test_a_child_that_has_not_run_yet_keeps_nobody_out(tmp_path: Path) -> None:
    with held(tmp_path):
        [descriptor] = exclusion._OF_THIS_PROCESS
        copy = os.dup(descriptor)  # as a child has it from being forked on
    with held(tmp_path):
        os.close(copy)


@pytest.mark.parametrize("reason", [errno.ENOSYS, errno.ENOLCK, errno.EBADF, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_worked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(fcntl, "flock", refuse)
    told: list[str] = []
    with held(tmp_path, told.append):
        pass
    assert len(told) == 1 and "file system without locks" in told[0]
