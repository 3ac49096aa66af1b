"""Look at tokens that are not read yet: their kinds, the lines they stand on and how deep."""

from collections.abc import Sequence

from renaissance.grammar.source import Source
from renaissance.grammar.syntax.tokens import Token, tables


class Lookahead:
    """The tokens of a text without comments, and with one line end where several follow.

    Attributes:
        tokens: all of them; some are changed to what they stand for.
    """

    def __init__(self, source: Source, tokens: Sequence[Token]) -> None:
        """Leave out what means nothing."""
        self._source = source
        self.tokens = significant(tokens)
        self._indents: dict[int, int] = {}

    def kind(self, index: int) -> str:
        """Return the kind of a token; that of the end of the text beyond it."""
        return self.tokens[index].type if index < len(self.tokens) else "$END"

    def spelled(self, token: Token) -> str:
        """Return the text of a token."""
        return self._source.text[token.start : token.end]

    def line_start(self, index: int) -> int:
        """Return the index of the first token on the line of a token."""
        while index > 0 and self.tokens[index - 1].type != "NL":
            index -= 1
        return index

    def line_end(self, index: int) -> int:
        """Return the index of the line end, or the end of the text, from a token on."""
        while self.kind(index) not in ("NL", "$END"):
            index += 1
        return index

    def line(self, index: int) -> list[Token]:
        """Return the tokens of the line of a token, up to it."""
        return self.tokens[self.line_start(index) : index + 1]

    def indent(self, token: Token) -> int:
        """Return how many spaces and tabs the line of a token starts with."""
        line, _ = self._source.position(token.start)
        if line not in self._indents:
            text = self._source.line(line)
            self._indents[line] = len(text) - len(text.lstrip(" \t"))
        return self._indents[line]

    def at_edge(self, token: Token) -> bool:
        """Tell whether a token stands at the left edge of the text."""
        return self._source.position(token.start)[1] == 1

    def starts_statement(self, index: int) -> bool:
        """Tell whether the tokens from `index` on look like a statement, not like a value."""
        if index >= len(self.tokens):
            return False
        blocks = tables().blocks
        kind, following = self.kind(index), self.kind(index + 1)
        if kind in ("FREEZE", "ADAPT", "IMPORT", "LET", "STUDY", "FACTOR"):
            return True
        if kind in blocks and following in ("NAME", "LBRACE"):
            return True
        while following == "DOT" and self.kind(index + 2) in ("NAME", *blocks):
            index += 2
            following = self.kind(index + 1)
        return kind in ("NAME", *blocks) and following == "EQUAL"

    def is_list(self, index: int) -> bool:
        """Tell whether a brace opens no block: it closes on its line and nothing is set in it."""
        while (kind := self.kind(index)) not in ("EQUAL", "NL", "$END", *tables().blocks):
            if kind == "RBRACE":
                return self.kind(index - 1) != "LBRACE"
            index += 1
        return False


def significant(tokens: Sequence[Token]) -> list[Token]:
    """Leave out comments, and all but one of adjacent line ends.

    A comma before `freeze` or `adapt` ends a line: no selector has such a name.
    """
    ignored = tables().ignored
    kept: list[Token] = []
    for token in tokens:
        if token.type in ("FREEZE", "ADAPT"):
            before = [part.type for part in kept[-2:]]
            if before[1:] == ["COMMA"] != before[:1]:
                kept[-1] = kept[-1]._replace(type="NL")
        repeated = token.type == "NL" and kept and kept[-1].type == "NL"
        if token.type not in ignored and not repeated:
            kept.append(token)
    return kept
