"""`renaissance run`: run the jobs of a folder that `compile` wrote."""

from argparse import Namespace
from pathlib import Path

from renaissance.execution import execute


def run(arguments: Namespace) -> int:
    """Run all jobs of the folder; what has changed since it was compiled is said first."""
    from renaissance.runtime.asked import check_device, check_job_folder

    check_job_folder(Path(arguments.folder))
    check_device(arguments.device)
    from renaissance.runtime.job_folder import run as run_folder

    return execute(
        arguments,
        lambda observer: run_folder(
            arguments.folder, fresh=arguments.fresh, device=arguments.device, observer=observer
        ),
    )
