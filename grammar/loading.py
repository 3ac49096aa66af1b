"""Load specs that have no errors, and compare them."""

from pathlib import Path

from renaissance.grammar.composition.resolution import resolve_file
from renaissance.grammar.diagnostics import SpecError
from renaissance.grammar.diff import SpecDiff, diff_specs
from renaissance.grammar.schema.spec import Spec


def load(path: str | Path) -> Spec:
    """Return the resolved spec of a `.vl` file.

    Raises:
        SourceError: if the file cannot be read.
        SpecError: if it has errors; carries every finding.
    """
    resolution = resolve_file(path)
    if resolution.spec is None:
        raise SpecError(resolution.diagnostics)
    return resolution.spec


def diff(old: str | Path | Spec, new: str | Path | Spec) -> SpecDiff:
    """Compare what two specs mean, given as files or loaded.

    Raises:
        SourceError: if a file cannot be read.
        SpecError: if one has errors.
    """
    before, after = (spec if isinstance(spec, Spec) else load(spec) for spec in (old, new))
    return diff_specs(before, after)
