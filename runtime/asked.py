"""What a person asks for that cannot be, as far as this is known without torch."""

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from renaissance.compiler.asked import check_folder
from renaissance.grammar.chain import sources_first
from renaissance.grammar.declaration import Block
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import paths_in
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.errors import UsageError
from renaissance.runtime.identity import LOCK, SPEC, STUDY

DEVICES = (
    *("cpu", "cuda", "fpga", "hip", "hpu", "ideep", "ipu", "lazy", "maia", "meta"),
    *("mps", "mtia", "opencl", "opengl", "privateuseone", "ve", "vulkan", "xla", "xpu"),
)
"""Words that torch takes for devices; whether one is there is another question."""
_DEVICE = re.compile(r"([a-z]+)(?::\d+)?")


def ordered_jobs(spec: Spec, only: Sequence[str] | None) -> tuple[str, ...]:
    """Return names of jobs, all if none are named, each after the one that it starts from.

    Raises:
        UsageError: if the spec has none of a name.
    """
    unknown = [name for name in only or () if name not in spec.jobs]
    if unknown:
        raise UsageError(f"there is no job `{unknown[0]}`; jobs are {listing(spec.jobs)}")
    return sources_first(spec.jobs, spec.jobs if only is None else only)


def check_device(name: str | None) -> None:
    """Refuse what is no name of a device; UsageError."""
    if name is not None:
        found = _DEVICE.fullmatch(name)
        if found is None or found[1] not in DEVICES:
            raise no_device(name)


def no_device(name: str) -> UsageError:
    """Return what is said of a name that is none of a device."""
    return UsageError(f"`{name}` is no device; devices are `cpu`, `cuda`, `cuda:1`")


def check_places(spec: Spec, names: Iterable[str]) -> None:
    """Make sure that the tables and folders of data are there; they are not read.

    Args:
        spec: the whole experiment.
        names: of the jobs that are to run.

    Raises:
        DataError: if one is not; says of which job or data block.
    """
    names = tuple(names)
    for name in names:
        job = spec.data_job(name)
        blocks: list[tuple[str, Block, frozenset[str]]]
        if isinstance(job, Pretrain):
            blocks = [(f"data `{each}`", spec.data[each], frozenset()) for each in job.data]
        else:
            blocks = [(f"job `{job.name}`", job.task, _unread(spec, name, names, job))]
        model = spec.model_of(name)
        blocks.append((f"model `{model.name}`", model, frozenset()))
        blocks += [(f"stream `{each}`", one, frozenset()) for each, one in model.streams.items()]
        for owner, block, unread in blocks:
            for key, _, place in paths_in(block):
                if key not in unread and not Path(place).exists():
                    raise DataError(
                        f"`{place}`, the `{key}` of {owner}, does not exist; `renaissance data` "
                        "with `--how` says what belongs where"
                    )


def _unread(spec: Spec, name: str, names: Collection[str], job: Finetune) -> frozenset[str]:
    """Return the keys that say where splits lie which none of some jobs reads."""
    measured = {
        user.split
        for other in names
        if isinstance(user := spec.jobs[other], Evaluate) and spec.data_job(other) == job
    }
    return frozenset(job.task.split_keys) - measured


def check_run(spec: Spec, folder: Path, only: Iterable[str] | None, device: str | None) -> None:
    """Refuse what could not run, before anything is imported that takes seconds.

    Raises:
        UsageError: if the spec has none of the jobs, `device` is no name of one, or the folder is
            that of a study.
        CompileError: if the folder of the run cannot be one.
        DataError: if what a new run would read is not there. One that has begun says so itself:
            what is finished needs no data.
    """
    names = ordered_jobs(spec, None if only is None else tuple(only))
    check_device(device)
    check_folder(folder)
    if (folder / STUDY).exists() and not (folder / SPEC).exists():
        raise UsageError(f"`{folder}` is the folder of a study: give another one with `-o DIR`")
    if not folder.exists():
        check_places(spec, names)


def check_job_folder(folder: Path) -> None:
    """Refuse what is no folder that `compile` wrote; UsageError."""
    for part in (SPEC, LOCK):
        if not (folder / part).exists():
            raise UsageError(
                f"`{folder}` is no job folder: it has no `{part}`; `renaissance compile` writes one"
            )
