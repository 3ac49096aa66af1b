"""Advice on numbers: digits in groups, decimal commas, units."""

import re

from renaissance.grammar.syntax.advice.lists import LISTS
from renaissance.grammar.syntax.advice.place import Advice, Place, write
from renaissance.grammar.syntax.tokens import Token

_GROUPED = re.compile(r"(?<![\w.])\d{1,3}(?:[ ,]\d{3})+(?![\w.])")
_DECIMAL = re.compile(r"(?<![\w.])\d+,\d+(?![\w.])")
_LENGTHS = ("epochs", "steps")
_UNITS = {
    "%": ("percent", "pct"),
    "min": ("min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "k": ("k", "thousand"),
    "M": ("million", "mio"),
}


def number_in_parts(place: Place) -> Advice | None:
    """Say how numbers are spelled that were cut in two."""
    token, text = place.token, place.source.text
    if token.type == "DOT" and "NUMBER" in place.expected:
        following = place.line[place.at + 1] if place.at + 1 < len(place.line) else None
        if following is None or following.type != "NUMBER":
            return Advice(help=("a number starts with a digit: `0.5`",))
        return Advice(
            help=(f"a number starts with a digit: `0.{place.text(following)}`",),
            edits=(place.edit(token.start, token.start, "0"),),
        )
    if token.type != "NUMBER" or place.before is None:
        return None
    line = text.rfind("\n", 0, token.start) + 1
    for pattern, mark, said in (
        (_GROUPED, "_", "digits are grouped by `_`"),
        (_DECIMAL, ".", "write a decimal point"),
    ):
        for found in pattern.finditer(text, line, place.end()):
            if found.start() <= place.before.start and found.end() >= token.end:
                number = re.sub("[ ,]", mark, found[0])
                edit = place.edit(found.start(), found.end(), number)
                return Advice(help=(f"{said}: `{number}`",), edits=(edit,))
    return None


def with_unit(place: Place, number: Token) -> Advice:
    """Say how a number is written that has a word behind it."""
    word, spelled = place.text(place.token).lower(), place.text(number)
    key = place.line[place.at - 3] if place.at > 2 else number
    said = place.text(key)
    if said in LISTS:
        return write(f"{said} = [0, 1, 2]")
    for length in _LENGTHS:
        if word.rstrip("s") == length.rstrip("s") and length != said and said in _LENGTHS:
            edit = place.edit(key.start, place.token.end, f"{length} = {spelled}")
            return write(f"{length} = {spelled}", edit)
    unit = next((unit for unit, words in _UNITS.items() if word in words), None)
    if unit is not None:
        edit = place.edit(number.start, place.token.end, spelled + unit)
        return write(spelled + unit, edit)
    if word in ("epoch", "epochs") and said not in _LENGTHS:
        return Advice(help=("it is said in steps, or as a share of all steps: `10%`",))
    text = f"units are not written: `{spelled}`"
    return Advice(help=(text,), edits=(place.edit(number.end, place.token.end, ""),))
