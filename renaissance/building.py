"""`rn.build` and `rn.compile`: what the compiler does with specs, named as a person names them."""

from pathlib import Path
from typing import TYPE_CHECKING

from renaissance.compiler import assembly, bundle
from renaissance.opening import opened

if TYPE_CHECKING:
    from renaissance.compiler.launching import Placement
    from renaissance.compiler.model import VisionLanguageModel
    from renaissance.grammar.schema.spec import Spec


def build(
    spec: "Spec | str | Path", model: str | None = None, job: str | None = None
) -> "VisionLanguageModel":
    """Build a model of a spec, initialised and frozen as it says for the first step.

    The same spec gives the same weights: the seed of the job (0 without a job) decides them.

    Args:
        spec: a loaded one, a file, or the name of a shipped one.
        model: name of the model; needed where there are several and no job is named.
        job: adds the heads of this job and applies its own changes to the model.

    Raises:
        SourceError: if a file cannot be read.
        SpecError: if it has errors; carries every finding.
        CompileError: if there is no such model or job, or it cannot be built.
    """
    return assembly.build(opened(spec), model, job)


def compile(
    spec: "Spec | str | Path",
    out: str | Path,
    job: str | None = None,
    placement: "Placement | None" = None,
) -> Path:
    """Write a job folder, which `rn.run` runs, and return it.

    Args:
        spec: a loaded one, a file, or the name of a shipped one.
        out: the folder; created, or rewritten if it holds the same spec.
        job: leaves out all jobs but this one and those that it starts from or measures.
        placement: adds a script for Slurm that asks for this.

    Raises:
        SourceError: if a file cannot be read.
        SpecError: if it has errors; carries every finding.
        CompileError: if a model cannot be built, the folder holds something else, or no cluster
            can give what is asked for.
    """
    return bundle.compile(opened(spec), out, job, placement)
