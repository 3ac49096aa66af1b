"""The stages of a study: jobs with all that decides what comes out of them, equal ones once."""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from renaissance.grammar.chain import chain_of, source_of
from renaissance.grammar.schema.jobs import Evaluate, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.study import Cell
from renaissance.runtime.records import JobKind
from renaissance.runtime.studies.contents import FolderContents
from renaissance.runtime.studies.data import Data, DataUnknownError, question

FORMAT = 1
"""Part of every identity; another one where the same words come to mean something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A job with its model, what it starts from, its seed and its data.

    Attributes:
        id: hash of all that; jobs with one id give the same result, whatever they are called.
        spec: of the first cell that has it.
        job: its name there.
        sources: ids of the stages that it starts from, the nearest first.
        users: names of the cells that have it, in order.
    """

    id: str
    spec: Spec
    job: str
    sources: tuple[str, ...]
    users: tuple[str, ...]

    @property
    def kind(self) -> JobKind:
        """What is done."""
        return self.spec.jobs[self.job].job


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The stages of the cells of a study.

    Attributes:
        distinct: by id, in the order in which they are run: cell after cell, sources first.
        of_cells: ids by name of the cell and of the job.
        problems: why there is no stage, by name of the cell and of the job.
    """

    distinct: Mapping[str, Stage]
    of_cells: Mapping[str, Mapping[str, str]]
    problems: Mapping[tuple[str, str], str]

    def of(self, cells: Container[str]) -> tuple[Stage, ...]:
        """Return the stages that some cells have, by their names, in the order of running."""
        return tuple(
            stage for stage in self.distinct.values() if any(user in cells for user in stage.users)
        )


def stages_of(cells: Iterable[Cell], data: Data | None = None) -> Stages:
    """Find the stages of cells.

    Args:
        cells: in the order in which they are run.
        data: what the data of a job hold, which counts as well; None before there are any.
    """
    found: dict[str, Stage] = {}
    users: dict[str, list[str]] = {}
    of_cells: dict[str, dict[str, str]] = {}
    problems: dict[tuple[str, str], str] = {}
    folders = FolderContents()
    for cell in cells:
        ids: dict[str, str] = of_cells.setdefault(cell.name, {})
        for name in cell.spec.jobs:
            sources = chain_of(cell.spec.jobs, name)[1:]
            broken = next((source for source in sources if source not in ids), None)
            if broken is not None:
                why = f"it starts from `{broken}`, whose data or encoders cannot be read"
                problems[cell.name, name] = why
                continue
            try:
                id = identity(cell.spec, name, ids, data, folders)
            except (DataUnknownError, OSError) as problem:
                problems[cell.name, name] = str(problem)
                continue
            ids[name] = id
            users.setdefault(id, []).append(cell.name)
            before = tuple(ids[source] for source in sources)
            stage = Stage(id=id, spec=cell.spec, job=name, sources=before, users=())
            found.setdefault(id, stage)
    distinct = {
        id: Stage(
            id=id, spec=s.spec, job=s.job, sources=s.sources, users=tuple(dict.fromkeys(users[id]))
        )
        for id, s in found.items()
    }
    return Stages(distinct=distinct, of_cells=of_cells, problems=problems)


def identity(
    spec: Spec, name: str, ids: Mapping[str, str], data: Data | None, folders: FolderContents
) -> str:
    """Return the id of a job as a stage.

    Args:
        spec: of its cell.
        name: of the job.
        ids: of the jobs that it starts from.
        data: what its data hold; where that is not known, what the spec says of them counts.
        folders: what folders hold that models name.

    Raises:
        DataUnknownError: if its data cannot be read.
        OSError: if a folder that its model names cannot be.
    """
    job = spec.jobs[name]
    content: dict[str, Any] = spec.job_identity(name)
    content["on"] = folders.named_by_content(content["on"], spec.model_of(name))
    source = source_of(spec.jobs, name)
    content["of" if isinstance(job, Evaluate) else "source"] = source and ids[source]
    if isinstance(job, Pretrain):
        content["data"] = [_block(block) for block in content["data"]]
    content["read"] = question(spec, name) if data is None else data.digests(spec, name)
    content["stage"] = FORMAT
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data block without the names of jobs, which `read` speaks of."""
    return {key: value for key, value in block.items() if key != "exclude"}
