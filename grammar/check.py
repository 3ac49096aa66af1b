"""Find everything that is wrong with a spec."""

from renaissance.grammar.composition.files import Files
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.composition.settings import Settings
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import Source


def check(
    source: Source, files: Files | None = None, settings: Settings | None = None
) -> tuple[Diagnostic, ...]:
    """Return all findings about a spec and its imports, by file and place.

    Args:
        source: the file that was asked for.
        files: where imports are read from; the disk if absent.
        settings: values that are set from outside, by address.
    """
    return resolve(source, files, settings).diagnostics
