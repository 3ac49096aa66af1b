"""Comments and blank lines of a text, attached to the tokens they belong to."""

from bisect import bisect_left
from collections.abc import Sequence

from renaissance.grammar.record import Record
from renaissance.grammar.source import Source
from renaissance.grammar.syntax.tokens import Token, tokenize


class Comment(Record):
    """A comment on a line of its own; `blank` if an empty line stands above it."""

    text: str
    blank: bool


class Comments:
    """Where the comments of a text belong.

    A comment behind something on the same line belongs to what ends there; any other belongs to
    what starts next, which may be a closing bracket or the end of the text.
    """

    def __init__(self, source: Source | None = None) -> None:
        """Attach the comments of a text; without one there are none."""
        self._above: dict[int, list[Comment]] = {}
        self._behind: dict[int, str] = {}
        self.texts: list[str] = []
        """All of them in order, without the spaces behind them."""
        self._blank: set[int] = set()
        self._starts: list[int] = []
        self._before: dict[int, int] = {}
        if source is not None:
            self._attach(source)

    def above(self, start: int) -> Sequence[Comment]:
        """Return the comments on the lines above the token that starts at an offset."""
        return self._above.get(start, ())

    def behind(self, end: int) -> str:
        """Return the comment on the same line as the token that ends at an offset, or nothing."""
        return self._behind.get(end, "")

    def blank(self, start: int) -> bool:
        """Tell whether an empty line stands above the token that starts at an offset."""
        return start in self._blank

    def between(self, start: int, end: int) -> bool:
        """Tell whether a comment stands in a part of the text."""
        return bisect_left(self._starts, start) < bisect_left(self._starts, end)

    def token_before(self, start: int) -> int:
        """Return the start of the token before the one that starts at an offset."""
        return self._before.get(start, start)

    def _attach(self, source: Source) -> None:
        tokens, _ = tokenize(source)
        waiting: list[Comment] = []
        before: Token | None = None
        holder: Token | None = None
        lines = 0
        for token in tokens:
            if token.type == "NL":
                lines += 1
            elif token.type == "COMMENT":
                self._starts.append(token.start)
                text = source.text[token.start : token.end].rstrip()
                self.texts.append(text)
                if lines == 0 and holder is not None and self._may_hold(holder):
                    self._behind[holder.end] = text
                else:
                    waiting.append(Comment(text=text, blank=lines > 1))
                lines = 0
            else:
                if before is not None:
                    self._before[token.start] = before.start
                if lines > 1:
                    self._blank.add(token.start)
                if token.type != "COMMA":
                    if waiting:
                        self._above[token.start] = waiting
                        waiting = []
                    holder = token
                before = token
                lines = 0

    def _may_hold(self, token: Token) -> bool:
        """Tell whether a comment may be printed behind a token; there is room for one."""
        return token.type not in ("LPAR", "LSQB") and token.end not in self._behind
