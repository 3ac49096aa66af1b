"""What a study and its stages leave behind as JSON.

`study.json` in the folder of a study says which cells there are and which stage each of their jobs
is. `stage.json` in the folder of a stage says what it is and what it took, `failure.json` beside it
why it could not be done.
"""

from typing import Literal

from pydantic import Field

from renaissance.runtime.records import JobKind, Record

STAGE = "stage.json"
FAILURE = "failure.json"
ATTEMPT = "attempt.json"
CELLS = "cells"
"""Folder in that of a study with a folder for each cell, which links to its stages."""
REPORT = "report.html"
"""The page about a cell, in its folder."""

LARGEST = frozenset({"peak_memory", "memory_before", "peak_device_memory"})
"""Costs that do not add up: of several the largest counts, of the others the sum or the mean."""


class Costs(Record):
    """What something took; None for what is not counted here, which is never guessed.

    Attributes:
        operations: floating-point operations that were planned for the steps and rows that were
            computed, two for a multiply-add.
        seconds: by the clock.
        cpu_seconds: of all threads and data processes.
        peak_memory: most bytes that the process had in memory at one time, libraries and what it
            keeps of data in it.
        memory_before: bytes of it that the process had before this began.
        peak_device_memory: most bytes of a GPU that tensors took at one time.
        energy: joules that the hardware counted for the GPU, or on a CPU for its packages, whoever
            else used them meanwhile.
        bytes_read: from disks, not from what the system had in memory.
    """

    operations: float | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    memory_before: int | None = None
    peak_device_memory: int | None = None
    energy: float | None = None
    bytes_read: int | None = None


class StageRecord(Record):
    """What `stage.json` holds.

    Attributes:
        format: of the file; it carries its own digest.
        stage: identity of the stage, which is the name of its folder.
        job: folder of the job in the folder of the stage: what the first study called it.
        kind: what is done.
        spec_hash: of the spec in the folder.
        sources: identities of the stages that it starts from, the nearest first.
        versions: of packages, by name.
        device: what it ran on, in words; empty before it ran.
        trainable: numbers that learn in the first step; None where that is not known yet.
        planned: operations of the whole stage, time where a machine was named, and the memory that
            tensors take in its largest step.
        costs: of all its parts so far, where it was stopped and went on.
    """

    format: int = 2
    stage: str
    job: str
    kind: JobKind
    spec_hash: str
    sources: tuple[str, ...] = ()
    versions: dict[str, str] = Field({})
    device: str = ""
    trainable: int | None = None
    planned: Costs = Costs()
    costs: Costs = Costs()


class Failure(Record):
    """What `failure.json` holds.

    Attributes:
        why: in a sentence.
        when: seconds since 1970.
        trace: where it happened, if that was a mistake of the program.
    """

    format: int = 2
    why: str
    when: float
    trace: str = ""


class Attempt(Record):
    """What `attempt.json` holds while a process runs a stage.

    Attributes:
        began: when the study was started, in seconds since 1970.
        step: newest checkpoint there was.
        count: how many processes of this study have begun at that step.
    """

    format: int = 2
    began: float
    step: int
    count: int


class JobRecord(Record):
    """A job of a cell.

    Attributes:
        kind: what is done.
        source: the job that it starts from or measures; None where there is none.
        stage: that it is; empty where `problem` says why that is not known.
        problem: why its data could not be read.
        steps: of a training, where its budget or its spec says so.
    """

    kind: JobKind
    source: str | None = None
    stage: str = ""
    problem: str = ""
    steps: int | None = None


class CellRecord(Record):
    """A cell of a study.

    Attributes:
        levels: by factor.
        seed: of its training jobs.
        spec_hash: of its jobs.
        jobs: by name, each after the one that it starts from.
    """

    levels: dict[str, str]
    seed: int
    spec_hash: str
    jobs: dict[str, JobRecord]


class StudyRecord(Record):
    """What `study.json` holds.

    Attributes:
        format: of the file; it carries its own digest.
        study: its name.
        stages: folder that holds the stages, from the folder of the study on.
        factors: names of levels by factor.
        changes: addresses that the levels of a factor state.
        baseline: levels of the variant that the others are compared with.
        seeds: of which each variant has a cell.
        budget: what all variants spend alike; None where each trains as its jobs say.
        report: metrics that are compared; empty for all.
        cells: in the order in which they are run.
    """

    format: int = 2
    study: str
    stages: str
    factors: dict[str, tuple[str, ...]]
    changes: dict[str, tuple[str, ...]] = Field({})
    baseline: dict[str, str]
    seeds: tuple[int, ...]
    budget: Literal["steps", "flops", "time"] | None = None
    report: tuple[str, ...] = ()
    cells: tuple[CellRecord, ...] = ()
