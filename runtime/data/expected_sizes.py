"""What was found of a published data set against what it should hold."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from renaissance.grammar.kinds.data import FormatBlock, TaskBlock
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.parts import Parts
from renaissance.runtime.data.reading import read_pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a published data set holds against what was found.

    Attributes:
        name: of the set.
        texts: number of texts as published; None where it is not known.
        images: number of images as published; None where it is not known.
        found_texts: number of texts that were found.
        found_images: number of images that texts name, there or not; parts of one are no images.
    """

    name: str
    texts: int | None
    images: int | None
    found_texts: int
    found_images: int


def expected(
    spec: Spec, job: Pretrain | Finetune, parts: Parts, split: str
) -> tuple[Expected, ...]:
    """Compare what is read for a split with what was published, where that is known."""
    found = []
    for kind, file, name in _read(spec, job, parts, split):
        facet = optional_facet(kind, "how")
        how = None if facet is None else facet.how(kind)
        size = None if how is None else how.sizes.get(file)
        if how is None or size is None:
            continue
        table = read_pairs(kind, name) if isinstance(kind, FormatBlock) else parts[split].table
        found.append(
            Expected(
                name=how.name,
                texts=size.texts,
                images=size.images,
                found_texts=len(table),
                found_images=len(np.unique(table.images_of_row)),
            )
        )
    return tuple(found)


def _read(
    spec: Spec, job: Pretrain | Finetune, parts: Parts, split: str
) -> Iterator[tuple[FormatBlock | TaskBlock, str, str]]:
    """Yield the blocks that a split is read from, each with the file of it, and a name."""
    if isinstance(job, Finetune):
        yield job.task, parts[split].file, job.task.word()
    elif split == "train":
        for name in job.data:
            yield spec.data[name], "", name
