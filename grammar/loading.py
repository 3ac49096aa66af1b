"""Load specs that have no errors, and compare them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renaissance.grammar.composition.resolution import resolve_file
from renaissance.grammar.diagnostics import SpecError
from renaissance.grammar.diff import SpecDiff, diff_specs
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.study import Study


def load(path: str | Path, set: Mapping[str, Any] | None = None) -> Spec:
    """Return the resolved spec of a `.vl` file.

    Args:
        path: of the file.
        set: values by address that take the place of those of the file, such as
            `{"base.batch": 64, "base.optimizer.lr": 1e-4}`; texts as a file spells a value, with
            or without quotes.

    Raises:
        SourceError: if the file cannot be read.
        SpecError: if it has errors; carries every finding.
    """
    settings = {address: _spelled(value) for address, value in (set or {}).items()}
    resolution = resolve_file(path, settings)
    if resolution.spec is None:
        raise SpecError(resolution.diagnostics)
    return resolution.spec


def load_studies(path: str | Path, set: Mapping[str, Any] | None = None) -> Mapping[str, Study]:
    """Return the resolved studies of a `.vl` file by name, with all their cells.

    Args:
        path: of the file.
        set: values by address, as for `load`.

    Raises:
        SourceError: if the file cannot be read.
        SpecError: if it has errors; carries every finding.
    """
    settings = {address: _spelled(value) for address, value in (set or {}).items()}
    resolution = resolve_file(path, settings)
    if resolution.spec is None:
        raise SpecError(resolution.diagnostics)
    return resolution.studies


def diff(old: str | Path | Spec, new: str | Path | Spec) -> SpecDiff:
    """Compare what two specs mean, given as files or loaded.

    Raises:
        SourceError: if a file cannot be read.
        SpecError: if one has errors.
    """
    before, after = (spec if isinstance(spec, Spec) else load(spec) for spec in (old, new))
    return diff_specs(before, after)


def _spelled(value: Any) -> str:
    """Return a value of Python as a file spells it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_spelled, value))}]"
    return str(value)
