"""A process that is killed while it removes results leaves none that counts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import removal
from renaissance.runtime.errors import UsageError
from tests.runs import train

JOBS = ("base", "vqa", "exam")


class KilledError(BaseException):
    """Stands for SIGKILL: nothing handles it."""


def killed_at(monkeypatch: pytest.MonkeyPatch, operation: int) -> None:
    """End the removal before one of its operations, as a kill does."""
    done = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal done
            done += 1
            if done > operation:
                raise KilledError
            return real(*arguments, **options)

        return call

    monkeypatch.setattr(removal.shutil, "rmtree", counted(removal.shutil.rmtree))
    monkeypatch.setattr(removal.Path, "unlink", counted(Path.unlink))
    monkeypatch.setattr(removal.Path, "rmdir", counted(Path.rmdir))


@pytest.mark.parametrize("operation", [0, 1, 2, 3, 5, 8, 12])
def test_nothing_that_was_to_go_counts(
    tiny_spec: Callable[..., Spec],
    finished_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: int,
) -> None:
    with monkeypatch.context() as patched:
        killed_at(patched, operation)
        with pytest.raises(KilledError):
            removal.remove_results(finished_run, JOBS)
    assert (finished_run / removal.REMOVAL).exists()
    # Without `--fresh`: what was decided is done before anything else.
    removal.finish_removal(finished_run)
    for name in JOBS:
        assert not (finished_run / name).exists()
    assert not (finished_run / removal.REMOVAL).exists()


def test_the_next_start_begins_anew(
    tiny_spec: Callable[..., Spec], finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        killed_at(patched, 4)
        with pytest.raises(KilledError):
            train(tiny_spec(), finished_run, fresh=True)
    run = train(tiny_spec(), finished_run)
    assert run.skipped == ()


def test_a_damaged_list_removes_nothing(tiny_spec: Callable[..., Spec], finished_run: Path) -> None:
    (finished_run / removal.REMOVAL).write_text('{"format":2,"jobs":["base"]')
    with pytest.raises(UsageError, match=r"remove `.removal.json` to keep what is left"):
        train(tiny_spec(), finished_run)
    assert (finished_run / "base/result.json").exists()


def test_results_go_before_what_they_were_made_from(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for operation in range(3):
        with monkeypatch.context() as patched:
            killed_at(patched, operation + 1)
            with pytest.raises(KilledError):
                removal.remove_results(finished_run, JOBS)
        left = [name for name in JOBS if (finished_run / name / "result.json").exists()]
        assert left == list(JOBS[: 2 - operation])
