"""How far a text was read: the next token, what is open, what was found, and steps from there."""

from collections.abc import Sequence

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import Source
from renaissance.grammar.syntax import mistakes
from renaissance.grammar.syntax.advice.place import Place
from renaissance.grammar.syntax.automaton import CLOSING, OPENING, Automaton
from renaissance.grammar.syntax.lookahead import Lookahead
from renaissance.grammar.syntax.tokens import MOST_FINDINGS, Token

_BEFORE_LIST = ("EQUAL", "COMMA", "LPAR", "LSQB")
_DEEPEST = 100


class GiveUpError(Exception):
    """The rest of the text is not worth reading."""


class Reading:
    """The state of one run over a text.

    Attributes:
        source: the text.
        automaton: has taken what was read.
        ahead: all tokens.
        next: index of the token that is to be read.
        before: the last token that was taken.
        open: brackets that are open, the innermost one last.
        closed: brackets with their partners, since a missing one was put there.
        missing_braces: how many more braces open than close, in what is left of the text.
        passed: what was left out, from where to where: nothing else is said of it.
        findings: what is wrong.
    """

    def __init__(self, source: Source, tokens: Sequence[Token]) -> None:
        """Begin at the start of a text."""
        self.source = source
        self.automaton = Automaton(source)
        self.ahead = Lookahead(source, tokens)
        self.next = 0
        self.before: Token | None = None
        self.open: list[Token] = []
        self.closed: list[tuple[Token, Token]] = []
        kinds = [token.type for token in self.ahead.tokens]
        self.missing_braces = kinds.count("LBRACE") - kinds.count("RBRACE")
        self.passed: list[tuple[int, int]] = []
        self.findings: list[Diagnostic] = []
        # Where the open square brackets stand that cut a slice, and open no list.
        self._slices: set[int] = set()

    def kind(self, ahead: int = 0) -> str:
        """Return the kind of the next token, or of one so many places behind it."""
        index, tokens = self.next + ahead, self.ahead.tokens
        return tokens[index].type if index < len(tokens) else "$END"

    def feed(self, token: Token) -> bool:
        """Give the automaton a token; False if it does not fit, and then nothing has changed."""
        if not self.automaton.take(token):
            return False
        if token.type in CLOSING:
            if len(self.open) == _DEEPEST:
                self.report(mistakes.too_deep(self.source, token, _DEEPEST))
                raise GiveUpError
            if token.type == "LSQB" and self.before and self.before.type not in _BEFORE_LIST:
                self._slices.add(token.start)
            self.open.append(token)
        elif token.type in OPENING:
            self.closed.append((self.open.pop(), token))
        self.before = token
        return True

    def feed_empty(self, kind: str) -> None:
        """Give the automaton a token that does not stand in the text; it has to fit."""
        place = self.ahead.tokens[self.next].start
        if not self.feed(Token(kind, place, place)):
            raise AssertionError(f"{kind} has to fit at {place}")

    def give_up_statement(self) -> list[str]:
        """Put ERROR in the place of the unfinished statement; return its open brackets."""
        ended = self.before is not None and self.before.type == "RBRACE"
        if ended and self.automaton.fits("NL"):
            # The statement ended with its block, only something behind it is wrong.
            self.feed_empty("NL")
        brackets = self.automaton.cut_back()
        del self.open[len(self.open) - len(brackets) :]
        self.feed_empty("ERROR")
        return [bracket.type for bracket in brackets]

    def report(self, finding: Diagnostic) -> None:
        """Add a finding, unless the last one was at the same place; no more than are worth it."""
        if self.findings and self.findings[-1].span == finding.span:
            return
        self.findings.append(finding)
        if len(self.findings) > MOST_FINDINGS:
            raise GiveUpError

    def passes_line_end(self) -> bool:
        """Tell whether a line end, which is the next token, means nothing here."""
        before = self.before.type if self.before else "NL"
        opening = self.open[-1] if self.open else None
        if opening is not None and opening.type != "LBRACE":
            # Lists go on over several lines, but not their items.
            if opening.start in self._slices:
                return False
            beside = before in ("LPAR", "LSQB", "COMMA")
            return beside or self.ahead.kind(self.behind_line_end()) in ("COMMA", "RPAR", "RSQB")
        return before in ("NL", "COMMA", "LBRACE")

    def behind_line_end(self) -> int:
        """Return the index of the next token that is no line end."""
        return self.next + (self.kind() == "NL")

    def in_list(self) -> bool:
        """Tell whether the innermost bracket that is open is no brace."""
        return bool(self.open) and self.open[-1].type != "LBRACE"

    def in_blocks_alone(self) -> bool:
        """Tell whether all brackets that are open are braces."""
        return all(opening.type == "LBRACE" for opening in self.open)

    def in_braces(self) -> bool:
        """Tell whether a brace is open."""
        return any(opening.type == "LBRACE" for opening in self.open)

    def in_freeze(self) -> bool:
        """Tell whether a `freeze` or `adapt` statement goes on."""
        inner = self.automaton.innermost(("FREEZE", "ADAPT", "LBRACE", "NL"))
        return inner in ("FREEZE", "ADAPT")

    def place(self, token: Token) -> Place:
        """Return a token that does not fit with what is around it."""
        start = self.ahead.line_start(self.next)
        return Place(
            source=self.source,
            token=token,
            before=self.before,
            expected=self.automaton.expected(),
            opening=self.open[-1] if self.open else None,
            new_line=start == self.next,
            in_freeze=self.in_freeze(),
            in_study=self.automaton.among("FACTOR"),
            line=tuple(self.ahead.tokens[start : self.ahead.line_end(start)]),
            at=self.next - start,
        )
