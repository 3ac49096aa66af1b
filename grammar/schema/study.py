"""The keys of a study: which jobs it runs, against what, how often, for how long."""

from typing import Annotated, Literal

from pydantic import Field

from renaissance.grammar.declaration import Block, key


class StudyKeys(Block):
    """The same jobs in variants that differ in what factors say and in nothing else."""

    of: tuple[str, ...] = key(
        doc="jobs that every variant runs, with those that they start from and the evaluations of "
        "those that are named",
        impact="training",
        name=True,
        min_length=1,
    )
    baseline: tuple[str, ...] = key(
        (),
        doc="what the others are compared with: a level of each factor, in their order; the first "
        "ones if absent",
        impact="eval",
        name=True,
    )
    seeds: tuple[Annotated[int, Field(ge=0, le=2**32 - 1)], ...] = key(
        (0,),
        doc="every variant runs once with each, in place of the seeds of its jobs",
        impact="training",
        min_length=1,
    )
    budget: Literal["steps", "flops", "time"] | None = key(
        None,
        doc="what all variants spend alike: steps, or as many steps as cost the training "
        "operations, or the predicted time, of the baseline; each as its jobs say if absent",
        impact="training",
    )
    report: tuple[str, ...] = key(
        (), doc="metrics that are compared; all if absent", impact="eval", name=True
    )
