"""The folder of a study: what it runs, and a folder for each cell that links to its stages."""

import os
from contextlib import suppress
from pathlib import Path

from renaissance.grammar.canonical import UnprintableError, print_spec
from renaissance.grammar.chain import source_of
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.study import Cell, Study
from renaissance.grammar.writing import replacing, write_whole
from renaissance.runtime.errors import BusyError
from renaissance.runtime.exclusion import held
from renaissance.runtime.folder import TEXT
from renaissance.runtime.identity import STUDY, recorded_hashes, write_identity
from renaissance.runtime.report import write_report
from renaissance.runtime.sealed import seal
from renaissance.runtime.studies.records import (
    CELLS,
    REPORT,
    CellRecord,
    JobRecord,
    StudyRecord,
)
from renaissance.runtime.studies.results import read_stage
from renaissance.runtime.studies.stages import Stages

STAGES = ".stages"
"""Folder beside that of a study; studies in one place share their stages."""


def stages_folder(folder: Path) -> Path:
    """Return where the stages of a study are kept."""
    return folder.absolute().parent / STAGES


def write_study(folder: Path, study: Study, stages: Stages, before: StudyRecord | None) -> None:
    """Write `study.json`; cells with other seeds that are there already stay.

    Args:
        folder: of the study.
        study: as it is run now.
        stages: of all its cells.
        before: what the folder says of it so far; None where it says nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cells = {cell.name: _cell(cell, stages) for cell in study.cells}
    seeds = dict.fromkeys(study.seeds)
    if before is not None:
        variants = [dict(levels) for levels in study.variants]
        for cell in before.cells:
            if cell.seed not in seeds and dict(cell.levels) in variants:
                cells[f"{cell.levels}/{cell.seed}"] = cell
        seeds |= dict.fromkeys(cell.seed for cell in cells.values())
    record = StudyRecord(
        study=study.name,
        stages=os.path.relpath(stages_folder(folder), folder.absolute()),
        factors={factor.name: factor.levels for factor in study.factors},
        changes={factor.name: factor.changes for factor in study.factors},
        baseline=dict(study.baseline),
        seeds=tuple(seeds),
        budget=study.budget,
        report=study.report,
        cells=tuple(cells.values()),
    )
    with replacing(folder / STUDY, shared=True) as draft:
        draft.write_text(seal(record), encoding="utf-8")


def _cell(cell: Cell, stages: Stages) -> CellRecord:
    jobs = {}
    for name, job in cell.spec.jobs.items():
        jobs[name] = JobRecord(
            kind=job.job,
            source=source_of(cell.spec.jobs, name),
            stage=stages.of_cells[cell.name].get(name, ""),
            problem=stages.problems.get((cell.name, name), ""),
            steps=None if isinstance(job, Evaluate) else job.steps,
        )
    return CellRecord(levels=dict(cell.levels), seed=cell.seed, spec_hash=cell.spec.hash, jobs=jobs)


def write_cell(folder: Path, cell: Cell, stages: Stages, *, page: bool) -> bool:
    """Make the folder of a cell one of a run whose jobs are links to stages.

    Args:
        folder: of the study.
        cell: of it.
        stages: of all cells.
        page: write the page about it.

    Returns:
        False where another process is just writing it, of what it knew when it began.

    Raises:
        OSError: if it cannot be written.
    """
    home = folder / CELLS / cell.name
    with suppress(BusyError), held(home):
        hashes: list[str] = []
        for job, id in stages.of_cells[cell.name].items():
            target = stages_folder(folder) / id
            record = read_stage(target)
            if record is not None:
                hashes += [record.spec_hash, *recorded_hashes(target)]
                link(home / job, target / record.job)
        write_identity(home, cell.spec, also=hashes)
        with suppress(UnprintableError):
            write_whole(home / TEXT, print_spec(cell.spec))
        if page:
            write_report(home)
        return True
    return False


def has_page(folder: Path, cell: Cell) -> bool:
    """Tell whether the page about a cell was written."""
    return (folder / CELLS / cell.name / REPORT).exists()


def link(place: Path, target: Path) -> None:
    """Make a path a link to a folder, which may move along with what it lies in."""
    place.parent.mkdir(parents=True, exist_ok=True)
    relative = os.path.relpath(target.absolute(), place.parent.absolute())
    if place.is_symlink() and str(place.readlink()) == relative:
        return
    draft = place.with_name(f".link-{os.getpid()}-{place.name}")
    with suppress(FileNotFoundError):
        draft.unlink()
    draft.symlink_to(relative)
    draft.replace(place)
