"""What a model said to each question, for people and in a file."""

import json
import os
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor

from renaissance.grammar.outputs import refusal
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.writing import replacing
from renaissance.runtime.data import JobData
from renaissance.runtime.errors import UsageError
from renaissance.runtime.evaluation.answers import Answers
from renaissance.runtime.records import Prediction

SAMPLES = 24
"""Predictions shown to people: evenly over the split, and as many wrong ones at most."""


def predicted(job: Evaluate, data: JobData, answers: Answers, row: int) -> Prediction:
    """Return what a model said to one question, by its row among the answers."""
    sample = data.sample(job.split, int(answers.samples[row]))
    return Prediction(
        image=sample.image_path,
        text=sample.text,
        answer=sample.answer or "",
        prediction=data.answers[int(answers.predictions[row])],
        probability=float(answers.probabilities[row]),
    )


def shown(answers: Answers) -> list[int]:
    """Choose rows for people to look at: evenly over the split, then wrong ones, evenly too."""
    wrong = (answers.predictions != answers.labels).nonzero().flatten()
    everywhere = torch.arange(len(answers.labels))
    chosen = [rows[_evenly(len(rows), SAMPLES)] for rows in (everywhere, wrong)]
    return list(dict.fromkeys(torch.cat(chosen).tolist()))


def _evenly(total: int, count: int) -> Tensor:
    count = min(total, count)
    return torch.arange(count) * total // max(count, 1)


def write_predictions(path: Path, job: Evaluate, data: JobData, answers: Answers) -> None:
    """Write a line for each question; a file appears whole, a device or pipe is written to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ordinary = path.is_file() or not path.exists()
    whole = replacing(path) if ordinary else nullcontext(path)
    with whole as place, place.open("w", encoding="utf-8") as file:
        for row in range(len(answers.labels)):
            entry = predicted(job, data, answers, row)
            file.write(json.dumps(entry.model_dump(mode="json"), ensure_ascii=False) + "\n")


def check_output(spec: Spec, name: str, folder: Path) -> None:
    """Refuse to write predictions over what belongs to the run.

    Raises:
        UsageError: if job `name` is an evaluation that would.
    """
    job = spec.jobs[name]
    if not isinstance(job, Evaluate) or job.write is None:
        return
    home = Path(os.path.realpath(folder))
    path = Path(os.path.realpath(home / job.write))
    inside = path.relative_to(home).as_posix() if path.is_relative_to(home) else None
    problem = refusal(job.write, spec.jobs) or (inside and refusal(inside, spec.jobs))
    if problem:
        raise UsageError(
            f"evaluation `{name}` cannot write its predictions to `{job.write}`, which {problem}; "
            "write another name"
        )
