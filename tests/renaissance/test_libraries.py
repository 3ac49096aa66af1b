"""Verbs that run models start again with settings of libraries, once, and where glibc is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from renaissance.libraries import (
    SETTINGS,
    SPINNING,
    TUNABLES,
    TURNS,
    WAITING,
    start_again_with_settings,
)

Started = list[tuple[list[str], dict[str, str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """What was started, on a machine with glibc."""
    found: Started = []

    def execve(path: str, command: list[str], environment: dict[str, str]) -> None:
        assert path == command[0] == sys.executable
        found.append((command, environment))

    monkeypatch.setattr(os, "confstr", lambda name: "glibc 2.36")
    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "renaissance", "train", "a b.vl"])
    for name in (TUNABLES, *WAITING):
        monkeypatch.delenv(name, raising=False)
    return found


def test_the_same_command_starts_with_the_settings(started: Started) -> None:
    start_again_with_settings()
    ((command, environment),) = started
    assert command[1:] == ["-m", "renaissance", "train", "a b.vl"]
    assert environment == os.environ | {TUNABLES: SETTINGS, SPINNING: TURNS}


@pytest.mark.parametrize("settings", [SETTINGS, "glibc.malloc.check=3", ""])
@pytest.mark.parametrize("waiting", WAITING)
def test_settings_of_the_user_stay(
    settings: str, waiting: str, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TUNABLES, settings)
    start_again_with_settings()
    ((_, environment),) = started
    assert environment == os.environ | {SPINNING: TURNS}
    monkeypatch.setenv(waiting, "ACTIVE")
    start_again_with_settings()
    assert len(started) == 1


@pytest.mark.parametrize("library", ["musl 1.2", "", None])
def test_another_library_is_left_alone(
    library: str | None, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "confstr", lambda name: library)
    start_again_with_settings()
    assert not started


def test_a_process_that_cannot_be_started_again_goes_on(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refuse(program: str, *anything: object) -> None:
        tried.append(program)
        raise PermissionError("not here")

    monkeypatch.setattr(os, "execve", refuse)
    before = dict(os.environ)
    start_again_with_settings()
    assert tried == [sys.executable] and dict(os.environ) == before


@pytest.mark.parametrize("verb", ["train", "check"])
def test_a_command_still_ends_as_it_did(verb: str, tmp_path: Path) -> None:
    environment = {
        name: text for name, text in os.environ.items() if name not in (TUNABLES, WAITING)
    }
    done = subprocess.run(
        [sys.executable, "-m", "renaissance", verb, "absent file.vl"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "absent file.vl" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
