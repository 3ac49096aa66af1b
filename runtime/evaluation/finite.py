"""What the metric of a task says, ours or another package's, has to be numbers by name."""

import math
from collections.abc import Mapping
from numbers import Real

from renaissance.grammar.kinds.registry import KindError


def finite(found: object, module: str) -> dict[str, float]:
    """Return metrics by name as plain numbers.

    Args:
        found: what a `metric.py` returned.
        module: its name.

    Raises:
        KindError: if they are no finite numbers by name.
    """
    if not isinstance(found, Mapping):
        raise KindError(f"`{module}` returns {found!r}, where metrics by name are wanted")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Real) or not math.isfinite(value):
            raise KindError(
                f"`{module}` returns {value!r} as `{name}`, where a finite number is wanted",
                "what cannot be measured is left out",
            )
    return {name: float(value) for name, value in found.items()}
