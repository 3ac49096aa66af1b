"""Advice on the braces and parentheses of blocks."""

import re

from renaissance.grammar.borrowed import statement_of_a_model
from renaissance.grammar.diagnostics import Edit
from renaissance.grammar.syntax.advice.known_words import CHOSEN, blocks, word_called, words_of
from renaissance.grammar.syntax.advice.place import Advice, Place, write
from renaissance.grammar.syntax.tokens import Token

_SIZE = re.compile(r"\b(?:r|rank|lora_r|lora_rank)\s*=\s*(\d+)")


def brace(place: Place) -> Advice | None:
    """Say what stands before a brace, or takes one."""
    token, before, at = place.token, place.before, place.at
    if token.type != "LBRACE":
        return None
    given = before is not None and before.type == "EQUAL"
    if given and place.kind(at - 3) == "DOT":
        return Advice(
            help=("braces follow on a name, without `.` and `=`: `base { model { … } }`",)
        )
    if place.new_line:
        return Advice(help=("put `{` on the line of what it belongs to",))
    if before is not None and given and place.line[0].type in blocks():
        head = place.text(place.line[0], place.line[at - 2])
        return write(f"{head} {{", place.edit(place.line[at - 2].end, before.end, ""))
    if before is None or before.type != "NAME" or "EQUAL" not in place.expected:
        return None
    return _before_a_name(place, before)


def _before_a_name(place: Place, before: Token) -> Advice | None:
    """Say which keyword stands before a name with a brace."""
    word, at = place.text(before), place.at
    for statement in CHOSEN:
        if word in words_of(statement):
            edit = place.edit(before.start, before.start, f"{statement} ")
            return write(f"{statement} {word} {{ … }}", edit)
    if word in words_of("source"):
        return write(f"backbone text = {word} {{ … }}")
    if at == 1 and (meant := statement_of_a_model(word)) and "{" in meant:
        last = place.closing(at)
        inside = "" if last is None else place.text(place.token, place.line[last])
        size = _SIZE.search(inside)
        return write(re.sub(r"\d+", size[1], meant) if size else meant)
    return None


def parentheses(place: Place) -> Advice | None:
    """Say what stands between parentheses, and what between braces."""
    token, before, at = place.token, place.before, place.at
    if token.type != "LPAR" or before is None or before.type != "NAME":
        return None
    word, last = place.text(before), place.closing(at)
    inside = "…" if last is None else place.text(token, place.line[last])[1:-1].strip()
    keyword = place.text(place.line[at - 2]) if at > 1 else ""
    if keyword == "fusion":
        if word in words_of("fusion"):
            edit = place.edit(before.start, before.start, "joint = ")
            return write(f"fusion joint = {word}({inside})", edit)
        return write(f"fusion {word} = cross_attention({inside})")
    if keyword in CHOSEN and inside and "=" not in inside:
        return Advice(help=(f"keys stand between braces: `{word} {{ … }}`",))
    if keyword in CHOSEN:
        edits: tuple[Edit, ...] = (
            () if last is None else (place.edit(before.end, place.line[last].end, ""),)
        )
        if "=" in inside and last is not None:
            inside = re.sub(r"\s*=\s*", " = ", inside)
            word = word_called(keyword, word) or word
            meant = f"{word} {{ {inside} }}"
            edits = (place.edit(before.start, place.line[last].end, meant),)
        return Advice(help=(f"keys stand between braces: `{word} {{ {inside} }}`",), edits=edits)
    return None


def ended(place: Place) -> Advice | None:
    """Say what stands between a block and the next statement of its line."""
    token, before = place.token, place.before
    if before is None or before.type != "RBRACE" or place.new_line:
        return None
    if "COMMA" not in place.expected or token.type not in ("NAME", "FREEZE", "ADAPT", *blocks()):
        return None
    text = f"a comma or a new line ends a statement: `}}, {place.text(token)} …`"
    return Advice(help=(text,), edits=(place.edit(before.end, before.end, ","),))
