"""The folder of a run: which spec it belongs to, which jobs have finished, who works in it."""

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from renaissance.grammar.canonical import UnprintableError, print_spec
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.errors import UsageError
from renaissance.runtime.records import JobResult
from renaissance.runtime.sealed import write_whole
from renaissance.runtime.training import RESULT

SPEC = "spec.json"
TEXT = "spec.vl"
LOCK = ".lock"
NAMED = 3
"""Differences that a message names."""


@contextmanager
def held(folder: Path, warn: Callable[[str], None]) -> Iterator[None]:
    """Keep other processes out of a run folder.

    Args:
        folder: of the run; created if absent.
        warn: is told if the file system has no locks, as some that are shared over a network.

    Raises:
        UsageError: if one is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another process is at work in `{folder}`") from None
        except OSError as problem:
            warn(
                f"`{folder}` is on a file system without locks ({problem.strerror}): make sure "
                "that no other process works in it"
            )
        yield


def claim(folder: Path, spec: Spec, *, fresh: bool) -> None:
    """Make a folder the folder of a spec.

    Args:
        folder: of the run.
        spec: the whole experiment.
        fresh: remove what is there of this or another spec.

    Raises:
        UsageError: if it holds another spec's results and they are not to be removed.
    """
    before = None
    if (folder / SPEC).exists():
        try:
            before = Spec.model_validate_json((folder / SPEC).read_text("utf-8"))
        except (ValidationError, ValueError):
            if not fresh:
                raise UsageError(
                    f"`{folder / SPEC}` is no spec that this version can read; choose another "
                    "folder with `-o`, or start over with `--fresh`"
                ) from None
    if before is not None and before.hash != spec.hash and not fresh:
        found = changes(before.model_dump(mode="json"), spec.model_dump(mode="json"))
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise UsageError(
            f"`{folder}` holds results of another spec: {'; '.join(found[:NAMED])}{more}; "
            "choose another folder with `-o`, or remove the results with `--fresh`"
        )
    if fresh:
        names = {*spec.jobs, *(before.jobs if before is not None else ())}
        for name in names:
            shutil.rmtree(folder / name, ignore_errors=True)
    write_whole(folder / SPEC, spec.to_json())
    text = _spelled(spec)
    if text is not None:
        write_whole(folder / TEXT, text)


def finished(folder: Path, name: str) -> JobResult | None:
    """Return the result of a job of this folder's spec; None if it has not finished."""
    try:
        return JobResult.model_validate_json((folder / name / RESULT).read_bytes())
    except (OSError, ValidationError):
        return None


def changes(before: Any, now: Any, address: str = "") -> list[str]:
    """Return sentences on where two trees of plain values differ, by address."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        keys = dict.fromkeys((*before, *now))
        found = []
        for key in keys:
            place = f"{address}.{key}" if address else str(key)
            if key not in now:
                found.append(f"`{place}` is gone")
            elif key not in before:
                found.append(f"`{place}` is new")
            else:
                found += changes(before[key], now[key], place)
        return found
    return [] if before == now else [f"`{address}` was {_short(before)}, is {_short(now)}"]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _spelled(spec: Spec) -> str | None:
    try:
        return print_spec(spec)
    except UnprintableError:
        return None
