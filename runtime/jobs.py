"""Running the jobs of a spec in a folder: all of them, or one."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from renaissance.compiler.asked import check_folder
from renaissance.compiler.errors import CompileError
from renaissance.grammar.chain import source_of, with_dependents
from renaissance.grammar.kinds.origins import failure_of_others, origins
from renaissance.grammar.kinds.registry import KindError
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.asked import check_places, ordered_jobs
from renaissance.runtime.checkpoints import restore_best
from renaissance.runtime.data import DataError
from renaissance.runtime.data.leaks import leaks
from renaissance.runtime.data.loader import worker_lost
from renaissance.runtime.data.parts import parts_of
from renaissance.runtime.ending import Position, recorded_ending
from renaissance.runtime.errors import InterruptionError, JobError, UsageError
from renaissance.runtime.evaluation.evaluate import evaluate_job
from renaissance.runtime.evaluation.predictions import check_output
from renaissance.runtime.evaluation.selecting import by_protocol
from renaissance.runtime.exclusion import held
from renaissance.runtime.folder import claim, results_to_remove
from renaissance.runtime.identity import hashes_in
from renaissance.runtime.observer import Observer, Silent, Tell
from renaissance.runtime.preflight import check_chains, check_readable
from renaissance.runtime.primitives import bound_primitives
from renaissance.runtime.processes import Processes, joined, lost_connection
from renaissance.runtime.records import JobResult
from renaissance.runtime.removal import finish_removal
from renaissance.runtime.report import write_report
from renaissance.runtime.results import RESULT, finished
from renaissance.runtime.signals import stop_request
from renaissance.runtime.surroundings import sentence
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.threads import own_threads
from renaissance.runtime.training.train import train_job


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was done.

    Attributes:
        folder: of the run.
        spec: of the whole experiment.
        results: of the jobs that were asked for, in order.
        skipped: names of those that had finished before.
        report: the page about it; None where none was asked for or another process writes it.
    """

    folder: Path
    spec: Spec
    results: tuple[JobResult, ...]
    skipped: tuple[str, ...]
    report: Path | None


def run_jobs(
    spec: Spec,
    folder: Path,
    *,
    only: tuple[str, ...] | None = None,
    fresh: bool = False,
    again: bool = False,
    report: bool = True,
    device: str | None = None,
    observer: Observer | None = None,
) -> Run:
    """Run jobs of a spec, sources first; those that have finished are not run again.

    Args:
        spec: the whole experiment.
        folder: where results, checkpoints and logs are kept.
        only: names of jobs; all jobs of the spec if None.
        fresh: remove earlier results of the jobs, and of those that start from them.
        again: run evaluations again that have finished.
        report: write the page about the run, for which every model is planned.
        device: such as `cpu`; chosen if None.
        observer: is told what happens, in the first process.

    Raises:
        UsageError: if the folder belongs to another spec or process, or a job or device to none.
        JobError: if a job cannot start or go on.
        InterruptionError: if a signal asked to stop.
        DataError: if the data do not allow to go on.
        CompileError: if a model cannot be built, or the folder cannot be one.
        KindError: if two packages bring a word of the spec.
    """
    names = ordered_jobs(spec, only)
    check_folder(folder)
    origins(spec)  # refuses a word that stands for two kinds
    for name in names:
        check_output(spec, name, folder)
    with joined(device) as processes, stop_request() as request, ExitStack() as stack:
        position = Position(observer if observer is not None and processes.first else Silent())
        if processes.first:
            with _in_one_sentence(processes, f"`{folder}` cannot be the folder of a run: "):
                _check_name(folder)
                stack.enter_context(held(folder, position.notify))
                finish_removal(folder)
                _take(folder, spec, only, fresh, position.notify)
            stack.enter_context(recorded_ending(folder, position))
        with _in_one_sentence(processes):
            processes.wait()
            if not (fresh and processes.first):  # it did so before anything was removed
                check_chains(spec, names)
            session = partial(Session, spec=spec, folder=folder, hashes=hashes_in(folder, spec))
            session = partial(session, processes=processes, request=request, observer=position)
            sessions = [session(name=name) for name in names]
            _check_data(sessions, processes, fresh=fresh, again=again)
            with _reported_when_stopped(folder if report and processes.first else None):
                results, skipped = _run(sessions, again=again)
            page = write_report(folder) if report and processes.first else None
            return Run(folder=folder, spec=spec, results=results, skipped=skipped, report=page)


@contextmanager
def _reported_when_stopped(folder: Path | None) -> Iterator[None]:
    """Write the page of a run that a signal stops; nothing if there is no folder to write it to."""
    try:
        yield
    except InterruptionError:
        if folder is not None:
            # Whatever a page may fail on: that the run was stopped is what matters.
            with suppress(Exception):
                write_report(folder)
        raise


@contextmanager
def _in_one_sentence(processes: Processes, usage: str | None = None) -> Iterator[None]:
    """Turn errors that machine, files and libraries cause into one of ours.

    Args:
        processes: that share the run.
        usage: what to say before the cause where the command cannot be meant so; None where a job
            fails.
    """
    try:
        yield
    except (JobError, DataError, CompileError, InterruptionError):
        raise
    except Exception as problem:
        lost = processes.ranks > 1 and isinstance(problem, RuntimeError)
        if lost and lost_connection(problem):  # type: ignore[arg-type]
            raise JobError("another process of this run has ended; its message says why") from None
        gone = worker_lost(problem)
        if gone is not None:
            raise JobError(gone) from None
        if isinstance(problem, KindError):
            raise JobError(str(problem)) from problem
        cause = sentence(problem) or failure_of_others(problem)
        if cause is None:
            raise
        if usage is not None:
            raise UsageError(f"{usage}{cause}") from problem
        raise JobError(f"{cause}; what was written before is as it was") from problem


def _check_data(
    sessions: Collection[Session], processes: Processes, *, fresh: bool, again: bool
) -> None:
    """Refuse, in all processes, jobs that are to run for what their data are.

    Raises:
        DataError: if those of a later one cannot be read, or measure what was learned from.
    """
    problem = None
    if processes.first and not fresh:  # or it was found out before anything was removed
        due = [each for each in sessions if (again and each.evaluates) or not _has_result(each)]
        if due:
            problem = _problem_of_data(due[0].spec, [each.name for each in due])
    problem = processes.of_first(problem)
    if problem is not None:
        raise DataError(problem)


def _problem_of_data(spec: Spec, names: Sequence[str]) -> str | None:
    """Return why the data do not allow that jobs run, found before the first of them begins.

    That itself says at once what is wrong with its own.
    """
    parts = parts_of(spec)
    try:
        check_readable(spec, names[1:], parts)
    except DataError as problem:
        return str(problem)
    return next((leak.sentence for leak in leaks(spec, names, parts=parts)), None)


def _has_result(session: Session) -> bool:
    return (session.home / RESULT).exists()


def _check_name(folder: Path) -> None:
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError:
        name = str(folder).encode(errors="backslashreplace").decode()
        raise UsageError(
            f"the name `{name}` is no UTF-8 text, and results name it in JSON"
        ) from None


def _run(
    sessions: Iterable[Session], *, again: bool
) -> tuple[tuple[JobResult, ...], tuple[str, ...]]:
    """Return the results of jobs, and the names of those that had finished before."""
    results, skipped = [], []
    for session in sessions:
        result = finished(session.folder, session.name, session.hashes, session.notify)
        if result is not None and not (again and session.evaluates):
            skipped.append(session.name)
            _mend_best(session)
        else:
            result = _do(session)
        results.append(result)
    return tuple(results), tuple(skipped)


def _do(session: Session) -> JobResult:
    source = _check_source(
        session.spec, session.name, session.folder, session.hashes, session.notify
    )
    if source is not None and session.processes.first:
        restore_best(session.folder / source, session.notify)
    bound_primitives()
    with own_threads():
        return evaluate_job(session) if session.evaluates else train_job(session, by_protocol)


def _mend_best(session: Session) -> None:
    """Write anew which weights of a finished training are best, where that is lost."""
    if session.processes.first and not session.evaluates:
        with suppress(JobError):  # it is needed only by what starts from it
            restore_best(session.home, session.notify)


def _take(folder: Path, spec: Spec, only: tuple[str, ...] | None, fresh: bool, tell: Tell) -> None:
    """Make a folder the folder of a spec; jobs that start anew take along what was made from them.

    Raises:
        UsageError: if it holds another spec's results, or a job could not start for want of its
            source; nothing has been removed then.
        JobError: if one could not take the weights of another; nothing has been removed then.
        DataError: if a table or folder of data is not there, or what is learned from would be
            measured; nothing has been removed then.
    """
    stale: tuple[str, ...] | None = ()
    if fresh:
        stale = None if only is None else with_dependents(spec.jobs, only)
    remove = results_to_remove(folder, spec, stale, tell)
    for name in only or () if fresh else ():
        if source_of(spec.jobs, name) not in remove:
            _check_source(spec, name, folder, hashes_in(folder, spec), tell)
    if fresh:
        # Earlier results stay where nothing could take their place.
        names = ordered_jobs(spec, only)
        check_places(spec, names)
        check_chains(spec, names)
        if (problem := _problem_of_data(spec, names)) is not None:
            raise DataError(problem)
    claim(folder, spec, remove=remove, tell=tell)


def _check_source(
    spec: Spec, name: str, folder: Path, hashes: Collection[str], tell: Tell
) -> str | None:
    """Return the job that another one starts from, if any; it has finished.

    Raises:
        UsageError: if it has not.
        DataError: if it has not, and data of the job itself are not there either.
    """
    source = source_of(spec.jobs, name)
    if source is not None and finished(folder, source, hashes, tell) is None:
        check_places(spec, [name])  # nobody trains a source for data that are not there
        raise UsageError(
            f"job `{name}` starts from job `{source}`, which has not finished in `{folder}`; "
            f"train `{source}` first"
        )
    return source
