"""`renaissance data --how`: what to get where for each data set, and what is missing."""

import re
import sys
from argparse import Namespace
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from renaissance.answer import FINE, answer
from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.data import VALIDATION, FormatBlock, TaskBlock
from renaissance.grammar.kinds.how import How, Place
from renaissance.grammar.kinds.registry import optional_facet, schema, words
from renaissance.grammar.names import listing
from renaissance.grammar.paths import exists
from renaissance.grammar.record import replace
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import keys_of, paths_in
from renaissance.render.text import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A block that data are read from: what the spec calls it, and how to get them."""

    block: str
    how: How


def run(arguments: Namespace, spec: Spec, wanted: str | None) -> int:
    """Print a paragraph for each data block and each task of a spec."""
    found = list(_sets(spec, wanted))
    if arguments.format == "text":
        for one in found:
            sys.stdout.write("\n".join(map(printable, _lines(one))) + "\n\n")
    return answer(arguments, FINE, sets=[_document(one) for one in found])


def _sets(spec: Spec, wanted: str | None) -> Iterator[Set]:
    jobs = spec.jobs if wanted is None else chain_of(spec.jobs, wanted)
    used = {
        name for job in map(spec.jobs.get, jobs) if isinstance(job, Pretrain) for name in job.data
    }
    for name, pairs in spec.data.items():
        if wanted is None or name in used:
            yield Set(block=f"data {name}", how=how_of(pairs))
    for name in jobs:
        job = spec.jobs[name]
        if isinstance(job, Finetune):
            measured = {
                other.split
                for evaluation in jobs
                if isinstance(other := spec.jobs[evaluation], Evaluate) and other.of == name
            }
            yield Set(block=f"finetune {name}", how=how_of(job.task, measured))
        elif isinstance(job, Evaluate) and job.task is not None:
            yield Set(block=f"evaluate {name}", how=how_of(job.task, {job.split}))


def how_of(block: FormatBlock | TaskBlock, measured: Collection[str] = ()) -> How:
    """Return how to get what a block reads; of data of one's own, what the block names.

    Args:
        block: the data, or the task.
        measured: splits of the task that are measured, beside those that are learned from and
            select.
    """
    module = optional_facet(block, "how")
    if module is not None:
        found: How = module.how(block)
        return found if isinstance(block, FormatBlock) else _needing(found, block, measured)
    named = [
        Place(path=path, holds=type(block).model_fields[name].description or "")
        for name, _, path in paths_in(block)
        if path
    ]
    return How(
        name=f"`{block.word()}`: data of one's own",
        root=".",
        places=tuple(named),
        licence="",
        published=(),
        note="; ".join(_wanted(block)),
    )


def _wanted(block: FormatBlock | TaskBlock) -> Iterator[str]:
    """Yield what a table of one's own has to hold, and what reads sets as they are published."""
    columns = [
        f"`{value}` ({what})"
        for name, info in keys_of(type(block)).items()
        if (what := _column(info.description or "")) is not None
        and isinstance(value := getattr(block, name), str)
        and getattr(block, name.removesuffix("_column"), value) is not None
    ]
    if columns:
        yield f"columns of the table: {', '.join(columns)}"
    if isinstance(block, FormatBlock):
        read = (schema("format", word) for word in words("format"))
        known = [kind.word() for kind in read if kind is not None and optional_facet(kind, "how")]
        yield f"sets as they are published need no table: {listing(known)} read them"


def _column(doc: str) -> str | None:
    """Return what a column holds, of the sentence on the key that names it; None for other keys."""
    _, begins, what = doc.partition("column of ")
    return re.split("[;:]", what)[0] if begins and doc.startswith("column") else None


def _needing(how: How, task: TaskBlock, measured: Collection[str]) -> How:
    """Say which places are needed for what is learned, selects and is measured."""
    splits = map(task.split, ("train", VALIDATION, *measured))
    read = {split.file for split in splits if split is not None}
    places = tuple(
        replace(place, needed=not read.isdisjoint(place.of)) if place.of else place
        for place in how.places
    )
    return replace(how, places=places)


def _lines(one: Set) -> Iterator[str]:
    how = one.how
    yield f"{one.block}: {how.name}"
    yield f"  folder      {how.root}{'' if exists(how.root) else '  (does not exist)'}"
    for address in how.published:
        yield f"  published   {address}"
    if how.licence:
        yield f"  licence     {how.licence}"
    for file, size in how.sizes.items():
        counts = ((size.texts, "texts"), (size.images, "images"))
        said = " and ".join(f"{count:,} {what}" for count, what in counts if count is not None)
        yield f"  holds       {said}{f' in {file}' if file else ''}"
    width = max((len(place.path) for place in how.places), default=0)
    for place in how.places:
        where = f"  ({place.where})" if place.where else ""
        yield f"  {_state(how, place):<10}  {place.path:<{width}}  {place.holds}{where}"
    if how.note:
        yield f"  note        {how.note}"


def _state(how: How, place: Place) -> str:
    if place.found(how.root) is not None:
        return "there"
    return "missing" if place.needed else "not needed"


def _document(one: Set) -> dict[str, Any]:
    how = one.how
    return {
        "block": one.block,
        "name": how.name,
        "root": how.root,
        "licence": how.licence,
        "published": list(how.published),
        "note": how.note,
        "sizes": {
            file: {"texts": size.texts, "images": size.images} for file, size in how.sizes.items()
        },
        "places": [
            {
                "path": place.path,
                "instead": list(place.instead),
                "holds": place.holds,
                "where": place.where,
                "needed": place.needed,
                "found": None if (found := place.found(how.root)) is None else str(found),
            }
            for place in how.places
        ],
        "missing": [place.path for place in how.missing()],
    }
