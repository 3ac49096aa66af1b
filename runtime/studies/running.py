"""Running one stage in its folder, and keeping count of what it takes."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal

import torch

from renaissance.compiler.errors import CompileError
from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.registry import KindError
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.writing import write_whole
from renaissance.runtime.checkpoints import Checkpoints
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.errors import BusyError, DamageError, InterruptionError, JobError
from renaissance.runtime.exclusion import held
from renaissance.runtime.identity import kept_spec, recorded_hashes, write_identity
from renaissance.runtime.jobs import run_jobs
from renaissance.runtime.observer import Observer
from renaissance.runtime.results import read_result
from renaissance.runtime.sealed import seal, unseal
from renaissance.runtime.studies.counting import Counting, write_stage
from renaissance.runtime.studies.folder import link
from renaissance.runtime.studies.operations import Planned
from renaissance.runtime.studies.records import ATTEMPT, FAILURE, Attempt, Failure, StageRecord
from renaissance.runtime.studies.results import read_stage
from renaissance.runtime.studies.stages import Stage
from renaissance.runtime.surroundings import sentence

Outcome = Literal["done", "failed", "busy"]

LOCK = ".stage-lock"
MOST_ATTEMPTS = 2
"""Processes that may be killed at one place before a stage counts as failed."""
KILLED = (
    f"{MOST_ATTEMPTS} processes were killed one after the other while they ran it, without getting "
    "further: was there enough memory?"
)


def run_stage(
    stage: Stage,
    root: Path,
    *,
    device: torch.device,
    planned: Planned,
    observer: Observer,
    done: Callable[[str], bool],
    began: float,
) -> Outcome:
    """Run a stage whose sources are done, from where it was stopped.

    Args:
        stage: to run.
        root: folder of all stages.
        device: that computes.
        planned: says how many operations a step takes.
        observer: is told what happens.
        done: tells whether a stage has a result, which another process may have made meanwhile.
        began: when the study was started: what killed processes since then is not tried for ever.

    Returns:
        `busy` where another process has it; whether it failed is written in its folder.

    Raises:
        InterruptionError: if a signal asked to stop.
        OSError: if its folder cannot be written to, so that not even a failure can be told.
    """
    home = root / stage.id
    try:
        with held(home, name=LOCK):
            if done(stage.id):
                return "done"
            (home / FAILURE).unlink(missing_ok=True)
            with _attempted(home, stage.job, began) as first:
                if not first:
                    _write_failure(home, KILLED)
                    return "failed"
                return _run(stage, home, device, planned, observer)
    except BusyError:
        return "busy"


@contextmanager
def _attempted(home: Path, job: str, began: float) -> Iterator[bool]:
    """Keep in mind that a stage is begun; tell whether it was not just begun in vain too often."""
    record = read_stage(home)
    steps = Checkpoints(home / (job if record is None else record.job), keep=1).steps()
    now = Attempt(began=began, step=max(steps, default=0), count=1)
    with suppress(FileNotFoundError, DamageError):
        before = unseal(home / ATTEMPT, Attempt, "record of an attempt")
        if (before.began, before.step) == (now.began, now.step):
            now = now.model_copy(update={"count": before.count + 1})
    write_whole(home / ATTEMPT, seal(now))
    try:
        yield now.count <= MOST_ATTEMPTS
    finally:
        (home / ATTEMPT).unlink()


def _run(
    stage: Stage, home: Path, device: torch.device, planned: Planned, observer: Observer
) -> Outcome:
    """Do the job of a stage; nobody else works in its folder."""
    try:
        spec, record = _prepared(stage, home)
        name, paces = record.job, None
        with suppress(DamageError):
            if read_result(home / name) is not None:
                return "done"  # its record alone was damaged, and with it what it took
        with suppress(CompileError):  # the job says so itself
            paces = planned.paces(spec, name)
        with closing(Counting(observer, home, record, paces, device)) as counting:
            run_jobs(spec, home, only=(name,), device=str(device), report=False, observer=counting)
    except (BusyError, InterruptionError):
        raise
    except (JobError, DataError, CompileError, KindError) as problem:
        _write_failure(home, str(problem))
        return "failed"
    # The other cells do not depend on it, and days of them may be ahead.
    except Exception as problem:
        cause = sentence(problem)
        if cause is not None:
            _write_failure(home, cause)
            return "failed"
        what = " ".join(f"{type(problem).__name__}: {problem}".split())
        _write_failure(home, f"VL901: this is a bug in renaissance: {what}", traceback.format_exc())
        return "failed"
    return "done"


def _write_failure(home: Path, why: str, trace: str = "") -> None:
    write_whole(home / FAILURE, seal(Failure(why=why, when=time.time(), trace=trace)))


def _prepared(stage: Stage, home: Path) -> tuple[Spec, StageRecord]:
    """Make a folder that of a stage, or take up the one that another study began.

    Returns:
        The spec and what is known of the stage: as the first study called it.

    Raises:
        JobError: if the folder, or that of a source, is not what it was.
        OSError: if it cannot be written.
    """
    spec, name, record = stage.spec, stage.job, read_stage(home)
    hashes = [*recorded_hashes(home)]
    if record is not None and record.job != name:
        # Checkpoints carry the name; places of files are those of the study that began it, too.
        kept = kept_spec(home)
        if kept.spec is None:
            raise JobError(f"{kept.problem}; remove `{home}` to run it anew")
        spec, name = kept.spec, record.job
    elif record is not None and record.spec_hash != spec.hash:
        # What decides is the same, and where files lie is what the study says now.
        record = record.model_copy(update={"spec_hash": spec.hash})
    if record is None:
        record = StageRecord(
            stage=stage.id,
            job=name,
            kind=stage.kind,
            spec_hash=spec.hash,
            sources=stage.sources,
        )
    for source, id in zip(chain_of(spec.jobs, name)[1:], stage.sources, strict=True):
        before = read_stage(home.parent / id)
        if before is None:
            raise JobError(f"stage `{home.parent / id}` is gone; run the same command again")
        hashes += [before.spec_hash, *recorded_hashes(home.parent / id)]
        link(home / source, home.parent / id / before.job)
    write_identity(home, spec, also=hashes)
    write_stage(home, record)
    return spec, record
