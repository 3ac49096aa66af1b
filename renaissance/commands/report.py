"""`renaissance report`: make the page about a run or a study again, or compare runs."""

import sys
from argparse import Namespace
from pathlib import Path

from renaissance.answer import FINE, NO_ANSWER, answer
from renaissance.grammar.writing import write_whole
from renaissance.runtime.studies.answer import Answer
from renaissance.runtime.studies.answer import answer as answer_of

COMPARISON = "comparison.html"


def run(arguments: Namespace) -> int:
    """Write a page and print the answer."""
    from renaissance.runtime.errors import UsageError
    from renaissance.runtime.studies.results import is_study

    folders = [_meant(name) for name in arguments.folders]
    try:
        studies = [folder for folder in folders if is_study(folder)]
        if studies and len(folders) > 1:
            raise UsageError(f"`{studies[0]}` is a study: a study is reported by itself")
        if studies:
            return _study(arguments, folders[0])
        alone = len(folders) == 1 and arguments.format in ("text", "json")
        if alone and folders[0].is_dir() and arguments.plots is not None:
            raise UsageError("`--plots` draws a study, or runs that are compared: give several")
        if alone:
            return _run(arguments, folders[0])
        return _comparison(arguments, folders)
    except UsageError as problem:
        return answer(arguments, NO_ANSWER, failures=[str(problem)])


def _meant(name: str) -> Path:
    """Return the folder of a name, or the one below `runs/`, where `train` and `study` put them."""
    folder, below = Path(name), Path("runs") / name
    return below if not folder.exists() and below.is_dir() else folder


def _study(arguments: Namespace, folder: Path) -> int:
    from renaissance.runtime.studies.page import write_study_report
    from renaissance.runtime.studies.results import read_results

    results = read_results(folder)
    found = answer_of(results)
    page = write_study_report(results, found, _out(arguments))
    _draw(arguments, found)
    return _tell(arguments, found, page)


def _comparison(arguments: Namespace, folders: list[Path]) -> int:
    from renaissance.runtime.errors import UsageError
    from renaissance.runtime.studies.comparing import compare_runs, no_common_evaluation
    from renaissance.runtime.studies.page import render

    compared = compare_runs(folders)
    problem = no_common_evaluation(compared)
    if problem:
        raise UsageError(problem)
    found = answer_of(compared.results, compared.specs)
    page = _out(arguments) or Path(COMPARISON)
    write_whole(page, render(compared.results, found, compared.specs, page.parent))
    _draw(arguments, found)
    return _tell(arguments, found, page)


def _run(arguments: Namespace, folder: Path) -> int:
    """Write the page about one run; say what is done of it."""
    from renaissance.runtime.errors import UsageError
    from renaissance.runtime.report import write_report
    from renaissance.runtime.report.findings import job_row
    from renaissance.runtime.report.folder import read_folder

    if not folder.is_dir():
        raise UsageError(f"there is no folder `{folder}` of a run or a study")
    run = read_folder(folder)
    if run.spec is None and not run.jobs:
        raise UsageError(f"`{folder}` is no folder of a run or a study: it has no `spec.json`")
    page = write_report(folder, _out(arguments))
    if arguments.format == "text":
        for job in run.jobs:
            row = job_row(job, "", run.spec)
            metrics = ", ".join(f"{name} {value}" for name, value, _ in row.metrics)
            print(f"{row.name}: {row.state or metrics or 'done'}")
        print(f"report: {page}")
    results = [job.result.model_dump(mode="json") for job in run.jobs if job.result is not None]
    return answer(arguments, FINE, folder=str(folder), report=str(page), results=results)


def _draw(arguments: Namespace, found: Answer) -> None:
    """Write the plots where they were asked for."""
    from renaissance.runtime.studies.page import write_drawings

    if arguments.plots is not None:
        write_drawings(found, Path(arguments.plots))


def _out(arguments: Namespace) -> Path | None:
    return None if arguments.out is None else Path(arguments.out)


def _tell(arguments: Namespace, found: Answer, page: Path) -> int:
    """Print an answer in the format that was asked for."""
    from renaissance.render.answer import answer_as_json, render_answer
    from renaissance.render.answer_tables import as_csv, as_latex, as_markdown

    if arguments.format == "json":
        return answer(arguments, FINE, report=str(page), answer=answer_as_json(found))
    if arguments.format == "text":
        sys.stdout.write(render_answer(found))
        print(f"report: {page}")
        return FINE
    tables = {"csv": as_csv, "markdown": as_markdown, "latex": as_latex}
    sys.stdout.write(tables[arguments.format](found))
    return FINE
