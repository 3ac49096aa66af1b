"""What `exclude` of data blocks left out, in words."""

from collections.abc import Mapping


def exclusions(excluded: Mapping[str, int]) -> str:
    """Say how many texts were left out, by what `exclude` names; empty where none was."""
    return " and ".join(
        f"{count:,} text{'s' if count > 1 else ''} about images of `{name}`"
        for name, count in excluded.items()
        if count
    )
