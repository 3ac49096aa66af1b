"""A folder of a study as `renaissance study` leaves it, made without training anything."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from PIL import Image

from renaissance.runtime.identity import STUDY, write_identity
from renaissance.runtime.records import JobKind, JobResult
from renaissance.runtime.results import write_result
from renaissance.runtime.sealed import seal
from renaissance.runtime.studies.records import (
    FAILURE,
    STAGE,
    CellRecord,
    Costs,
    Failure,
    JobRecord,
    StageRecord,
    StudyRecord,
)
from tests.tiny import tiny_experiment

ROWS, ROWS_OF_IMAGE, STEPS = 120, 3, 40


def make_study(
    folder: Path,
    scores: Mapping[str, Sequence[float | None]],
    *,
    failed: str = "",
    more: Callable[[float], Mapping[str, float]] = lambda score: {},
) -> Path:
    """Write `study.json` and stages: one pretraining that all share, a fine-tuning, an evaluation.

    Args:
        folder: of the study, which gets a neighbour `.stages`.
        scores: by level of the factor `freeze`, accuracy of each seed; None where it waits.
        failed: name of a cell whose fine-tuning failed.
        more: further metrics of an evaluation that has reached a score.
    """
    folder.mkdir(parents=True)
    stages = folder.parent / ".stages"
    levels = tuple(scores)
    seeds = range(len(next(iter(scores.values()))))
    for place in range(4):
        Image.new("RGB", (40, 30), (60 * place, 90, 200)).save(folder.parent / f"{place}.png")
    cells = []
    for seed in seeds:
        _training(stages, f"base{seed}", "base", 2e12)
        for place, level in enumerate(levels):
            name = f"freeze={level}/seed={seed}"
            score, tuning = scores[level][seed], f"vqa-{level}-{seed}"
            _training(stages, tuning, "vqa", (3 - place) * 1e12, done=score is not None)
            if score is not None:
                exam = f"exam-{level}-{seed}"
                write_exam(stages / exam / "exam", folder.parent, score, seed, more(score))
                _record(stages, exam, "exam", "evaluate", Costs(seconds=1.0))
            elif name == failed:
                failure = Failure(why="the loss is not finite after step 3", when=1.0)
                (stages / tuning / FAILURE).write_text(seal(failure))
            jobs = {
                "base": JobRecord(kind="pretrain", stage=f"base{seed}", steps=STEPS),
                "vqa": JobRecord(kind="finetune", stage=f"vqa-{level}-{seed}", steps=STEPS),
                "exam": JobRecord(kind="evaluate", stage=f"exam-{level}-{seed}"),
            }
            cells.append(CellRecord(levels={"freeze": level}, seed=seed, spec_hash=name, jobs=jobs))
    record = StudyRecord(
        study="freezing",
        stages="../.stages",
        factors={"freeze": levels},
        changes={"freeze": ("base.model.freeze",)},
        baseline={"freeze": levels[0]},
        seeds=tuple(seeds),
        budget="steps",
        cells=tuple(cells),
    )
    (folder / STUDY).write_text(seal(record))
    return folder


def make_run(folder: Path, score: float | None, *, seed: int = 0, **model: Any) -> Path:
    """Write a run of the tiny experiment that has reached a score; None where it goes on.

    Args:
        folder: of the run.
        score: accuracy of the evaluation.
        seed: of its trainings.
        model: arguments of the tiny model.
    """
    folder.mkdir(parents=True)
    spec = tiny_experiment("nowhere", base={"seed": seed}, vqa={"seed": seed}, **model)
    write_identity(folder, spec)
    if score is not None:
        write_exam(folder / "exam", folder, score, seed)
    return folder


def _training(stages: Path, stage: str, job: str, operations: float, *, done: bool = True) -> None:
    home = stages / stage / job
    home.mkdir(parents=True)
    costs = Costs(operations=operations, seconds=operations / 1e11, peak_memory=2_000_000_000)
    kind: JobKind = "pretrain" if job == "base" else "finetune"
    _record(stages, stage, job, kind, costs if done else Costs())
    lines = [
        {
            "event": "step",
            "step": step,
            "loss": 2 * math.exp(-step / 10) + 0.01 * len(stage),
            "metrics": {"answer_accuracy": 1 - math.exp(-step / 10)},
        }
        for step in range(1, STEPS + 1)
    ]
    lines.append({"event": "validate", "step": STEPS, "metrics": {"answer_accuracy": 0.9}})
    (home / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if done:
        write_result(home, JobResult(job=job, kind=kind, steps=STEPS, seconds=10.0))


def write_exam(
    home: Path,
    images: Path,
    score: float,
    seed: int,
    more: Mapping[str, float] = MappingProxyType({}),
) -> None:
    """Write the result and the predictions of an evaluation in the folder of its job."""
    home.mkdir(parents=True)
    order = np.random.default_rng(seed).permutation(ROWS)
    right = np.zeros(ROWS)
    right[order[: round(score * ROWS)]] = 1
    table = pa.table(
        {
            "id": [str(row) for row in range(ROWS)],
            "image": [[str(images / f"{row % 5}.png")] for row in range(ROWS)],
            "scene": np.arange(ROWS) // ROWS_OF_IMAGE,
            "text": [f"is <b>row {row}</b> right?" for row in range(ROWS)],
            "answer": ["yes"] * ROWS,
            "prediction": ["yes" if value else "no" for value in right],
            "probability": np.full(ROWS, 0.75, np.float32),
            "credit": right,
        }
    )
    parquet.write_table(table, home / "predictions.parquet")
    result = JobResult(
        job="exam",
        kind="evaluate",
        split="test",
        rows=ROWS,
        metrics={"accuracy": float(right.mean()), "loss": 1 - score, **more},
        predictions="predictions.parquet",
    )
    write_result(home, result)


def _record(stages: Path, stage: str, job: str, kind: str, costs: Costs) -> None:
    record = StageRecord.model_validate(
        {"stage": stage, "job": job, "kind": kind, "spec_hash": stage, "trainable": 12_300_000}
    )
    planned = costs.model_copy(update={"seconds": None, "peak_memory": 500_000_000})
    record = record.model_copy(update={"costs": costs, "planned": planned})
    (stages / stage / STAGE).write_text(seal(record))
