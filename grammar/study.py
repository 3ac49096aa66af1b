"""A resolved study: the specs that it compares, and what they differ in."""

from collections.abc import Mapping
from typing import Literal

from renaissance.grammar.diff import SpecDiff, diff_specs
from renaissance.grammar.record import Record
from renaissance.grammar.schema.spec import Spec

Budget = Literal["steps", "flops", "time"]


class Factor(Record):
    """What a study varies.

    Attributes:
        name: of the factor.
        levels: names of its levels, in the order of the file.
        changes: addresses that every level states, such as `base.model.freeze`.
    """

    name: str
    levels: tuple[str, ...]
    changes: tuple[str, ...]


class Cell(Record):
    """One run of a study's jobs.

    Attributes:
        levels: the level of each factor, in the order of the factors.
        seed: of all its training jobs.
        spec: the jobs of the study as they are in this cell, and nothing else.
    """

    levels: Mapping[str, str]
    seed: int
    spec: Spec

    @property
    def variant(self) -> str:
        """What it is called without its seed: `freeze=vision`; `all` without factors."""
        return "/".join(f"{factor}={level}" for factor, level in self.levels.items()) or "all"

    @property
    def name(self) -> str:
        """What it is called: `freeze=vision/seed=0`."""
        return f"{self.variant}/seed={self.seed}"


class Study(Record):
    """What a study runs.

    Attributes:
        name: of the study.
        of: jobs as the file names them.
        jobs: all that run where levels say nothing else, each after the one that it starts from.
        factors: what differs, in the order of the file.
        cells: variants in the order of the grid, all with the first seed before the second.
        baseline: levels of the variant that the others are compared with.
        seeds: of which each variant has one cell.
        budget: what all variants spend alike; None where each trains as its jobs say.
        report: metrics that are compared; empty for all.
    """

    name: str
    of: tuple[str, ...]
    jobs: tuple[str, ...]
    factors: tuple[Factor, ...]
    cells: tuple[Cell, ...]
    baseline: Mapping[str, str]
    seeds: tuple[int, ...]
    budget: Budget | None
    report: tuple[str, ...]

    @property
    def variants(self) -> tuple[Mapping[str, str], ...]:
        """The levels of each variant, in the order of the grid."""
        return tuple(cell.levels for cell in self.cells if cell.seed == self.seeds[0])

    def cell(self, levels: Mapping[str, str], seed: int) -> Cell:
        """Return the cell of a variant and a seed.

        Raises:
            KeyError: if there is none.
        """
        for cell in self.cells:
            if cell.seed == seed and dict(cell.levels) == dict(levels):
                return cell
        raise KeyError(f"study {self.name} has no cell of {dict(levels)} with seed {seed}")

    def difference(self, cell: Cell) -> SpecDiff:
        """Return how a cell differs from the baseline of its seed."""
        return diff_specs(self.cell(self.baseline, cell.seed).spec, cell.spec)
