"""The rules of advice, in the order in which they are asked."""

from collections.abc import Callable

from renaissance.grammar.syntax.advice.blocks import brace, ended, parentheses
from renaissance.grammar.syntax.advice.freezing import freezing
from renaissance.grammar.syntax.advice.keys import equal, missing_part, quotes
from renaissance.grammar.syntax.advice.lists import lists
from renaissance.grammar.syntax.advice.numbers import number_in_parts
from renaissance.grammar.syntax.advice.place import NONE, Advice, Place
from renaissance.grammar.syntax.advice.statements import keyword_meant, programming, related
from renaissance.grammar.syntax.advice.streams import backbone, named_encoder
from renaissance.grammar.syntax.advice.studies import grouping, then

Rule = Callable[[Place], Advice | None]


def advice(place: Place) -> Advice:
    """Return what to write instead, as far as that can be told."""
    grouped = place.in_study or place.kind(0) == "FACTOR"
    rules: tuple[Rule, ...] = (
        programming,
        *((grouping,) if grouped else ()),
        *((freezing,) if place.in_freeze else ()),
        named_encoder,
        then,
        number_in_parts,
        lists,
        brace,
        parentheses,
        equal,
        quotes,
        related,
        backbone,
        keyword_meant,
        missing_part,
        ended,
    )
    return next((found for rule in rules if (found := rule(place)) is not None), NONE)
