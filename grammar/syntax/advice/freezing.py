"""Advice on `freeze` and `adapt`: selectors, exceptions, keys and ends."""

import re

from renaissance.grammar.anatomy.selectors import KINDS
from renaissance.grammar.syntax.advice.numbers import with_unit
from renaissance.grammar.syntax.advice.place import Advice, Place, write
from renaissance.grammar.syntax.automaton import CLOSING
from renaissance.grammar.syntax.tokens import Token

_EXCEPT = ("but", "without", "not", "excluding", "minus", "exclude")
_NAMES = re.compile(r"\w[\w.\[\]:]*(?:\s*,\s*\w[\w.\[\]:]*)*")


def freezing(place: Place) -> Advice | None:
    """Say how what is frozen is named."""
    token, before = place.token, place.before
    assert before is not None
    if before.type in ("FREEZE", "ADAPT"):
        verb = place.text(before)
        if token.type == "NL":
            return Advice(help=(f"name a component, such as `{verb} vision`",))
        last = place.closing(place.at) if token.type in CLOSING else None
        end = place.end() if last is None else place.line[last].end
        meant = re.sub(r'[={}()"]', "", place.source.text[token.start : end]).strip()
        meant = meant.removeprefix("[").removesuffix("]").strip()
        if _NAMES.fullmatch(meant) and meant not in ("true", "false", "none"):
            return write(f"{verb} {meant}", place.edit(before.end, end, f" {meant}"))
        return Advice(help=(f"selectors follow without `=`: `{verb} vision`",))
    if token.type == "EQUAL" and place.kind(place.at + 1) in ("TRUE", "FALSE"):
        start = place.freezing()
        return write(
            place.text(start, before), place.edit(before.end, place.line[place.at + 1].end, "")
        )
    if found := _freezing_keys(place, before):
        return found
    if token.type == "EQUAL":
        text = (
            "a comma after a selector continues the list; "
            "put the next statement on a line of its own"
        )
        return Advice(help=(text,))
    if token.type == "UNTIL" and any(part.type == "ADAPT" for part in place.line):
        return Advice(help=("leave it out: what is under adapters never learns",))
    word = place.text(token)
    if token.type == "NAME" and word in _EXCEPT:
        return write("except", place.edit(token.start, token.end, "except"))
    if token.type == "NAME" and word == "and" and place.at + 1 < len(place.line):
        start = place.freezing()
        rest = place.text(place.line[place.at + 1], place.line[-1])
        meant = f"{place.text(start, before)}, {rest}"
        return write(meant, place.edit(before.end, token.end, ","))
    if token.type == "NAME" and "COMMA" in place.expected:
        first = place.at - 1
        while place.kind(first - 1) not in ("COMMA", "FREEZE", "ADAPT", "EXCEPT", "NL"):
            first -= 1
        selector = place.text(place.line[first], before)
        if word in KINDS:
            part = f"`.` stands before what is meant of a selector: `{selector}.{word}`"
            return Advice(help=(part, f"a comma between two: `{selector}, {word}`"))
        text = f"a comma stands between selectors: `{selector}, {word}`"
        return Advice(help=(text,), edits=(place.edit(before.end, before.end, ","),))
    if token.type == "LPAR" or ("RSQB" in place.expected and token.type in ("NUMBER", "COMMA")):
        return Advice(help=("write `layers[0]` for one layer, `layers[0:2]` for the first two",))
    return None


def _freezing_keys(place: Place, before: Token) -> Advice | None:
    """Say how the keys of a `freeze` or `adapt`, its end and single layers are written."""
    token, at, word = place.token, place.at, place.text(place.token)
    start = place.freezing()
    head = place.text(start, before)
    last = place.closing(at) if token.type == "LPAR" else len(place.line) - 1
    keys = place.text(token, place.line[last]).strip("()") if last is not None else ""
    if "=" in keys and "{" not in keys and token.type in ("LPAR", "NAME"):
        assert last is not None
        meant = f" {{ {keys.strip()} }}"
        return write(head + meant, place.edit(before.end, place.line[last].end, meant))
    if token.type == "NUMBER" and before.type == "DOT" and at > 1:
        root = head.removeprefix(place.text(start)).split(",")[-1].strip().partition(".")[0]
        meant = f"{root}.layers[{word}]"
        return Advice(help=(f"a layer stands in brackets: `{meant}`",))
    if token.type == "NAME" and word in ("for", "during", "till") and at + 1 < len(place.line):
        until = f"until {place.text(place.line[at + 1])}"
        return write(until, place.edit(token.start, place.end(), until))
    if (
        token.type == "NAME"
        and before.type in ("NUMBER", "PERCENTAGE")
        and place.kind(at - 2) == "UNTIL"
    ):
        return with_unit(place, before)
    return None
