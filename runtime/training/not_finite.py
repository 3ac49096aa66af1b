"""A step without a finite loss: which texts and images it had, and what to do."""

import json
from pathlib import Path

from renaissance.runtime.data import JobData
from renaissance.runtime.errors import JobError
from renaissance.runtime.training.training import Training

NAMED = 2
"""Texts that the message names."""


def not_finite(training: Training, step: int) -> JobError:
    """Return what ends a job of which a step, counted from 0, has no finite loss."""
    session, checkpoints = training.session, training.checkpoints
    good = [s for s in checkpoints.steps() if s <= step]
    last = f"`{checkpoints.path(good[-1])}`" if good else "there is none"
    batch = batch_in_words(training.setup.data, step, session.home)
    return JobError(
        f"the loss of step {step} of job `{session.name}` is not a finite number; its batch "
        f"has {batch}; last good checkpoint: {last}; "
        "a lower `lr`, a longer `warmup` or a smaller `clip` may help"
    )


def batch_in_words(data: JobData, step: int, folder: Path) -> str:
    """Name the first texts of a step's global batch, and write all of them to a file.

    Args:
        data: of the job.
        step: counted from 0.
        folder: of the job, where `not_finite.json` is written.
    """
    samples = [data.sample("train", row) for row in data.rows(step)]
    file = folder / "not_finite.json"
    entries = [{"image": s.image_path, "text": s.text, "answer": s.answer} for s in samples]
    file.write_text(
        json.dumps({"step": step, "batch": entries}, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    named = ", ".join(f"`{s.text}` about `{s.image_path}`" for s in samples[:NAMED])
    more = f" and {len(samples) - NAMED} more, all in `{file}`" if len(samples) > NAMED else ""
    return f"{named}{more}"
