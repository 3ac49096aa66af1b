"""What variants say to each row of a split, from the predictions that evaluations keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from renaissance.runtime.studies.resampling import Resampled, resample
from renaissance.runtime.studies.results import JobResults

CLOSE = 1e-5
"""How far a metric is from the mean credit of rows at most, where it is this mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A row that two variants answer differently.

    Attributes:
        id: of the row.
        images: their paths.
        text: what was asked, where it was kept.
        answer: what is right, where it was kept.
        baseline: what the baseline says, an answer for each seed.
        variant: what the variant says.
        gained: mean credit of the variant minus that of the baseline.
    """

    id: str
    images: tuple[str, ...]
    text: str
    answer: str
    baseline: tuple[str, ...]
    variant: tuple[str, ...]
    gained: float


def resampled(
    metric: str, variant: Sequence[JobResults], baseline: Sequence[JobResults]
) -> Resampled | None:
    """Return how far two variants are apart on other images.

    None where the metric is no mean over rows that were kept, or the runs had other rows.

    Args:
        metric: its name.
        variant: an evaluation for each seed.
        baseline: those of the baseline with the same seeds.
    """
    mine, theirs = _credits(metric, variant), _credits(metric, baseline)
    if mine is None or theirs is None or not np.array_equal(mine[1], theirs[1]):
        return None
    known = ~np.isnan(mine[0]).any(axis=0) & ~np.isnan(theirs[0]).any(axis=0)
    if not known.any():
        return None
    return resample((mine[0] - theirs[0])[:, known], mine[2][known])


def disagreements(
    variant: Sequence[JobResults], baseline: Sequence[JobResults], most: int
) -> tuple[tuple[Disagreement, ...], int, int]:
    """Return rows on which a variant is farthest from the baseline, and how many gain and lose.

    Half of the rows are those that the variant answers better, half those that it answers worse.

    Args:
        variant: an evaluation for each seed.
        baseline: those of the baseline with the same seeds.
        most: rows to return.
    """
    mine, theirs = _tables(variant), _tables(baseline)
    if mine is None or theirs is None or mine[0]["id"] != theirs[0]["id"]:
        return (), 0, 0
    gained = np.nan_to_num(_credit(mine).mean(axis=0) - _credit(theirs).mean(axis=0))
    order = np.argsort(gained, kind="stable")
    better = [row for row in order[::-1][: most // 2].tolist() if gained[row] > 0]
    worse = [row for row in order[: most // 2].tolist() if gained[row] < 0]
    rows = tuple(_disagreement(row, mine, theirs, gained[row]) for row in better + worse)
    return rows, int((gained > 0).sum()), int((gained < 0).sum())


def _disagreement(
    row: int, mine: Sequence[pa.Table], theirs: Sequence[pa.Table], gained: float
) -> Disagreement:
    first = mine[0].slice(row, 1).to_pylist()[0]

    def said(tables: Sequence[pa.Table]) -> tuple[str, ...]:
        return tuple(str(table["prediction"][row].as_py()) for table in tables)

    def kept(name: str) -> str:
        value: Any = first.get(name)
        return "" if value is None else str(value)

    return Disagreement(
        id=first["id"],
        images=tuple(first["image"] or ()),
        text=kept("text"),
        answer=kept("answer"),
        baseline=said(theirs),
        variant=said(mine),
        gained=float(gained),
    )


def _credits(
    metric: str, jobs: Sequence[JobResults]
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return credit `[seeds, rows]`, ids and scenes `[rows]`; None where the metric is not that."""
    tables = _tables(jobs)
    if tables is None:
        return None
    credit = _credit(tables)
    for job, of_seed in zip(jobs, credit, strict=True):
        known = of_seed[~np.isnan(of_seed)]
        if not len(known) or abs(known.mean() - job.metrics[metric]) > CLOSE:
            return None
    ids = tables[0]["id"].to_numpy()
    return credit, ids, tables[0]["scene"].to_numpy()


def _tables(jobs: Sequence[JobResults]) -> list[pa.Table] | None:
    """Return the rows of each seed; None where they were not kept, or are not the same rows."""
    paths = [job.predictions for job in jobs]
    if not paths or not all(path is not None and path.exists() for path in paths):
        return None
    tables = [_read(path) for path in paths if path is not None]
    same = all(table["id"] == tables[0]["id"] for table in tables)
    return tables if same else None


def _read(path: Path) -> pa.Table:
    return parquet.read_table(path, memory_map=True)


def _credit(tables: Sequence[pa.Table]) -> np.ndarray:
    return np.stack([table["credit"].to_numpy(zero_copy_only=False) for table in tables])
