"""Load a spec that has no errors."""

from pathlib import Path

from renaissance.grammar.composition.resolution import resolve_file
from renaissance.grammar.diagnostics import SpecError
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
