"""From a spec to checkpoints, metrics and reports.

Names are imported when they are first used, so that importing the package does not import torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.errors import InterruptionError, JobError
    from renaissance.runtime.job_folder import run
    from renaissance.runtime.jobs import Run, run_jobs
    from renaissance.runtime.observer import Observer

__all__ = ["DataError", "InterruptionError", "JobError", "Observer", "Run", "run", "run_jobs"]

_HOME = {
    "DataError": "renaissance.runtime.data.errors",
    "InterruptionError": "renaissance.runtime.errors",
    "JobError": "renaissance.runtime.errors",
    "Observer": "renaissance.runtime.observer",
    "Run": "renaissance.runtime.jobs",
    "run": "renaissance.runtime.job_folder",
    "run_jobs": "renaissance.runtime.jobs",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
