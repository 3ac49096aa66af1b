"""Numbers in words: counts, shares, durations and metrics as a reader wants to see them."""

import math

from renaissance.compiler import amounts
from renaissance.grammar.kinds.quantity import Quantity

DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"


def count(number: int | float) -> str:
    """Spell a count out, thousands apart: `9,673`."""
    return f"{number:,.0f}"


def magnitude(number: int) -> str:
    """Spell a count in three digits: `512`, `12.3 k`, `1.25 M`, `86.6 M`."""
    return amounts.amount(number, space=NO_BREAK)


def share(part: float, digits: int = 1) -> str:
    """Spell a share between 0 and 1 as a percentage; only all of it is 100 %, only nothing 0 %."""
    percent = f"{part * 100:.{digits}f}"
    least = f"{10**-digits:.{digits}f}"
    if part < 1 and float(percent) == 100:
        percent = f"{100 - float(least):.{digits}f}"
    elif part > 0 and float(percent) == 0:
        percent = f"<{NO_BREAK}{least}"
    return f"{percent}{NO_BREAK}%"


def duration(seconds: float | None) -> str:
    """Spell a duration in its two largest units: `2 h 05 min`, `4 min 12 s`, `8.1 s`."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    return amounts.duration(seconds, space=NO_BREAK)


def throughput(rate: float | None) -> str:
    """Spell a number of texts a second."""
    if rate is None or not math.isfinite(rate):
        return DASH
    return amounts.per_second(rate)


def metric(quantity: Quantity, value: float) -> str:
    """Spell a measured value: a percentage for a share, four digits for anything else."""
    if not math.isfinite(value):
        return str(value)
    return share(value, 2) if quantity.share else f"{value:.4g}"


def interval(quantity: Quantity, ends: tuple[float, float]) -> str:
    """Spell what holds a measured value: `70.11 % to 72.30 %`."""
    return " to ".join(metric(quantity, end) for end in ends)
