"""What a model said to each question, for people and in a file."""

import json
import math
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.outputs import refusal
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.writing import replacing
from renaissance.runtime.data import JobData
from renaissance.runtime.errors import UsageError
from renaissance.runtime.records import Prediction
from renaissance.runtime.tasks.answered import Answered

SAMPLES = 24
"""Predictions shown to people: evenly over the split, and as many wrong ones at most."""


def predicted(job: Evaluate, data: JobData, answered: Answered, place: int) -> Prediction:
    """Return what a model said to one question, by its place among the answered ones."""
    sample = data.sample(job.split, int(answered.rows[place]))
    probability = float(answered.probabilities[place])
    return Prediction(
        image=sample.image_path,
        text=sample.text,
        answer=sample.answer or "",
        prediction=answered.in_words(place),
        probability=None if math.isnan(probability) else probability,
    )


def shown(answered: Answered) -> list[int]:
    """Choose places for people to look at: evenly over the split, then wrong ones, evenly too."""
    chosen = _evenly(np.arange(len(answered)))
    credit = answered.credit
    if credit is not None:
        chosen += _evenly(np.flatnonzero(credit < 1))
    return list(dict.fromkeys(chosen))


def _evenly(places: np.ndarray) -> list[int]:
    count = min(len(places), SAMPLES)
    chosen: list[int] = places[np.arange(count) * len(places) // max(count, 1)].tolist()
    return chosen


def write_predictions(
    path: Path, job: Evaluate, task: TaskBlock, data: JobData, answered: Answered
) -> None:
    """Write the official file of a task, or a line of JSON for each question.

    A file appears whole, a device or pipe is written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    result = optional_facet(task, "result")
    ordinary = path.is_file() or not path.exists()
    whole = replacing(path) if ordinary else nullcontext(path)
    with whole as place, place.open("wb") as file:
        write_to = getattr(result, "write_to", None)
        if write_to is not None:
            write_to(task, answered, file)
            return
        if result is not None:
            file.write(result.write(task, answered))
            return
        for entry in _lines(job, task, data, answered):
            file.write((json.dumps(entry, ensure_ascii=False) + "\n").encode())


def _lines(
    job: Evaluate, task: TaskBlock, data: JobData, answered: Answered
) -> Iterator[dict[str, Any]]:
    """Yield what is predicted for each row of the split; nothing where it has no readable image."""
    places = {row: place for place, row in enumerate(answered.rows.tolist())}
    ids = answered.table.ids(answered.asked)
    for identifier, row in zip(ids, answered.asked.tolist(), strict=True):
        place = places.get(row)
        if place is None:
            yield {"id": identifier, "prediction": None}
        else:
            said = predicted(job, data, answered, place)
            entry = said.model_dump(mode="json", exclude={"explained", "choices", "pictures"})
            if task.result_file.more == "best" and answered.more is not None:
                entry["best"] = [answered.answers[one] for one in answered.more[place]]
            yield {"id": identifier, **entry}


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
