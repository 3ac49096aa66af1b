"""Job folders: what a run needs, in one place, to be started on another day or machine.

A folder holds the resolved spec twice (`spec.json`, which is read, and `spec.vl`, for people), the
plan, a lock of versions, backbones and data, and a launch script. Data stay where they are.
"""

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from renaissance.compiler.asked import check_asked, check_folder
from renaissance.compiler.assembly import assemble
from renaissance.compiler.errors import CompileError
from renaissance.compiler.launching import Placement, launch_script, slurm_script
from renaissance.compiler.planning import plan
from renaissance.grammar.canonical import UnprintableError, print_spec
from renaissance.grammar.chain import chain_of
from renaissance.grammar.declaration import Block
from renaissance.grammar.kinds.origins import origins
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import paths_in
from renaissance.grammar.writing import draft_of, write_whole

FORMAT_VERSION = "1.0"
FILES = (
    "spec.json",
    "spec.vl",
    "plan.json",
    "lock.json",
    "README.md",
    "launch.sh",
    "slurm.sh",
)
"""What a job folder holds, in the order in which it is written."""

_PACKAGES = (
    "renaissance-vl",
    "torch",
    "transformers",
    "timm",
    "tokenizers",
    "safetensors",
    "datasets",
    "numpy",
)


def compile(
    spec: Spec, out: str | Path, job: str | None = None, placement: Placement | None = None
) -> Path:
    """Write a job folder.

    Args:
        spec: a resolved spec.
        out: the folder; created, or rewritten if it holds the same spec.
        job: leaves out all jobs but this one and those that it starts from or measures.
        placement: adds a script for Slurm that asks for this.

    Returns:
        The folder.

    Raises:
        CompileError: if a model cannot be built, the folder holds something else, or no cluster
            can give what is asked for.
    """
    folder = Path(out)
    chosen = spec if job is None else only_job(spec, job)
    if not chosen.jobs:
        raise CompileError("the spec has no job to compile")
    _claim(folder, chosen)
    try:
        text = print_spec(chosen)
    except UnprintableError as error:
        raise CompileError(str(error)) from None
    planned = json.dumps(plan(chosen).to_dict(), indent=2) + "\n"
    locked = json.dumps(lock(chosen), indent=2) + "\n"
    scripts = {"launch.sh": launch_script(chosen)}
    if placement is not None:
        scripts["slurm.sh"] = slurm_script(chosen, folder, placement)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "spec.json", chosen.to_json() + "\n")
    write_whole(folder / "spec.vl", text)
    write_whole(folder / "plan.json", planned)
    write_whole(folder / "lock.json", locked)
    write_whole(folder / "README.md", _readme(chosen))
    for name, script in scripts.items():
        write_whole(folder / name, script)
        (folder / name).chmod(0o755)
    return folder


def lock(spec: Spec) -> dict[str, Any]:
    """Return what a run depends on besides the spec: versions, backbones and data.

    Pretrained backbones are loaded once to record their revision and the hash of their content.
    """
    return {
        "format_version": FORMAT_VERSION,
        "spec_hash": spec.hash,
        "jobs": list(spec.jobs),
        "working_folder": str(Path.cwd()),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _versions(),
        "kinds": origins(spec),
        "backbones": _backbones(spec),
        "data": _sources(spec),
    }


def only_job(spec: Spec, job: str) -> Spec:
    """Return the part of a spec that one job needs, sources first.

    Raises:
        CompileError: if there is no such job, or its data exclude images of one that is left out.
    """
    check_asked(spec, (job,))
    needed = chain_of(spec.jobs, job)
    jobs = {name: declared for name, declared in spec.jobs.items() if name in needed}
    models = {
        declared.on for declared in jobs.values() if isinstance(declared, (Pretrain, Finetune))
    }
    data = {
        name
        for declared in jobs.values()
        if isinstance(declared, Pretrain)
        for name in declared.data
    }
    for name in sorted(data):
        for said in spec.data[name].exclude:
            if said.partition(".")[0] not in jobs:
                raise CompileError(
                    f"data `{name}` excludes what `{said}` is measured on, which is no part of "
                    f"job `{job}`; compile all jobs"
                )
    return Spec(
        models={name: model for name, model in spec.models.items() if name in models},
        data={name: pairs for name, pairs in spec.data.items() if name in data},
        jobs=jobs,
        job_models={name: model for name, model in spec.job_models.items() if name in jobs},
    )


def _claim(folder: Path, spec: Spec) -> None:
    check_folder(folder)
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    try:
        held = json.loads((folder / "lock.json").read_text(encoding="utf-8"))["spec_hash"]
    except (OSError, ValueError, KeyError, TypeError):
        if _half_written(folder):
            return
        raise CompileError(f"the folder `{folder}` is not empty and no job folder") from None
    if spec.hash not in (held, _hash_today(folder)):
        raise CompileError(f"the folder `{folder}` holds a job of another spec")


def _hash_today(folder: Path) -> str | None:
    """Return the hash that this version takes of the spec in a job folder, if it can read it."""
    try:
        return Spec.model_validate_json((folder / "spec.json").read_bytes()).hash
    except (OSError, ValueError):
        return None


def _half_written(folder: Path) -> bool:
    """Tell whether a process was killed that compiled here: there are files of ours alone."""
    names = {path.name for path in folder.iterdir()}
    first = {FILES[0], draft_of(Path(FILES[0])).name}
    ours = {*FILES, *(draft_of(Path(name)).name for name in FILES)}
    return not names.isdisjoint(first) and names <= ours


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _backbones(spec: Spec) -> dict[str, Any]:
    models: dict[str, Model] = dict(spec.models) | {
        f"{spec.training_job(job).on} of {job}": model for job, model in spec.job_models.items()
    }
    return {
        name: {
            address: asdict(reference)
            for address, reference in assemble(model, None, weights=True).references().items()
        }
        for name, model in models.items()
        if model.weights is not None
        or model.fusion.weights_of is not None
        or any(source.weights_of for source in model.sources)
    }


def _sources(spec: Spec) -> dict[str, Mapping[str, str]]:
    blocks: dict[str, Block] = dict(spec.data)
    for name, job in spec.jobs.items():
        if isinstance(job, Finetune):
            blocks[f"task of {name}"] = job.task
    for model in (*spec.models.values(), *spec.job_models.values()):
        for name, stream in model.streams.items():
            if any(paths_in(stream)):
                blocks[f"stream {name} of {model.name}"] = stream
    return {name: _places(block) for name, block in blocks.items()}


def _places(block: Block) -> dict[str, str]:
    """Return where the files and folders of a block lie, by key; of a list by its place too."""
    found: dict[str, str] = {}
    for key, _, path in paths_in(block):
        place = len([one for one in found if one.startswith(f"{key}[")])
        several = isinstance(getattr(block, key), tuple)
        found[f"{key}[{place}]" if several else key] = str(Path(path).absolute())
    return found


def _readme(spec: Spec) -> str:
    jobs = "\n".join(f"- `{name}`: {job.job}" for name, job in spec.jobs.items())
    return _README.format(
        jobs=jobs, hash=spec.hash, python=f"{sys.version_info.major}.{sys.version_info.minor}"
    )


_README = """# Job folder

Jobs, in order:

{jobs}

Run them with `./launch.sh`, or on 8 GPUs with `PROCESSES=8 ./launch.sh`; under Slurm with
`sbatch slurm.sh` where `compile --for slurm` wrote one. Started again, a run goes on where it was
stopped. The folder may be moved; relative paths of the spec start where it was compiled unless
WORKING_FOLDER is set.

| file | content |
|---|---|
| `spec.json` | the resolved spec, which is run; its SHA-256 is {hash} |
| `spec.vl` | the same for people |
| `plan.json` | components, parameters and compute |
| `lock.json` | versions (Python {python}), revisions and content of backbones, places of data |
| `launch.sh` | starts the run on this machine |
| `exit.json` | how the run ended: `finished`, `interrupted`, `refused` or `failed`, at which step |
"""
