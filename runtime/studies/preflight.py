"""What would stop a stage of a study, found before the first one begins."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from renaissance.compiler.errors import CompileError
from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.origins import origins
from renaissance.grammar.kinds.registry import KindError
from renaissance.grammar.names import listing
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.study import Cell
from renaissance.runtime.data.leaks import leaks
from renaissance.runtime.errors import JobError
from renaissance.runtime.evaluation.predictions import check_output
from renaissance.runtime.preflight import check_chains
from renaissance.runtime.studies.data import question
from renaissance.runtime.studies.folder import stages_folder
from renaissance.runtime.studies.operations import Planned
from renaissance.runtime.studies.stages import Stages

MOST_NAMED = 3
"""Variants that a sentence names."""


def unrunnable(
    cells: Collection[Cell], stages: Stages, due: Collection[str], planned: Planned, folder: Path
) -> tuple[str, ...]:
    """Return why stages could not run, as far as this is known before: what `train` refuses.

    Args:
        cells: that are to be run.
        stages: of all cells of the study.
        due: ids of the stages without a result.
        planned: plans jobs, which refuses models that cannot be built.
        folder: of the study.
    """
    leaking = Leaking()
    built: set[tuple[str, ...]] = set()

    def problems(cell: Cell) -> Iterator[str]:
        for (of, job), why in stages.problems.items():
            if of == cell.name:
                yield f"job `{job}` could not run: {why}"
                return  # what starts from it could not either
        ids = {job: id for job, id in stages.of_cells[cell.name].items() if id in due}
        yield from leaking(cell.spec, ids)
        if (cell.variant, *ids) not in built:  # a seed decides on nothing of this
            built.add((cell.variant, *ids))
            yield from _unbuildable(cell.spec, ids, planned, stages_folder(folder))

    return by_variants(cells, problems, "; `--only` runs the others")


def by_variants(
    cells: Collection[Cell], problems: Callable[[Cell], Iterable[str]], then: str = ""
) -> tuple[str, ...]:
    """Return what is wrong with cells, each sentence once, of each variant from one seed.

    Args:
        cells: in which it is looked for.
        problems: says what is wrong with one.
        then: what to say behind a sentence that is not true of all of them.
    """
    variants: dict[str, dict[str, None]] = {}
    wrong: dict[str, list[str]] = {}
    for cell in cells:
        if not wrong.get(cell.variant):
            wrong[cell.variant] = list(problems(cell))
    for variant, found in wrong.items():
        for problem in found:
            variants.setdefault(problem, {})[variant] = None
    return tuple(
        problem
        if len(those) == len(wrong)
        else f"{listing(those, most=MOST_NAMED)}: {problem}{then}"
        for problem, those in variants.items()
    )


class Leaking:
    """What is measured although it was learned from; the same data are looked at once."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._found: dict[str, tuple[str, ...]] = {}

    def __call__(self, spec: Spec, names: Collection[str]) -> tuple[str, ...]:
        """Return a sentence for each leak into an evaluation or the selection of a checkpoint.

        Args:
            spec: of a cell.
            names: of its jobs that select and report.
        """
        key = json.dumps(
            [
                [name, question(spec, name), getattr(spec.jobs[name], "trained_on", None)]
                for last in names
                for name in chain_of(spec.jobs, last)
            ],
            sort_keys=True,
        )
        if key not in self._found:
            self._found[key] = tuple(leak.sentence for leak in leaks(spec, names))
        return self._found[key]


def _unbuildable(spec: Spec, ids: Mapping[str, str], planned: Planned, root: Path) -> Iterator[str]:
    """Yield why jobs of a cell cannot be built, start from each other, or write what they say.

    Args:
        spec: of the cell.
        ids: of the stages of its jobs, by name of the job.
        planned: plans jobs.
        root: folder of all stages.
    """
    try:
        origins(spec)
        for name, id in ids.items():
            check_output(spec, name, root / id)
            planned.paces(spec, name)
        check_chains(spec, ids)
    except (JobError, CompileError, KindError) as problem:
        yield str(problem)
