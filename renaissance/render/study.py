"""Draw what a study runs: its cells, and what each differs in from the baseline."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from renaissance.grammar.study import Cell, Study


def render_study(study: Study) -> str:
    """Return a list of variants with what differs from the baseline, and a summary."""
    return "".join(f"{line}\n" for line in _lines(study))


def _lines(study: Study) -> Iterator[str]:
    variants, seeds = len(study.variants), len(study.seeds)
    yield f"study {study.name}: {_count(variants, 'variant')} × {_count(seeds, 'seed')}"
    yield f"  jobs    {', '.join(study.jobs)}"
    for factor in study.factors:
        changes = ", ".join(factor.changes)
        yield f"  factor  {factor.name}: {', '.join(factor.levels)} ({changes})"
    yield f"  seeds   {', '.join(map(str, study.seeds))}"
    if study.budget is not None:
        yield f"  budget  equal {study.budget}"
    yield ""
    for levels in study.variants:
        cell = study.cell(levels, study.seeds[0])
        if dict(levels) == dict(study.baseline):
            yield f"{cell.variant}  (baseline)"
            continue
        yield cell.variant
        for line in differences(study, cell):
            yield f"  {line}"


def cells_as_json(study: Study, cells: Iterable[Cell]) -> dict[str, Any]:
    """Return a study and some of its cells as JSON values."""
    return {
        "study": study.name,
        "jobs": list(study.jobs),
        "factors": {
            factor.name: {"levels": list(factor.levels), "changes": list(factor.changes)}
            for factor in study.factors
        },
        "baseline": dict(study.baseline),
        "seeds": list(study.seeds),
        "budget": study.budget,
        "report": list(study.report),
        "cells": [
            {
                "name": cell.name,
                "levels": dict(cell.levels),
                "seed": cell.seed,
                "hash": cell.spec.hash,
                "difference": study.difference(cell).to_dict(),
                "spec": json.loads(cell.spec.to_json()),
            }
            for cell in cells
        ],
    }


def differences(study: Study, cell: Cell) -> Iterator[str]:
    """Yield what a cell differs in from the baseline of its seed, a line each."""
    for block in study.difference(cell).to_dict()["blocks"]:
        for change in block["changes"]:
            yield f"{block['name']}.{change['address']}: {_arrow(change)}"


def _arrow(change: dict[str, Any]) -> str:
    old, new = change["old"], change["new"]
    if old is None:
        return f"added{f' {new}' if new else ''}"
    return "removed" if new is None else f"{old} -> {new}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
