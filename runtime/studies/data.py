"""What the data of a job hold: of two jobs that read the same, one answer, found once."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.data import VALIDATION
from renaissance.grammar.kinds.source import Modality
from renaissance.grammar.schema.identity import reduced
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.counted import counted_pairs
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.many_texts import Texts
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.parts import Parts
from renaissance.runtime.data.sampling import Order
from renaissance.runtime.surroundings import sentence


class DataUnknownError(Exception):
    """Data of a job that cannot be read; the message says why."""


def question(spec: Spec, name: str) -> dict[str, Any]:
    """Return all that decides what a job reads, as JSON values without names of jobs.

    It is its own data, those that are held out by what starts from it, and those that its blocks
    exclude.
    """
    job, read = spec.jobs[name], spec.data_job(name)
    asked: dict[str, Any] = {"own": _own(spec, read)}
    if isinstance(job, Evaluate):
        asked["split"] = job.split
    asked["withheld"] = sorted(
        (
            _own(spec, spec.data_job(other))
            for other, declared in spec.jobs.items()
            if not isinstance(declared, Evaluate) and read.name in chain_of(spec.jobs, other)[1:]
        ),
        key=_text,
    )
    if isinstance(read, Pretrain):
        said = [said for block in read.data for said in spec.data[block].exclude]
        asked["excluded"] = sorted((_excluded(spec, each) for each in said), key=_text)
    return asked


def _own(spec: Spec, job: Pretrain | Finetune) -> dict[str, Any]:
    if isinstance(job, Finetune):
        return {"task": reduced(job.task), "seed": job.seed}
    blocks = [reduced(spec.data[name]) for name in job.data]
    for block in blocks:
        block.pop("exclude", None)
    return {"data": blocks, "validation": job.validation.spelling, "seed": job.seed}


def _excluded(spec: Spec, said: str) -> list[Any]:
    """Return the task and the split whose images a block leaves out."""
    name, _, split = said.partition(".")
    job = spec.jobs.get(name)
    if job is None:
        return [said, split]
    if isinstance(job, Evaluate):
        split = split or job.split
    return [_own(spec, spec.data_job(name)), split or VALIDATION]


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True)


class Data:
    """What the data of jobs hold; those that read the same are looked at once."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._found: dict[str, Mapping[str, str] | DataUnknownError] = {}
        self._counted: dict[str, int] = {}
        self._pairs: dict[str, tuple[int, int] | None] = {}
        self._seen: dict[str, np.ndarray] = {}

    def digests(self, spec: Spec, name: str) -> Mapping[str, str]:
        """Return a digest of each split that a job reads.

        Texts, what is known of them, and names and sizes of image files count, the folder that
        they lie in does not.

        Raises:
            DataUnknownError: if they cannot be read.
        """
        asked = _text(question(spec, name))
        if asked not in self._found:
            try:
                self._found[asked] = dict(_digests(spec, name))
            except (DataError, OSError) as problem:
                self._found[asked] = _unknown(problem)
        found = self._found[asked]
        if isinstance(found, DataUnknownError):
            raise found
        return found

    def texts(self, spec: Spec, name: str) -> int:
        """Return the texts of an epoch of a job; of an evaluation, of its split.

        Raises:
            DataUnknownError: if they cannot be read.
        """
        job = spec.jobs[name]
        asked = _text([question(spec, name), getattr(job, "texts_per_image", 1)])
        if asked not in self._counted:
            try:
                self._counted[asked] = _texts(spec, name)
            except (DataError, OSError) as problem:
                raise _unknown(problem) from None
        return self._counted[asked]

    def pairs(self, spec: Spec, name: str) -> tuple[int, int] | None:
        """Return the images and texts of an evaluation that scores each with each.

        Returns:
            None for other jobs, and where they cannot be read.
        """
        key = _text(question(spec, name))
        if key not in self._pairs:
            self._pairs[key] = counted_pairs(spec, name)
        return self._pairs[key]

    def inputs(self, spec: Spec, name: str, kind: Modality) -> np.ndarray:
        """Return a number for each different image or text that a job sees: `[n]` uint64.

        Raises:
            DataUnknownError: if they cannot be read.
        """
        asked = _text([question(spec, name), kind])
        if asked not in self._seen:
            try:
                self._seen[asked] = _inputs(spec, name, kind)
            except (DataError, OSError) as problem:
                raise _unknown(problem) from None
        return self._seen[asked]


def _unknown(problem: DataError | OSError) -> DataUnknownError:
    why = str(problem) if isinstance(problem, DataError) else sentence(problem)
    return DataUnknownError(why or str(problem))


def _texts(spec: Spec, name: str) -> int:
    job, read = spec.jobs[name], spec.data_job(name)
    parts = Parts(spec, read)
    if isinstance(job, Evaluate):
        return len(parts[job.split])
    train = parts["train"]
    order = Order(
        train.rows,
        train.table.image_of_row[train.rows],
        texts_per_image=read.texts_per_image,
        seed=read.seed,
        weights=train.weights,
    )
    return len(order)


def _inputs(spec: Spec, name: str, kind: Modality) -> np.ndarray:
    parts, numbers = Parts(spec, spec.data_job(name)), list[int]()
    for split in _splits(spec, name):
        part = parts[split]
        images = Texts(part.images, part.table.images.data.column("path"))
        seen = images if kind == "vision" else part.texts
        numbers += (
            xxhash.xxh3_64_intdigest(each.encode("utf-8", "surrogatepass")) for each in seen
        )
    return np.unique(np.array(numbers, np.uint64))


def _splits(spec: Spec, name: str) -> tuple[str, ...]:
    job = spec.jobs[name]
    return (job.split,) if isinstance(job, Evaluate) else ("train", VALIDATION)


def _digests(spec: Spec, name: str) -> Iterator[tuple[str, str]]:
    parts = Parts(spec, spec.data_job(name))
    for split in _splits(spec, name):
        part = parts[split]
        yield split, f"{part.digest}/{_sizes(part)}"


def _sizes(part: Part) -> str:
    """Return a digest of the sizes of image files; what is no file of its own counts nothing."""
    digest = xxhash.xxh3_64()
    for path in Texts(part.images, part.table.images.data.column("path")):
        try:
            size = Path(path).stat().st_size if path else 0
        except OSError:
            size = 0
        digest.update(size.to_bytes(8, "little"))
    return digest.hexdigest()
