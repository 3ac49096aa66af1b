"""What `--set` of a command line sets."""

from collections.abc import Iterable

from renaissance.grammar.source import SourceError


def settings_of(
    given: Iterable[str], form: str = "ADDRESS=VALUE", example: str = "base.batch=64"
) -> dict[str, str]:
    """Return values by address.

    Args:
        given: what stands behind each `--set`.
        form: how it is written, and
        example: an example of that, for who writes it in another way.

    Raises:
        SourceError: if one is not written so, or two give one address a value.
    """
    settings: dict[str, str] = {}
    for text in given:
        address, equal, value = (part.strip() for part in text.partition("="))
        if not (equal and address and value):
            raise SourceError(f"--set {text} is not written as {form}, such as {example}")
        if address in settings:
            raise SourceError(f"--set {address} is given twice: {settings[address]} and {value}")
        settings[address] = value
    return settings
