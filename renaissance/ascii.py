"""Signs for terminals that have none but ASCII's."""

import codecs

_NAME = "renaissance.ascii"
_SIGNS = {
    **dict.fromkeys("│┃║╎┆", "|"),
    **dict.fromkeys("─━═╌┄", "-"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┡┩╇┠┨┯┷", "+"),
    **dict.fromkeys("█▇▆▅▄▃▂▁▉▊▋▌▍▎▏", "#"),
    **dict.fromkeys("\u2212\u2013\u2014", "-"),
    **dict.fromkeys("\u201c\u201d", '"'),
    **dict.fromkeys("\u2018\u2019", "'"),
    **dict.fromkeys("\u00a0\u202f", " "),
    "…": "...",
    "→": "->",
    "←": "<-",
    "\u00d7": "x",
    "·": ".",
    "•": "*",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "±": "+-",
}


def plainly() -> str:
    """Return the name of what writes signs that an encoding lacks as others that are close."""
    codecs.register_error(_NAME, _replaced)
    return _NAME


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    if not set(lacking) <= _SIGNS.keys():
        known = len(lacking) - len(lacking.lstrip("".join(_SIGNS)))
        if not known:
            return codecs.backslashreplace_errors(
                UnicodeEncodeError(
                    error.encoding, error.object, error.start, error.start + 1, error.reason
                )
            )
        lacking = lacking[:known]
    return "".join(_SIGNS[sign] for sign in lacking), error.start + len(lacking)
