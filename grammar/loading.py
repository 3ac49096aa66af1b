"""Load specs that have no errors."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from renaissance.grammar.composition.resolution import Resolution, resolve, resolve_file
from renaissance.grammar.diagnostics import Diagnostic, SpecError
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import source_of
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
    spec, _ = load_with_warnings(path, set)
    return spec


def load_with_warnings(
    path: str | Path, set: Mapping[str, Any] | None = None
) -> tuple[Spec, tuple[Diagnostic, ...]]:
    """Return what `load` returns, and the warnings about the file; raises what it raises."""
    resolution = resolve_file(path, _settings(set))
    return _sound(resolution), resolution.diagnostics


def load_in_spite_of(
    path: str | Path, codes: Collection[str], set: Mapping[str, Any] | None = None
) -> tuple[Spec, tuple[Diagnostic, ...]]:
    """Return the resolved spec of a file that may have some errors, with those that it has.

    Args:
        path: of the file.
        codes: of findings that say nothing against looking at the spec.
        set: values by address, as for `load`.

    Raises:
        SourceError: if the file cannot be read.
        SpecError: if it has other errors; carries every finding.
    """
    resolution = resolve_file(path, _settings(set), codes)
    return _sound(resolution), tuple(
        finding for finding in resolution.diagnostics if finding.code in codes
    )


def loads(text: str, set: Mapping[str, Any] | None = None) -> Spec:
    """Return the resolved spec of a text; relative imports start at the working folder.

    Args:
        text: of a `.vl` file.
        set: values by address, as for `load`.

    Raises:
        SourceError: if it is too long for a spec, or holds a zero byte.
        SpecError: if it has errors; carries every finding.
    """
    return _sound(resolve(source_of("<text>", text.encode()), settings=_settings(set)))


def load_studies(path: str | Path, set: Mapping[str, Any] | None = None) -> Mapping[str, Study]:
    """Return the resolved studies of a `.vl` file by name, with all their cells.

    Args:
        path: of the file.
        set: values by address, as for `load`.

    Raises:
        SourceError: if the file cannot be read.
        SpecError: if it has errors; carries every finding.
    """
    resolution = resolve_file(path, _settings(set))
    if resolution.spec is None:
        raise SpecError(resolution.diagnostics)
    return resolution.studies


def _sound(resolution: Resolution) -> Spec:
    if resolution.spec is None:
        raise SpecError(resolution.diagnostics)
    return resolution.spec


def _settings(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {address: _spelled(value) for address, value in (given or {}).items()}


def _spelled(value: Any) -> str:
    """Return a value of Python as a file spells it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_spelled, value))}]"
    return str(value)
