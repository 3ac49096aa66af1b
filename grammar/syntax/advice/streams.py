"""Advice on the streams of a model: which encoder a backbone is, and what a fusion joins."""

import re

from renaissance.grammar.named_sources import named_for_a_stream, source_meant, source_named
from renaissance.grammar.syntax.advice.place import NONE, Advice, Place, write
from renaissance.grammar.syntax.tokens import text_value


def named_encoder(place: Place) -> Advice | None:
    """Say how a backbone says which encoder it is."""
    before = place.before
    if place.kind(0) not in ("BACKBONE", "EMBED") or before is None:
        return None
    equal = "" if place.kind(2) == "EQUAL" else "= "
    at = 2 if equal else 3
    if place.kind(at) == "STRING" and place.at in (at, at + 1) and place.kind(1) == "NAME":
        said = place.line[at]
        meant = source_named(text_value(place.text(said)), place.text(place.line[1]))
        return write(equal + meant, place.edit(said.start, said.end, equal + meant))
    if equal:
        return None
    name = next((part for part in place.line[3:] if part.type == "STRING"), None)
    if place.token.type == "LPAR" and place.kind(place.at - 2) == "DOT":
        library = "timm" if place.text(place.line[3]) == "timm" else "huggingface"
        spelled = place.text(name) if name is not None else f'"{place.text(before)}"'
        last = place.closing(place.at)
        meant = f"{library}({spelled})"
        edits = (
            () if last is None else (place.edit(place.line[3].start, place.line[last].end, meant),)
        )
        return write(meant, *edits)
    return None


def backbone(place: Place) -> Advice | None:
    """Say that `vision timm("…")` states a backbone."""
    token, before = place.token, place.before
    if place.at != 1 or before is None or before.type != "NAME":
        return None
    name, said = place.text(before), place.text(token)
    if "EQUAL" not in place.expected or not named_for_a_stream(name):
        return None
    if token.type == "LBRACE":
        edit = place.edit(before.start, before.start, "backbone ")
        return write(f"backbone {name} {{ … }}", edit)
    if token.type != "NAME":
        return None
    last = place.closing(2) if place.kind(2) == "LPAR" else None
    end = token if last is None else place.line[last]
    meant = f"backbone {name} = {source_meant(said, name) or place.text(token, end)}"
    return write(meant, place.edit(before.start, end.end, meant))


def named_streams(place: Place) -> Advice:
    """Say that the streams of a fusion stand between parentheses without names for them."""
    start = next((i for i, part in enumerate(place.line) if part is place.opening), None)
    last = None if start is None else place.closing(start)
    if place.kind(0) != "FUSION" or start is None or last is None:
        return NONE
    inside = place.text(place.line[start], place.line[last])[1:-1].strip()
    if not re.fullmatch(r"\w+\s*=\s*\w+(?:\s*,\s*\w+\s*=\s*\w+)*", inside):
        return NONE
    inside = re.sub(r"\w+\s*=\s*", "", inside)
    meant = f"{place.text(place.line[start - 1])}({inside})"
    return write(meant, place.edit(place.line[start - 1].start, place.line[last].end, meant))
