"""A token that does not fit with what is around it, and the advice that is given about it."""

from renaissance.grammar.diagnostics import Edit
from renaissance.grammar.record import Record
from renaissance.grammar.source import Source, Span
from renaissance.grammar.syntax.automaton import CLOSING, OPENING
from renaissance.grammar.syntax.tokens import Token


class Place(Record):
    """A token that does not fit, and what is around it.

    Attributes:
        source: the text.
        token: what stands there.
        before: the last token that fitted.
        expected: the terminals that would fit.
        opening: the innermost open bracket or brace.
        new_line: whether the token is the first of its line.
        in_freeze: whether it stands in a `freeze` or `adapt` statement.
        in_study: whether it stands in a study, in a factor or in a level.
        line: the tokens of its line.
        at: where it stands in the line; as many as there are for the end of the line.
    """

    source: Source
    token: Token
    before: Token | None
    expected: frozenset[str]
    opening: Token | None
    new_line: bool
    in_freeze: bool
    in_study: bool = False
    line: tuple[Token, ...] = ()
    at: int = 0

    def text(self, first: Token, last: Token | None = None) -> str:
        """Return the text of a token, or of all from one to another."""
        return self.source.text[first.start : (last or first).end]

    def kind(self, index: int) -> str:
        """Return the kind of a token of the line; that of a line end beyond it."""
        return self.line[index].type if 0 <= index < len(self.line) else "NL"

    def freezing(self) -> Token:
        """Return the word that begins a `freeze` or `adapt`, or what goes on with it on a line."""
        verbs = (part for part in self.line if part.type in ("FREEZE", "ADAPT"))
        return next(verbs, self.line[0] if self.line else self.token)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """Return the change of a piece of the text."""
        return Edit(span=Span(source=self.source, start=start, end=end), text=text)

    def end(self) -> int:
        """Return where the last token of the line ends."""
        return self.line[-1].end if self.line else self.token.end

    def closing(self, index: int) -> int | None:
        """Return which token of the line closes the bracket at a place of it."""
        depth = 0
        for other in range(index, len(self.line)):
            depth += (self.kind(other) in CLOSING) - (self.kind(other) in OPENING)
            if not depth:
                return other
        return None


class Advice(Record):
    """What to write: in words, and as changes where these are all that is needed."""

    help: tuple[str, ...]
    edits: tuple[Edit, ...] = ()


NONE = Advice(help=())


def write(text: str, *edits: Edit) -> Advice:
    """Return the advice to write a text."""
    return Advice(help=(f"write `{text}`",), edits=edits)
