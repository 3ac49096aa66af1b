"""From a spec to checkpoints, metrics and reports.

Names are imported when they are first used, so that importing the package does not import torch.
"""

from typing import TYPE_CHECKING

from renaissance.grammar.first_use import on_first_use

if TYPE_CHECKING:
    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.errors import InterruptionError, JobError
    from renaissance.runtime.job_folder import run
    from renaissance.runtime.jobs import Run, run_jobs
    from renaissance.runtime.observer import Observer

__all__ = ["DataError", "InterruptionError", "JobError", "Observer", "Run", "run", "run_jobs"]

__getattr__ = on_first_use(
    __name__,
    {
        "DataError": "renaissance.runtime.data.errors",
        "InterruptionError": "renaissance.runtime.errors",
        "JobError": "renaissance.runtime.errors",
        "Observer": "renaissance.runtime.observer",
        "Run": "renaissance.runtime.jobs",
        "run": "renaissance.runtime.job_folder",
        "run_jobs": "renaissance.runtime.jobs",
    },
)
