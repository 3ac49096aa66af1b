"""Scripts that start a job folder: on one machine, and under Slurm."""

from renaissance.compiler.launching.scripts import Placement, launch_script, slurm_script

__all__ = ["Placement", "launch_script", "slurm_script"]
