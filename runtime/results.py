"""`result.json`: the last file that a job writes; a job that has none has not finished."""

from collections.abc import Collection
from pathlib import Path

from renaissance.grammar.writing import write_whole
from renaissance.runtime.errors import DamageError, UsageError
from renaissance.runtime.observer import Tell
from renaissance.runtime.records import JobResult
from renaissance.runtime.sealed import seal, unseal

RESULT = "result.json"
PREDICTIONS = "predictions.parquet"
"""What an evaluation says of each row, beside its result."""


def write_result(job: Path, result: JobResult) -> None:
    """Say in the folder of a job that it has finished."""
    write_whole(job / RESULT, seal(result))


def read_result(job: Path) -> JobResult | None:
    """Return the result in the folder of a job; None if it has not finished.

    Raises:
        DamageError: if it is not what was written.
    """
    try:
        return unseal(job / RESULT, JobResult, "result of a job")
    except FileNotFoundError:
        return None


def finished(folder: Path, name: str, hashes: Collection[str], tell: Tell) -> JobResult | None:
    """Return the result of a job of a spec; None if it has not finished, or must be made again.

    Args:
        folder: of the run.
        name: of the job.
        hashes: that name the spec in this folder.
        tell: is told of a result that is damaged.

    Raises:
        UsageError: if it is the result of another spec.
    """
    try:
        result = read_result(folder / name)
    except DamageError as damage:
        tell(f"{damage}; it is made again")
        return None
    if result is not None and result.spec_hash not in ("", *hashes):
        raise UsageError(
            f"`{folder / name / RESULT}` is the result of another spec "
            f"({result.spec_hash[:12]}); take another folder, or remove the results with "
            f"`renaissance train FILE:{name} --fresh`"
        )
    return result
