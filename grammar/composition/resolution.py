"""From a file to one resolved spec and its studies, with everything that is wrong with them."""

from collections.abc import Collection, Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from renaissance.grammar.composition.experiment import resolve_scope
from renaissance.grammar.composition.files import Disk, Files
from renaissance.grammar.composition.scope import Scope, gather
from renaissance.grammar.composition.settings import Settings, apply_settings
from renaissance.grammar.composition.unused import check_unused
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.places import Places
from renaissance.grammar.record import Record
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source

if TYPE_CHECKING:
    from renaissance.grammar.study import Study


class Resolution(Record):
    """What a file means.

    Attributes:
        spec: the resolved spec; None if there are errors.
        studies: resolved studies by name; none if there are errors.
        diagnostics: everything that was found, by file and place.
        origins: where each value of the spec was said, by its path in the spec.
    """

    spec: Spec | None
    studies: "Mapping[str, Study]"
    diagnostics: tuple[Diagnostic, ...]
    origins: Places


def resolve(
    source: Source,
    files: Files | None = None,
    settings: Settings | None = None,
    in_spite_of: Collection[str] = (),
) -> Resolution:
    """Resolve a file with everything that it imports.

    Args:
        source: the file; its imports are looked for beside it.
        files: where imports are read from; the disk if absent.
        settings: values that are set from outside, by address.
        in_spite_of: codes of errors with which there is a spec all the same.
    """
    findings, places = Findings(in_spite_of), Places()
    scope = gather(source, files or Disk(), findings)
    apply_settings(scope, settings or {}, findings)
    spec = resolve_scope(scope, findings, places)
    studies = _studies(scope, spec, findings, places)
    # What a study uses is known where all its cells are.
    if not scope.incomplete and len(studies) == len(scope.studies):
        check_unused(scope, findings)
    sound = not findings.has_errors()
    return Resolution(
        spec=spec if sound else None,
        studies=studies if sound else {},
        diagnostics=findings.ordered(scope.imports),
        origins=places,
    )


def _studies(
    scope: Scope, spec: Spec | None, findings: Findings, places: Places
) -> "dict[str, Study]":
    if not scope.studies:
        return {}
    # Most files have none, and need not wait for what reads them.
    from renaissance.grammar.composition.studies import read_study

    found = {
        name: read_study(declaration, scope, spec, findings, places)
        for name, declaration in scope.studies.items()
    }
    return {name: study for name, study in found.items() if study is not None}


def resolve_file(
    path: str | FilePath, settings: Settings | None = None, in_spite_of: Collection[str] = ()
) -> Resolution:
    """Resolve a file on the disk; see `resolve`.

    Raises:
        SourceError: if it cannot be read.
    """
    return resolve(Disk().read(str(path)), settings=settings, in_spite_of=in_spite_of)
