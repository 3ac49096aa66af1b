"""Advice on studies: factors, levels and lists of jobs."""

import re

from renaissance.grammar.borrowed import statement
from renaissance.grammar.syntax.advice.place import Advice, Place, write

_LEVELS = "a level is a name with what it sets between braces"


def grouping(place: Place) -> Advice | None:
    """Say how factors, levels and lists of a study are written."""
    token, before, at = place.token, place.before, place.at
    first, kind = place.kind(0), before.type if before else "NL"
    if kind in ("FREEZE", "ADAPT") and token.type == "LBRACE" and at == 1:
        assert before is not None
        edit = place.edit(before.start, before.start, "factor ")
        return write(f"factor {place.text(before)} {{", edit)
    if kind == "NAME" and at == 1 and token.type == "NAME" and place.kind(2) == "EQUAL":
        assert before is not None
        if statement(place.text(before)) == "factor":
            return write(f"factor {place.text(token)} {{ low {{ … }} high {{ … }} }}")
    if first == "STUDY" and token.type == "OF" and at + 1 < len(place.line):
        return Advice(help=(f"write `of = [{place.text(place.line[at + 1])}]` between its braces",))
    if token.type == "NUMBER" and kind in ("NL", "LBRACE"):
        return Advice(help=(f"{_LEVELS}: `low {{ … }}`",))
    if token.type == "NAME" and at and before is not None and place.text(before) == "level":
        return write(place.text(token), place.edit(before.start, token.start, ""))
    if first == "FACTOR" and token.type in ("EQUAL", "NUMBER", "PERCENTAGE", "LSQB", "LBRACE"):
        return Advice(help=(f"{_LEVELS}: `factor rate {{ low {{ … }} high {{ … }} }}`",))
    if place.text(place.line[0] if place.line else token) in ("only", "except"):
        if token.type in ("NL", "COMMA", "RBRACE"):
            return Advice(help=("it names a factor with its level: `FACTOR = LEVEL`",))
        if before is not None and at == 1:
            rest = place.text(token, place.line[-1]).strip("[](){} ")
            meant = f"{place.text(before)} {{ {rest} }}"
            return write(meant, place.edit(place.line[0].start, place.end(), meant))
    if kind == "NAME" and at == 1 and token.type in ("COLON", "NL"):
        assert before is not None
        name = place.text(before)
        rest = place.text(place.line[2], place.line[-1]) if len(place.line) > 2 else "…"
        if token.type == "NL" or "=" in rest or ":" in rest:
            return Advice(help=(f"{_LEVELS}: `{name} {{ {rest} }}`",))
    return None


def then(place: Place) -> Advice | None:
    """Say that a study runs what its jobs start from without naming it."""
    rest = place.line[place.at + 1 :]
    if [place.kind(0), place.kind(1)] != ["OF", "EQUAL"] or place.text(place.token) != "then":
        return None
    if not rest:
        return None
    meant = re.split(r"\bthen\b", place.text(rest[0], rest[-1]))[-1].strip(" []")
    edit = place.edit(place.line[2].start, place.end(), f"[{meant}]")
    return write(f"of = [{meant}]", edit)
