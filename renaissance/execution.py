"""Running jobs for a person: which file and folder are meant, progress, results, exit codes."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from renaissance.answer import FINE, NO_ANSWER, answer
from renaissance.files import find_spec
from renaissance.grammar.paths import exists, is_file
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import SourceError

if TYPE_CHECKING:
    from renaissance.runtime.jobs import Run
    from renaissance.runtime.observer import Observer

RUN_SPEC = "spec.vl"
"""The spec in the folder of a run."""


def meant(argument: str) -> tuple[str, str | None]:
    """Split `FILE:JOB` into the path of the spec and the name of the job, if one is named."""
    name, colon, job = argument.rpartition(":")
    if not colon or exists(argument) or not job.isidentifier():
        return find_spec(argument), None
    return find_spec(name), job


def spec_meant(arguments: Namespace) -> tuple[str, str | None]:
    """Return the path of the spec, and the name of the job, that a verb which runs jobs is given.

    Raises:
        SourceError: if it is the folder of a run, which has a spec.
    """
    path, job = meant(arguments.file)
    spec = Path(path, RUN_SPEC)
    if is_file(spec):
        of_job = "" if job is None else f":{job}"
        raise SourceError(
            f"`{path}` is the folder of a run, and {arguments.verb} takes a spec: "
            f"`renaissance {arguments.verb} {spec}{of_job} -o {path}`"
        )
    return path, job


def run_meant(argument: str) -> tuple[str, str | None]:
    """Split `RUN:JOB` into the folder and the name of the job, if one is named."""
    folder, colon, job = argument.rpartition(":")
    if not colon or exists(argument) or not job.isidentifier():
        return argument, None
    return folder, job


def folder_of(path: str, out: str | None) -> Path:
    """Return the folder of a run: the one that was asked for, or `runs/` with the spec's name."""
    return Path(out) if out is not None else Path("runs") / Path(path).stem


def evaluations(spec: Spec, job: str | None) -> tuple[str, ...]:
    """Return the evaluations that are meant: the named job, those of the named one, or all."""
    return tuple(
        name
        for name, declared in spec.jobs.items()
        if isinstance(declared, Evaluate) and (job is None or job in (name, declared.of))
    )


def execute_jobs(
    arguments: Namespace,
    spec: Spec,
    path: str,
    only: tuple[str, ...] | None,
    *,
    fresh: bool = False,
    again: bool = False,
    warnings: Iterable[str] = (),
) -> int:
    """Run jobs of a spec and tell how it went.

    Args:
        arguments: those of the verb.
        spec: the whole experiment.
        path: of its file.
        only: names of jobs; all of them if None.
        fresh: remove earlier results.
        again: run evaluations again that have finished.
        warnings: what is to be said of the spec first, in lines.
    """
    from renaissance.compiler.errors import CompileError
    from renaissance.runtime.asked import check_run
    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.ending import FAILED
    from renaissance.runtime.errors import UsageError

    folder, first = folder_of(path, arguments.out), os.environ.get("RANK", "0") == "0"
    if first:
        sys.stderr.writelines(f"{line}\n" for line in warnings)
    try:
        check_run(spec, folder, only, arguments.device)
    except (CompileError, UsageError) as problem:
        return answer(arguments, NO_ANSWER, failures=[str(problem)])
    except DataError as problem:
        return answer(arguments, FAILED, failures=[str(problem)])
    if first:
        # Libraries, tokenizers and data take seconds before there is any progress.
        sys.stderr.write(f"loading {path}; the run lies in {folder}\n")
        sys.stderr.flush()
    from renaissance.runtime import run_jobs

    return execute(
        arguments,
        lambda observer: run_jobs(
            spec,
            folder,
            only=only,
            fresh=fresh,
            again=again,
            device=arguments.device,
            observer=observer,
        ),
    )


def execute(arguments: Namespace, work: "Callable[[Observer], Run]") -> int:
    """Run jobs and tell how it went.

    Args:
        arguments: those of the verb; `format` and `color` are used.
        work: runs the jobs and tells an observer what happens.
    """
    from renaissance.compiler.errors import CompileError
    from renaissance.progress import progress
    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.ending import code_of
    from renaissance.runtime.errors import InterruptionError, JobError

    try:
        with progress() as observer:
            run = work(observer)
    except InterruptionError as stop:
        return answer(arguments, code_of(stop), failures=[str(stop)])
    except (JobError, DataError, CompileError) as problem:
        if arguments.verbose and problem.__cause__ is not None:
            import traceback

            traceback.print_exception(problem.__cause__)
        return answer(arguments, code_of(problem), failures=[str(problem)])
    if run.report is None:
        return FINE  # the first of several processes speaks
    if arguments.format == "json":
        return answer(
            arguments,
            FINE,
            folder=str(run.folder),
            report=str(run.report),
            skipped=list(run.skipped),
            results=[result.model_dump(mode="json") for result in run.results],
        )
    from renaissance.results import print_results

    print_results(run)
    return FINE
