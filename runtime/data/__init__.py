"""From files to the batches of every step: deterministic, vectorised, in worker processes.

Names are imported when they are first used: who only reads tables needs no torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.data.job import JobData, Sample, job_data
    from renaissance.runtime.data.tokenizer import Tokenizer

__all__ = ["DataError", "JobData", "Sample", "Tokenizer", "job_data"]

_HOME = {
    "DataError": "renaissance.runtime.data.errors",
    "JobData": "renaissance.runtime.data.job",
    "Sample": "renaissance.runtime.data.job",
    "Tokenizer": "renaissance.runtime.data.tokenizer",
    "job_data": "renaissance.runtime.data.job",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
