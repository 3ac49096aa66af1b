"""Advice on lists: their brackets and commas."""

import re

from renaissance.grammar.syntax.advice.place import Advice, Place, write
from renaissance.grammar.syntax.automaton import CLOSING
from renaissance.grammar.syntax.tokens import Token

LISTS = ("data", "of", "baseline", "seeds", "report")
"""Keys that take lists."""

VALUES = ("NUMBER", "PERCENTAGE", "DURATION", "STRING", "TRUE", "FALSE", "LSQB", "NAME")
"""Kinds of tokens that values start with."""

_VALUES_ALONE = re.compile(r'(?:[\w.%-]+|"[^"]*")(?:\s*,\s*(?:[\w.%-]+|"[^"]*"))*,?')


def lists(place: Place) -> Advice | None:
    """Say how lists are written."""
    kind = place.before.type if place.before else "NL"
    opening = place.opening.type if place.opening else ""
    found = None
    if kind == "EQUAL":
        found = _in_other_brackets(place)
    elif kind == "COMMA":
        found = _values_without_brackets(place)
    elif kind == "NAME":
        found = _names_without_brackets(place)
    if found is None and place.before is not None and opening in ("LPAR", "LSQB"):
        found = _items(place, place.before)
    if found is None and place.before is not None and kind == "LSQB" and place.at >= 2:
        found = _behind_a_word(place, place.before)
    return found


def _in_brackets(place: Place, text: str, start: int, end: int) -> Advice:
    help = f"lists stand in square brackets: `[{text}]`"
    return Advice(help=(help,), edits=(place.edit(start, end, f"[{text}]"),))


def _in_other_brackets(place: Place) -> Advice | None:
    """Explain `(a, b)` and `{a, b}`."""
    token, at = place.token, place.at
    last = place.closing(at) if token.type in ("LPAR", "LBRACE") else None
    if last is None:
        return None
    inner = place.text(place.line[at], place.line[last])[1:-1].strip()
    named = re.fullmatch(r"\w+\s*=\s*[\w.]+(?:\s*,\s*\w+\s*=\s*[\w.]+)*", inner)
    if named and place.text(place.line[at - 2]) in LISTS:
        inner = re.sub(r"\w+\s*=\s*", "", inner)
    elif token.type == "LBRACE" and not _VALUES_ALONE.fullmatch(inner):
        return None
    if not inner or re.search("[={}]", inner):
        return None
    return _in_brackets(place, inner, token.start, place.line[last].end)


def _values_without_brackets(place: Place) -> Advice | None:
    """Explain `key = 1, 2`."""
    token, at = place.token, place.at
    if token.type not in ("NUMBER", "STRING") or "EQUAL" in place.expected:
        return None
    equal = [i for i in range(at) if place.kind(i) == "EQUAL"]
    if not equal or any(place.kind(i) in CLOSING for i in range(equal[-1], at)):
        return None
    last = at
    while place.kind(last + 1) == "COMMA" and place.kind(last + 2) == token.type:
        last += 2
    first, end = place.line[equal[-1] + 1], place.line[last]
    return _in_brackets(place, place.text(first, end), first.start, end.end)


def _names_without_brackets(place: Place) -> Advice | None:
    """Explain `data = a, b`."""
    token, at = place.token, place.at
    if "EQUAL" not in place.expected or token.type not in ("NL", "RBRACE"):
        return None
    equal = [i for i in range(at) if place.kind(i) == "EQUAL"]
    kinds = [place.kind(i) for i in range(equal[-1] + 1, at)] if equal else []
    key = place.line[max(equal[-1] - 1, 0)] if equal else token
    if place.text(key) not in LISTS or kinds != ["NAME", *["COMMA", "NAME"] * (len(kinds) // 2)]:
        return None
    first, last = place.line[equal[-1] + 1], place.line[at - 1]
    return _in_brackets(place, place.text(first, last), first.start, last.end)


def _items(place: Place, before: Token) -> Advice | None:
    """Explain `[0:3]` and `[a b]`."""
    token, opening = place.token, place.opening
    in_list = opening is not None and opening.type == "LSQB"
    if in_list and token.type == "NUMBER" and token.start == before.end:
        return Advice(help=("a list names each of its values: `[0, 1, 2]`",))
    if "COMMA" not in place.expected or token.type not in VALUES:
        return None
    edit = place.edit(before.end, before.end, ",")
    return Advice(help=("put `,` between them",), edits=(edit,))


def _behind_a_word(place: Place, before: Token) -> Advice | None:
    """Explain `key [1, 2]` and `word["…"]`."""
    if "NUMBER" not in place.expected:
        return None
    at, last = place.at, place.closing(place.at - 1)
    inside = "…" if last is None else place.text(place.token, place.line[last - 1])
    word = place.line[at - 2]
    if at == 2 or place.kind(at - 3) in ("LBRACE", "COMMA"):
        edit = place.edit(word.end, word.end, " =")
        return write(f"{place.text(word)} = [{inside}]", edit)
    edits = (
        ()
        if last is None
        else (
            place.edit(before.start, before.end, "("),
            place.edit(place.line[last].start, place.line[last].end, ")"),
        )
    )
    help = f"values stand in parentheses: `{place.text(word)}({inside})`"
    return Advice(help=(help,), edits=edits)
