"""The text of launch scripts."""

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from renaissance.compiler.errors import CompileError
from renaissance.grammar.schema.jobs import Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import paths_in

GRACE = 240
"""Seconds that processes have to write a checkpoint when they are told to stop: enough for 10 GB
on a disk that takes 50 MB/s."""

SIGNAL_SECONDS = 60
"""Slurm sends a signal up to this many seconds late or early."""

CPUS_PER_GPU = 8
"""Processor cores that a job asks for beside each GPU: for the processes that read data."""

RESTARTS = 20
"""Times that a job goes back into the queue of its own accord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a job folder is to run.

    Attributes:
        nodes: machines.
        gpus: of each machine, with a process each; one process on the CPU if 0.
        hours: until the scheduler ends the job.
    """

    nodes: int = 1
    gpus: int = 1
    hours: float = 24.0


def launch_script(spec: Spec) -> str:
    """Return the script that starts a job folder on one machine."""
    return _render("launch.sh", **_surroundings(spec))


def slurm_script(spec: Spec, folder: Path, placement: Placement) -> str:
    """Return the script that Slurm runs.

    Args:
        spec: of the folder.
        folder: where it is written.
        placement: what is asked of the cluster.

    Raises:
        CompileError: if the time is too short to stop in, or something is asked for that no
            cluster can give.
    """
    notice = GRACE + SIGNAL_SECONDS
    if placement.nodes < 1 or placement.gpus < 0:
        raise CompileError("`--nodes` is at least one node, and `--gpus` at least 0")
    if not notice < placement.hours * 3600 <= 366 * 24 * 3600:
        raise CompileError(
            f"a job cannot have {placement.hours:g} hours: `--time` is longer than the {notice} "
            "seconds in which a job stops with a checkpoint, and at most a year"
        )
    minutes, second = divmod(round(placement.hours * 3600), 60)
    return _render(
        "slurm.sh",
        **_surroundings(spec),
        name=next(iter(spec.models)),
        nodes=placement.nodes,
        gpus=placement.gpus,
        processes=max(placement.gpus, 1),
        cpus=CPUS_PER_GPU * max(placement.gpus, 1),
        time=f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}",
        notice=notice,
        restarts=RESTARTS,
        folder=shlex.quote(str(folder.absolute())),
        spec_hash=spec.hash,
    )


def _surroundings(spec: Spec) -> dict[str, Any]:
    relative = next((path for path in _paths(spec) if not Path(path).is_absolute()), None)
    return {
        "interpreter": shlex.quote(sys.executable),
        "compiled_in": shlex.quote(str(Path.cwd())),
        "relative": None if relative is None else shlex.quote(relative),
        "hf_home": shlex.quote(os.environ["HF_HOME"]) if "HF_HOME" in os.environ else None,
        "grace": GRACE,
    }


def _paths(spec: Spec) -> list[str]:
    """Return the paths that a spec names: of data, and of encoders that are folders."""
    tasks = [job.task for job in spec.jobs.values() if isinstance(job, Finetune)]
    found = [path for block in (*spec.data.values(), *tasks) for _, _, path in paths_in(block)]
    for model in (*spec.models.values(), *spec.job_models.values()):
        blocks = (model, *model.sources)
        found += [path for block in blocks for _, _, path in paths_in(block)]
        names = [source.identifier for source in model.sources]
        found += [name for name in names if name is not None and Path(name).is_dir()]
    return found


def _render(template: str, **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(template).render(**values)
