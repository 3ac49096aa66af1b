"""The specs that the variants of a study were run by."""

from contextlib import suppress

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.identity import kept_spec
from renaissance.runtime.studies.records import CELLS
from renaissance.runtime.studies.results import StudyResults


def specs_of(results: StudyResults) -> dict[str, Spec]:
    """Return the spec of each variant with its first seed, as far as it was written."""
    found = {}
    for levels in results.variants:
        cell = results.of_variant(levels)[0]
        with suppress(OSError):
            spec = kept_spec(results.folder / CELLS / cell.name).spec
            if spec is not None:
                found[cell.variant] = spec
    return found
