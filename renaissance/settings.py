"""What `--set` of a command line sets."""

from collections.abc import Iterable

from renaissance.grammar.source import SourceError


def settings_of(given: Iterable[str]) -> dict[str, str]:
    """Return values by address; of one that is given twice, the last.

    Raises:
        SourceError: if one is not written as ADDRESS=VALUE.
    """
    settings: dict[str, str] = {}
    for text in given:
        address, equal, value = text.partition("=")
        if not (equal and address.strip() and value.strip()):
            raise SourceError(f"--set {text} is not written as ADDRESS=VALUE")
        settings[address.strip()] = value.strip()
    return settings
