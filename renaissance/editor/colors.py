"""What each word of a text is, for editors that colour by what the server says."""

from collections.abc import Iterator, Mapping

from lsprotocol import types

from renaissance.editor.documents import Analysis
from renaissance.editor.places import Columns
from renaissance.editor.reading import Reading, What

_OF_TOKENS: Mapping[str, str] = {
    "COMMENT": "comment",
    "STRING": "string",
    "NUMBER": "number",
    "PERCENTAGE": "number",
    "DURATION": "number",
}
_OF_ROLES: Mapping[What, str] = {
    "statement": "keyword",
    "relation": "keyword",
    "key": "property",
    "kind": "type",
    "word": "enumMember",
    "declares": "function",
    "refers": "variable",
    "address": "variable",
}
LEGEND = types.SemanticTokensLegend(
    token_types=sorted({*_OF_TOKENS.values(), *_OF_ROLES.values()}), token_modifiers=[]
)


def colors(analysis: Analysis, columns: Columns) -> list[int]:
    """Return five numbers for each word: lines and columns from the last one, length, sort, 0."""
    found: list[int] = []
    last_line = last_column = 0
    for start, end, sort in _words(analysis):
        place = columns.position(analysis.source, start)
        length = columns.position(analysis.source, end).character - place.character
        below = place.line - last_line
        column = place.character if below else place.character - last_column
        found += (below, column, length, LEGEND.token_types.index(sort), 0)
        last_line, last_column = place.line, place.character
    return found


def _words(analysis: Analysis) -> Iterator[tuple[int, int, str]]:
    reading = Reading(analysis.source.text, analysis.tokens, analysis.scope)
    roles = {role.token.start: _OF_ROLES[role.what] for role in reading.roles}
    for token in analysis.tokens:
        sort = roles.get(token.start) or _OF_TOKENS.get(token.type)
        if sort is not None:
            yield token.start, token.end, sort
