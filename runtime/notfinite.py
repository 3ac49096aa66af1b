"""Which texts and images a step without a finite loss had."""

import json
from pathlib import Path

from renaissance.runtime.data import JobData

NAMED = 2


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
