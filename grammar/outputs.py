"""Files of a run folder that belong to the run: an evaluation may not write over them."""

import posixpath
from collections.abc import Collection

from renaissance.grammar.writing import DRAFT

OF_RUN = frozenset(
    (
        "spec.json",
        "spec.vl",
        "report.html",
        "exit.json",
        "identity.json",
        "plan.json",
        "lock.json",
        "launch.sh",
        "slurm.sh",
        "README.md",
        ".lock",
        ".removal.json",
    )
)
"""Files that `train`, `eval` and `compile` keep in the folder itself."""

OF_JOB = frozenset(
    (
        "log.jsonl",
        "result.json",
        "best.json",
        "predictions.parquet",
        "tokenizer.json",
        "tokenizer.special.json",
        "checkpoints",
        "tensorboard",
    )
)
"""Files and folders that a job keeps in its own folder."""


def refusal(write: str, jobs: Collection[str]) -> str | None:
    """Say why predictions cannot be written to a path; None if they can.

    Args:
        write: the path, from the run folder.
        jobs: names of all jobs of the spec; each has a folder of its name.
    """
    if not write.strip() or any(ord(character) < 32 for character in write):
        return "is no name of a file"
    path = posixpath.normpath(write)
    if write.endswith("/") or path in (".", "..") or path.endswith("/.."):
        return "is a folder"
    first, _, rest = path.partition("/")
    if path in OF_RUN or path.startswith(DRAFT):
        return "is a file of the run itself"
    if first in jobs:
        if not rest:
            return f"is the folder of job `{first}`"
        if rest.partition("/")[0] in OF_JOB or rest.startswith(DRAFT):
            return f"is kept by job `{first}` itself"
    return None
