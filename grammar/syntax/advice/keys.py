"""Advice on keys and what they are set to: `=`, quotes, and what is left out."""

import re

from renaissance.grammar.kinds.registry import FAMILIES
from renaissance.grammar.syntax.advice.known_words import CHOSEN, blocks
from renaissance.grammar.syntax.advice.lists import VALUES
from renaissance.grammar.syntax.advice.numbers import with_unit
from renaissance.grammar.syntax.advice.place import Advice, Place, write

_FILE = re.compile(r"\w[\w/]*")


def equal(place: Place) -> Advice | None:
    """Say that one `=` gives a value."""
    token, before, at = place.token, place.before, place.at
    kind = before.type if before else "NL"
    if token.type == "EQUAL" and kind == "EQUAL":
        return Advice(help=("write one `=`",), edits=(place.edit(token.start, token.end, ""),))
    if token.type != "COLON" or "EQUAL" not in place.expected or before is None:
        return None
    if place.kind(at + 1) == "LBRACE" and before.type in blocks():
        word = place.text(before)
        return write(f"{word} {FAMILIES[word].example if word in CHOSEN else 'NAME'} {{ … }}")
    if place.kind(0) == "MODEL" and at == 2 and place.kind(3) == "NAME":
        name = place.text(place.line[3])
        return write(f"extends {name}", place.edit(before.end, token.end, " extends"))
    if at == 1 and place.opening is None and place.text(before) == "defaults":
        named = _FILE.search(place.text(token, place.line[-1]))
        file = f"{named[0]}.vl" if named else "….vl"
        return Advice(help=(f'files are joined with `import "{file}"`',))
    edits = (place.edit(before.end, token.end, " ="),)
    return Advice(help=("a value is given with `=`",), edits=edits)


def quotes(place: Place) -> Advice | None:
    """Say what stands in quotes, and what does not."""
    token, expected = place.token, place.expected
    text = place.text(token)
    kind = place.before.type if place.before else "NL"
    if token.type == "STRING" and kind in ("ON", "FROM", "OF") and not text[1:-1].isidentifier():
        return Advice(
            help=('a name of this file stands there; `weights = "…"` of a model takes a file',)
        )
    if token.type == "NAME" and expected == {"STRING"}:
        edit = place.edit(token.start, token.end, f'"{text}.vl"')
        return Advice(help=(f'a path stands in quotes: `"{text}.vl"`',), edits=(edit,))
    if token.type != "STRING" or "STRING" in expected:
        return None
    if kind == "NAME" and "LPAR" in expected and place.at > 1:
        edits = (place.edit(token.start, token.end, f"({text})"),)
        return Advice(help=(f"write parentheses around it: `({text})`",), edits=edits)
    if "NAME" in expected and text[1:-1].isidentifier():
        edits = (place.edit(token.start, token.end, text[1:-1]),)
        return Advice(help=(f"names stand without quotes: `{text[1:-1]}`",), edits=edits)
    return None


def missing_part(place: Place) -> Advice | None:
    """Say that `=` or a value is missing, or what is too much."""
    token, before, at = place.token, place.before, place.at
    if before is None:
        return None
    if before.type in ("NUMBER", "PERCENTAGE") and token.type == "NAME" and at > 1:
        return with_unit(place, before)
    if "EQUAL" not in place.expected or before.type not in ("NAME", "RSQB"):
        return None
    start = at - 1
    while start > 0 and place.kind(start - 1) in ("DOT", "NAME", "RSQB", "LSQB", "LET", "NUMBER"):
        start -= 1
    if place.kind(start) not in ("NAME", "LET", *blocks()):
        return None
    key = place.text(place.line[start], before) if at else place.text(before)
    if token.type in ("NL", "COMMA", "RBRACE"):
        return write(f"{key} = …")
    if token.type in VALUES and place.kind(start - 1) not in blocks():
        last = place.closing(at) if token.type == "LSQB" else at
        value = place.text(token, None if last is None else place.line[last])
        return write(f"{key} = {value}", place.edit(before.end, before.end, " ="))
    return None
