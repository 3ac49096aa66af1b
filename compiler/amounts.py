"""Amounts in words: counts, bytes, rates and times with as many digits as a reader wants."""

GIBIBYTE = 1024**3
_PREFIXES = ("", "k", "M", "G", "T", "P")


def amount(number: float, unit: str = "", *, space: str = "") -> str:
    """Spell a number with three digits and a decimal prefix: `512`, `12.3k`, `1.25MB`.

    Args:
        number: how many.
        unit: of what; it stands behind the prefix.
        space: between digits and prefix.
    """
    sign, scaled = "-" if number < 0 else "", abs(number)
    prefix = ""
    for prefix in _PREFIXES:
        # What three digits would round up to 1000 belongs to the next prefix.
        if scaled < 999.5 or prefix == _PREFIXES[-1]:
            break
        scaled /= 1000
    digits = 0 if not prefix or scaled >= 99.95 else 1 if scaled >= 9.995 else 2
    behind = f"{prefix}{unit}"
    return f"{sign}{scaled:.{digits}f}{space if behind else ''}{behind}"


def in_bytes(number: float) -> str:
    """Spell bytes with three digits and a decimal unit: `13.5 GB`."""
    return amount(number, "B", space=" ")


def in_flops(number: float) -> str:
    """Spell operations with three digits and a decimal unit: `35.1 GFLOP`."""
    return amount(number, "FLOP", space=" ")


def gibibytes(number: float) -> str:
    """Spell bytes of a memory or a folder with one decimal: `1,023.5 GiB`."""
    return f"{number / GIBIBYTE:,.1f} GiB"


def per_second(rate: float) -> str:
    """Spell a rate: whole, or with three digits where it is small."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def duration(seconds: float, *, space: str = " ") -> str:
    """Spell a measured time in its two largest units: `8.1 s`, `4 min 12 s`, `2 h 05 min`.

    Args:
        seconds: that it took.
        space: between numbers and units.
    """
    if seconds < 59.95:
        return f"{seconds:.1f}{space}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return space.join((str(minutes), "min", f"{rest:02d}", "s"))
    hours, minutes = divmod(round(seconds / 60), 60)
    return space.join((str(hours), "h", f"{minutes:02d}", "min"))


def predicted(seconds: float) -> str:
    """Spell a predicted time, from `20 ms` to `3 d 4 h`: no finer than a prediction is."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
