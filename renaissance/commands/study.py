"""`renaissance study`: run what a study compares; a study that was stopped goes on where it was."""

import os
import sys
from argparse import Namespace
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING

from renaissance.answer import FINE, NO_ANSWER, answer
from renaissance.execution import meant
from renaissance.grammar.study import Study
from renaissance.machines import machine_of
from renaissance.settings import settings_of
from renaissance.studies import chosen, seeds_of, study_meant

if TYPE_CHECKING:
    from renaissance.compiler.planning.machines import Machine


def run(arguments: Namespace) -> int:
    """Run the stages of a study that are not done yet."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        failure = "a study is not started by torchrun: `--jobs N` works with N processes"
        return answer(arguments, NO_ANSWER, failures=[failure])
    settings = settings_of(arguments.settings)
    study = study_meant(arguments.file, settings, seeds_of(arguments.seeds))
    cells = {cell.name for cell in chosen(study, arguments.only)}
    folder = Path(arguments.out) if arguments.out is not None else _folder(arguments.file, study)
    if arguments.power is not None:
        return _power(arguments, study, folder)
    if arguments.jobs < 1:
        return answer(arguments, NO_ANSWER, failures=["--jobs takes 1 or more processes"])

    from renaissance.runtime.errors import InterruptionError
    from renaissance.runtime.signals import stopped_at_once

    try:
        with stopped_at_once():
            return _run(arguments, study, cells, folder)
    except (InterruptionError, KeyboardInterrupt) as stop:
        number = getattr(stop, "signal", SIGINT)
        return answer(arguments, 128 + number, failures=[_stopped(stop, study, folder, cells)])


def _run(arguments: Namespace, study: Study, cells: Collection[str], folder: Path) -> int:
    """Run stages and say what follows from them."""
    from renaissance.compiler.asked import check_folder
    from renaissance.compiler.errors import CompileError
    from renaissance.runtime.asked import check_device
    from renaissance.runtime.ending import FAILED, code_of
    from renaissance.runtime.errors import JobError, UsageError

    try:
        machine = machine_of(arguments)
        check_device(arguments.device)
        check_folder(folder)
    except (CompileError, UsageError) as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    from renaissance.runtime.studies.data import DataUnknownError

    try:
        failures = _work(arguments, study, cells, folder, machine)
    except (JobError, CompileError, DataUnknownError) as stop:
        return answer(arguments, code_of(stop), failures=[str(stop)])
    if failures:
        return answer(arguments, FAILED, failures=failures)
    return FINE if arguments.as_worker else _answer(arguments, folder, cells)


def _folder(file: str, study: Study) -> Path:
    """Return where a study is kept: `runs/FILE-STUDY`, as `runs/FILE` is the run of its file."""
    return Path("runs") / f"{Path(meant(file)[0]).stem}-{study.name}"


def _work(
    arguments: Namespace,
    study: Study,
    cells: Collection[str],
    folder: Path,
    machine: "Machine | None",
) -> tuple[str, ...]:
    """Run stages, in this process or in several.

    Returns:
        Why nothing was begun; none if it was.
    """
    from renaissance.runtime.studies.budget import within_budget
    from renaissance.runtime.studies.data import Data
    from renaissance.runtime.studies.operations import Planned
    from renaissance.runtime.studies.outlook import expected, outlook
    from renaissance.runtime.studies.preflight import unrunnable
    from renaissance.runtime.studies.stages import stages_of
    from renaissance.runtime.studies.working import begin_study, run_study
    from renaissance.study_progress import StudyProgress, at_start, of_rest, say
    from renaissance.study_workers import work_together

    data = Data()
    planned = Planned(machine, arguments.tokens, data)
    study = within_budget(study, planned, data)
    stages = stages_of(study.cells, data)
    if not arguments.as_worker:
        before = outlook(stages, folder, cells)
        due = {stage.id for stage in before.to_run}
        wanted = [cell for cell in study.cells if cell.name in cells]
        if failures := unrunnable(wanted, stages, due, planned, folder):
            return failures
        begin_study(folder, study, stages)
        say(at_start(study, folder, before, len(cells)))
        if before.to_run:
            say(of_rest(expected(before, folder, planned, data, workers=arguments.jobs), planned))
    if arguments.jobs > 1:
        work_together(arguments, cells, folder)
        return ()
    with StudyProgress() as observer:
        run_study(
            study,
            stages,
            folder,
            observer,
            only=cells,
            device=arguments.device,
            planned=planned,
            workers=arguments.workers,
            began=arguments.began,
        )
    return ()


def _stopped(stop: BaseException, study: Study, folder: Path, cells: Collection[str]) -> str:
    """Say what was stopped, and how much of it is done."""
    from renaissance.grammar.names import plural
    from renaissance.runtime.studies.results import is_study, read_results

    said = f"study `{study.name}` was stopped"
    if is_study(folder):
        found = [cell for cell in read_results(folder).cells if cell.name in cells]
        done = sum(cell.state == "done" for cell in found)
        stages = {job.stage for cell in found for job in cell.jobs.values() if job.state == "done"}
        said += (
            f" in `{folder}`: {done} of {plural(len(found), 'cell')} and "
            f"{plural(len(stages), 'stage')} are done"
        )
    said += "; run the same command again to go on"
    return f"{str(stop).partition(';')[0]}; {said}" if str(stop) else said


def _answer(arguments: Namespace, folder: Path, cells: Collection[str]) -> int:
    """Say which cells are done, and why others are not."""
    from renaissance.grammar.names import plural
    from renaissance.render.answer import answer_as_json, render_answer
    from renaissance.runtime.ending import FAILED
    from renaissance.runtime.studies.answer import answer as answer_of
    from renaissance.runtime.studies.page import write_study_report
    from renaissance.runtime.studies.results import read_results

    results = read_results(folder)
    found = [cell for cell in results.cells if cell.name in cells]
    failures = [f"{cell.name}: {cell.why}" for cell in found if cell.state == "failed"]
    code = FINE if all(cell.state == "done" for cell in found) else FAILED
    concluded = answer_of(results)
    page = write_study_report(results, concluded)
    # Other studies that share stages, and earlier runs, have failures of which nobody asks here.
    failed = {name: why for name, why in concluded.failed.items() if name in cells}
    concluded = replace(concluded, failed=failed)
    if arguments.format == "json":
        content = [
            {"name": cell.name, "state": cell.state, "why": cell.why, "metrics": cell.metrics}
            for cell in found
        ]
        return answer(
            arguments,
            code,
            failures=failures,
            folder=str(folder),
            report=str(page),
            cells=content,
            answer=answer_as_json(concluded),
        )
    done = sum(cell.state == "done" for cell in found)
    stages = {job.stage: job for cell in found for job in cell.jobs.values() if job.stage}
    shared = sum(1 for stage in stages.values() if stage.shared)
    print(
        f"{done} of {plural(len(found), 'cell')} {'is' if done == 1 else 'are'} done: "
        f"{plural(len(stages), 'stage')}, {shared} of them shared"
    )
    print()
    sys.stdout.write(render_answer(concluded))
    print(f"report: {page}")
    return answer(arguments, code, failures=failures)


def _power(arguments: Namespace, study: Study, folder: Path) -> int:
    """Say how many seeds a difference needs, from what the study has found so far."""
    from renaissance.runtime.studies.answer import answer as answer_of
    from renaissance.runtime.studies.results import is_study, read_results
    from renaissance.runtime.studies.words import seeds_at_all, seeds_for

    if not arguments.power > 0:
        return answer(arguments, NO_ANSWER, failures=["--power takes points above 0"])
    if is_study(folder):
        lines = seeds_for(answer_of(read_results(folder)), arguments.power)
    else:
        lines = seeds_at_all(len(study.seeds))
    if arguments.format == "text":
        sys.stdout.writelines(f"{line}\n" for line in lines)
    return answer(arguments, FINE, power=list(lines))
