"""Advice on the words that statements start with, and on what blocks relate to."""

from collections.abc import Iterator

from renaissance.grammar.borrowed import statement
from renaissance.grammar.named_sources import named_for_a_stream, source_meant
from renaissance.grammar.names import nearest, suggestion
from renaissance.grammar.syntax.advice.known_words import blocks, starting
from renaissance.grammar.syntax.advice.place import NONE, Advice, Place, write
from renaissance.grammar.syntax.tokens import tables

_RELATION_OF = {"pretrain": "on", "finetune": "from", "evaluate": "of", "model": "extends"}
_RELATIONS = ("extends", "on", "from", "of")
_PYTHON = ("def", "class", "for", "if", "while", "with", "return", "print", "try", "lambda")


def programming(place: Place) -> Advice | None:
    """Say that there are no functions, loops or conditions."""
    first = place.text(place.line[0]) if place.line else ""
    if first in _PYTHON and place.kind(1) not in ("EQUAL", "LBRACE") and place.at > 0:
        return Advice(
            help=("there are no functions, loops or conditions; a `study` varies things",)
        )
    if first in ("unfreeze", "thaw") and place.at == 1:
        return Advice(
            help=(
                "what is not frozen learns: `freeze vision until 30%` thaws, and `freeze nothing` "
                "takes back what a parent freezes",
            )
        )
    alone = place.kind(1) in ("NL", "STRING")
    if place.token.type == "STRING" and alone and place.at == 0 and len(place.expected) > 1:
        return Advice(help=("comments start with `#`",))
    return None


def keyword_meant(place: Place) -> Advice | None:
    """Say which keyword a word in the place of one resembles."""
    token, before = place.token, place.before
    if before is None or before.type != "NAME" or "EQUAL" not in place.expected:
        return None
    if (
        token.type not in ("NAME", "STRING", "LBRACE", "LPAR")
        or place.kind(place.at - 2) in blocks()
    ):
        return None
    word = place.text(before)
    close = nearest(word, starting())
    if not close:
        return None
    edits = (place.edit(before.start, before.end, close[0]),) if len(close) == 1 else ()
    return Advice(help=suggestion(word, close, "a keyword"), edits=edits)


def keywords_like(word: str) -> Iterator[tuple[str, str]]:
    """Yield the keywords of statements that a word may stand for, each with its kind of token."""
    if (word in ("unfreeze", "thaw", *_PYTHON) and word != "def") or named_for_a_stream(word):
        return
    keywords = {text: tables().keywords[text] for text in starting()}
    close = nearest(word, keywords)
    if len(close) == 1:
        yield close[0], keywords[close[0]]
    elif not close and (meant := statement(word)) is not None:
        yield meant, keywords[meant]


def related(place: Place) -> Advice | None:
    """Say what stands between the name of a block and what it relates to."""
    token, before, at = place.token, place.before, place.at
    if token.type != "NAME" or before is None or before.type != "NAME" or at != 2:
        return None
    keyword, text = place.text(place.line[0]), place.text(token)
    if keyword in ("backbone", "embed", "fusion"):
        named = None if keyword == "fusion" else source_meant(text, place.text(before))
        edit = place.edit(before.end, token.end, f" = {named or text}")
        return write(f"{keyword} {place.text(before)} = {named or text}", edit)
    relation = _RELATION_OF.get(keyword)
    if relation is None:
        return None
    if place.kind(at + 1) != "NAME":
        return write(f"{relation} {text}", place.edit(token.start, token.start, f"{relation} "))
    close = nearest(text, _RELATIONS)
    relation = close[0] if close else relation
    meant = f"{relation} {place.text(place.line[at + 1])}"
    return write(meant, place.edit(token.start, token.end, relation))


def instead_of_key(place: Place) -> Advice:
    """Say what is written instead of a keyword to which something is assigned."""
    token, at = place.token, place.at
    word = place.text(token)
    if place.kind(at + 1) != "EQUAL":
        return NONE
    value = place.text(place.line[at + 2], place.line[-1]) if at + 2 < len(place.line) else "…"
    value = value.rstrip(" })").strip('[]"')
    if place.in_study and word in _RELATIONS:
        return Advice(
            help=(f"write `of = [{value}]`",), edits=(place.edit(token.start, token.end, "of"),)
        )
    if word in _RELATION_OF.values():
        return Advice(help=(f"it stands before the braces: `… NAME {word} {value} {{`",))
    if token.type in ("FREEZE", "ADAPT"):
        start = at
        while start > 1 and place.kind(start - 1) == "DOT":
            start -= 2
        meant = f"{word} {value}"
        for part in reversed(place.line[start:at:2]):
            meant = f"{place.text(part)} {{ {meant} }}"
        return write(meant)
    return NONE
