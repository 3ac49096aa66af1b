"""Read a whole file in one pass, whatever it contains.

Where a token does not fit, the statement around it is given up: the automaton is cut back to where
a statement may stand, the grammar's `ERROR` takes its place, and reading goes on at the end of the
line or at the next brace. So each mistake is reported once, and the statements around it are read
as usual.
"""

from bisect import bisect_right
from collections.abc import Sequence

from renaissance.grammar import tree
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import Source, Span
from renaissance.grammar.syntax import mistakes
from renaissance.grammar.syntax.advice.place import Place
from renaissance.grammar.syntax.advice.statements import keywords_like
from renaissance.grammar.syntax.automaton import CLOSING, OPENING, Automaton
from renaissance.grammar.syntax.tokens import MOST_FINDINGS, Token, tables, tokenize

_BEFORE_LIST = ("EQUAL", "COMMA", "LPAR", "LSQB")
_MISTAKEN = frozenset({"COLON", "EXTENDS", "EQUAL", "LBRACE"})
_DEEPEST = 100
_KEYS = ("of", "baseline", "seeds", "budget", "report")
"""Keys of a study, in which a word with a brace is something else."""
# Statements of a file. When one stands at the left edge inside a block, and braces are missing,
# the block is taken to end before it.
_ALWAYS_OUTERMOST = ("PRETRAIN", "FINETUNE", "EVALUATE", "IMPORT", "STUDY")
_OUTERMOST_WITH_NAME = ("MODEL", "DATA")


def parse(source: Source) -> tuple[tree.File, tuple[Diagnostic, ...]]:
    """Read a text into a syntax tree, and say what is wrong with its form.

    Never raises, whatever the text is. Statements that could not be read are missing from the
    tree; what contained them is marked as broken.

    Returns:
        The tree, and the findings in the order of their places.
    """
    tokens, findings = tokenize(source)
    parser = _Parser(source, tokens)
    file, more = parser.run()
    if parser.passed:
        findings = [
            finding
            for finding in findings
            if not any(start <= finding.span.start < end for start, end in parser.passed)
        ]
    found = sorted((*findings, *more), key=lambda finding: (finding.span.start, finding.code))
    if len(found) > MOST_FINDINGS:
        found[MOST_FINDINGS:] = [mistakes.too_many(found[MOST_FINDINGS].span, MOST_FINDINGS)]
    return file, tuple(found)


class _GiveUpError(Exception):
    """The rest of the text is not worth reading."""


class _Parser:
    """The state of one run."""

    def __init__(self, source: Source, tokens: Sequence[Token]) -> None:
        self._source = source
        self._tokens = _significant(tokens)
        self._next = 0
        self._before: Token | None = None
        self._automaton = Automaton(source)
        self._findings: list[Diagnostic] = []
        self._open: list[Token] = []
        # Where the open square brackets stand that cut a slice, and open no list.
        self._slices: set[int] = set()
        # What was left out, from where to where: nothing else is said of it.
        self.passed: list[tuple[int, int]] = []
        # Brackets with their partners, since a missing one was put there.
        self._closed: list[tuple[Token, Token]] = []
        kinds = [token.type for token in self._tokens]
        self._missing_braces = kinds.count("LBRACE") - kinds.count("RBRACE")
        self._indents: dict[int, int] = {}

    def run(self) -> tuple[tree.File, list[Diagnostic]]:
        try:
            file = self._read()
        except _GiveUpError:
            everything = Span(source=self._source, start=0, end=len(self._source.text))
            file = tree.File(span=everything, statements=(), broken=True)
        return file, self._findings + self._automaton.builder.findings

    def _read(self) -> tree.File:
        while True:
            token = self._tokens[self._next]
            kind = token.type
            if kind == "NL" and self._skipped():
                self._next += 1
            elif (self._missing_braces and self._balances(token)) or (
                kind in _MISTAKEN and self._replaces(token)
            ):
                continue
            elif kind == "$END" and (file := self._automaton.finish()):
                return file
            elif self._feed(token):
                self._next += 1
            else:
                self._recover(token)

    def _replaces(self, token: Token) -> bool:
        """Go on with what was meant by a token that stands in the place of another, if it does."""
        kind = token.type
        if kind == "COLON" and self._is_indented_block():
            self._pass_over_indented()
        elif kind == "COLON" and self._is_colon_for_brace():
            self._report(mistakes.colon_for_brace(self._source, self._line(self._next)))
            self._missing_braces += 1
            self._next += 1
            self._feed_empty("LBRACE")
        elif kind == "EXTENDS" and self._extends_a_study():
            self._report(mistakes.study_extends(self._source, token))
            self._open_broken_block(self._next + 2)
        elif kind in ("EQUAL", "COLON") and self._is_equal_before_brace():
            line = self._line(self._next + 1)
            self._report(mistakes.equal_before_brace(self._source, line))
            self._next += 1
        elif kind == "LBRACE" and self._opens_block_in_parentheses():
            self._report(mistakes.unclosed(self._source, self._open[-1], token))
            self._feed_empty("RPAR")
        else:
            return False
        return True

    def _balances(self, token: Token) -> bool:
        """Put a brace that is missing before a token, or leave out one too many, if one is here."""
        if self._ends_blocks(token):
            self._close_blocks(token)
        elif self._ends_inner_block(token):
            self._close_inner_block(token)
            if self._automaton.fits("NL"):
                self._feed_empty("NL")
        elif self._ends_outer_block(token):
            self._close_inner_block(token)
            self._feed_empty("NL")
        elif self._closes_too_much(token):
            self._report(mistakes.closes_nothing(self._source, token, left_out=True))
            self._missing_braces += 1
            self._next += 1
        elif self._lacks_brace(token) or self._names_no_block(token):
            self._open_block()
        else:
            return False
        return True

    def _opens_block_in_parentheses(self) -> bool:
        """Tell whether a brace opens a block where a parenthesis was not closed before it."""
        if not self._open or self._open[-1].type != "LPAR":
            return False
        named = self._before is not None and self._before.type == "NAME"
        if self._kind(self._next + 1) != "NL" or not named or not self._automaton.fits("RPAR"):
            return False
        depth, index = 0, self._next
        while self._kind(index) != "$END":
            depth += {"LBRACE": 1, "RBRACE": -1}.get(self._kind(index), 0)
            if depth == 0:
                behind = index + 1 + (self._kind(index + 1) == "NL")
                return self._kind(behind) not in ("RPAR", "COMMA")
            index += 1
        return True

    def _skipped(self) -> bool:
        """Tell whether a line end means nothing here."""
        before = self._before.type if self._before else "NL"
        if self._open and self._open[-1].type != "LBRACE":
            # Lists go on over several lines, but not their items.
            if self._open[-1].start in self._slices:
                return False
            beside = before in ("LPAR", "LSQB", "COMMA")
            return beside or self._kind(self._behind_lines()) in ("COMMA", "RPAR", "RSQB")
        return before in ("NL", "COMMA", "LBRACE")

    def _behind_lines(self) -> int:
        """Return the index of the next token that is no line end."""
        return self._next + (self._kind(self._next) == "NL")

    def _feed(self, token: Token) -> bool:
        """Give the automaton a token; False if it does not fit, and then nothing has changed."""
        if not self._automaton.take(token):
            return False
        if token.type in CLOSING:
            if len(self._open) == _DEEPEST:
                self._report(mistakes.too_deep(self._source, token, _DEEPEST))
                raise _GiveUpError
            if token.type == "LSQB" and self._before and self._before.type not in _BEFORE_LIST:
                self._slices.add(token.start)
            self._open.append(token)
        elif token.type in OPENING:
            self._closed.append((self._open.pop(), token))
        self._before = token
        return True

    def _report(self, finding: Diagnostic) -> None:
        if self._findings and self._findings[-1].span == finding.span:
            return
        self._findings.append(finding)
        if len(self._findings) > MOST_FINDINGS:
            raise _GiveUpError

    def _recover(self, token: Token) -> None:
        """Report a token that does not fit, and find a place to go on reading."""
        if token.type == "$END" and self._automaton.fits("RBRACE"):
            self._close_blocks(token)
            return
        if token.type in ("LPAR", "LSQB") and self._is_bracket_for_brace(token):
            self._take_for_brace(token)
            return
        if token.type == "STRING" and self._is_quoted_name(token):
            self._report(mistakes.unexpected(self._place(token)))
            self._tokens[self._next] = Token("NAME", token.start, token.end)
            self._automaton.builder.meant[token.start] = self._spelled(token)[1:-1]
            return
        if token.type == "RBRACE" and not self._inside_braces():
            self._report(mistakes.closes_nothing(self._source, token))
            self._next += 1
            return
        if (after := self._after_unclosed()) is not None:
            self._report(mistakes.unclosed(self._source, self._open[-1], self._tokens[after]))
            self._next = after
            self._give_up_statement()
            self._feed_empty("NL")
            return
        if self._line_lacks_brace():
            self._open_block()
            return
        if (misspelt := self._misspelt_word()) is not None:
            if self._take_for_keyword(misspelt):
                return
            if self._pass_over_block(token):
                return
        inside = self._in_freeze() and not (self._before and self._before.type == "NL")
        if self._automaton.fits("NL") and self._starts_statement(self._next) and not inside:
            self._report(mistakes.two_statements(self._source, token))
            self._feed_empty("NL")
            return
        head = self._kind(self._line_start(self._next))
        grouped = self._automaton.among("FACTOR") or head in ("STUDY", "FACTOR")
        if grouped and token.type != "UNKNOWN" and self._pass_over_block(token):
            return
        # What is wrong with an unknown token was said when the text was cut into tokens.
        if token.type != "UNKNOWN":
            self._report(mistakes.unexpected(self._place(token)))
        brackets = self._give_up_statement()
        if token.type == "UNKNOWN" and self._source.text.startswith('"', token.start):
            # A string that is not closed has taken the closing brackets with it.
            brackets = []
        self._skip(brackets)

    def _misspelt_word(self) -> Token | None:
        """Return the word that a statement starts with, if the token behind it does not fit."""
        word = self._before
        if word is None or word.type != "NAME" or self._tokens[self._next - 1] is not word:
            return None
        starts = self._next == 1 or self._kind(self._next - 2) in ("NL", "COMMA", "LBRACE")
        return word if starts and not (self._open and self._open[-1].type != "LBRACE") else None

    def _take_for_keyword(self, word: Token) -> bool:
        """Take a word for the keyword that it resembles, if the line goes on as that does."""
        end = self._next
        while self._kind(end) not in ("LBRACE", "NL", "$END"):
            if self._kind(end) == "COLON" and self._kind(end + 1) == "NL":
                break
            end += 1
        rest = [token.type for token in self._tokens[self._next : end]]
        if not rest and self._kind(end) == "COLON":
            return False
        if self._kind(end) == "LBRACE" and not self._is_list(end):
            rest.append("LBRACE")
        for text, kind in keywords_like(self._source.text[word.start : word.end]):
            keyword = Token(kind, word.start, word.end)
            if self._automaton.retake(keyword, rest):
                self._automaton.builder.meant[word.start] = text
                self._tokens[self._next - 1] = self._before = keyword
                self._report(mistakes.misspelt(self._source, word, text))
                return True
        return False

    def _pass_over_block(self, token: Token) -> bool:
        """Report a token that does not fit and leave out the block that follows, if it closes."""
        behind = self._behind_block()
        if behind is None:
            return False
        self._report(mistakes.unexpected(self._place(token)))
        self._give_up_statement()
        self._next = behind
        return True

    def _colon_at_end(self) -> int | None:
        """Return the index of the colon that the line ends with."""
        end = self._next
        while self._kind(end) not in ("NL", "$END"):
            end += 1
        return end - 1 if self._kind(end - 1) == "COLON" else None

    def _behind_block(self) -> int | None:
        """Return the index of what follows on the block that opens on this line, if it closes."""
        index, depth = self._next, 0
        colon = self._colon_at_end() if self._missing_braces < 0 else None
        if colon is not None:
            index, depth = colon, 1
        while self._kind(index) not in ("NL", "$END") or depth:
            depth += (self._kind(index) in CLOSING) - (self._kind(index) in OPENING)
            if self._kind(index) == "$END" or depth < 0:
                return None
            index += 1
            if not depth and self._kind(index - 1) == "RBRACE":
                self._missing_braces += colon is not None
                return index
        return None

    def _after_unclosed(self) -> int | None:
        """Return the index of what follows on an open round or square bracket, if that is clear.

        It is where a line starts as a statement does, or a block or the file ends. The line may
        have been taken for a part of the list already.
        """
        if not self._open or self._open[-1].type == "LBRACE":
            return None
        line = self._line_start(self._next)
        if self._open[-1].start < self._tokens[line].start and self._starts_statement(line):
            return line
        following = self._behind_lines()
        ends = self._kind(following) in ("RBRACE", "$END") or self._starts_statement(following)
        return following if ends and following > self._next else None

    def _place(self, token: Token) -> Place:
        start = end = self._line_start(self._next)
        while self._kind(end) not in ("NL", "$END"):
            end += 1
        return Place(
            source=self._source,
            token=token,
            before=self._before,
            expected=self._automaton.expected(),
            opening=self._open[-1] if self._open else None,
            new_line=self._line_start(self._next) == self._next,
            in_freeze=self._in_freeze(),
            in_study=self._automaton.among("FACTOR"),
            line=tuple(self._tokens[start:end]),
            at=self._next - start,
        )

    def _give_up_statement(self) -> list[str]:
        """Put ERROR in the place of the unfinished statement; return its open brackets."""
        ended = self._before is not None and self._before.type == "RBRACE"
        if ended and self._automaton.fits("NL"):
            # The statement ended with its block, only something behind it is wrong.
            self._feed_empty("NL")
        brackets = self._automaton.cut_back()
        del self._open[len(self._open) - len(brackets) :]
        self._feed_empty("ERROR")
        return [bracket.type for bracket in brackets]

    def _skip(self, brackets: list[str]) -> None:
        """Pass over the rest of a statement, up to where another may start or a block opens."""
        while True:
            token = self._tokens[self._next]
            ends = token.type in ("NL", "COMMA")
            follows = ends and self._starts_statement(self._next + 1)
            if token.type == "$END":
                return
            if token.type == "NL" and (not brackets or ("LBRACE" not in brackets and follows)):
                return
            if token.type == "COMMA" and not brackets and follows:
                return
            if token.type == "LBRACE" and not brackets and not self._is_list(self._next):
                return
            if token.type in CLOSING:
                brackets.append(token.type)
            elif token.type == "RBRACE" and "LBRACE" not in brackets and self._inside_braces():
                return
            elif OPENING.get(token.type) in brackets:
                while brackets.pop() != OPENING[token.type]:
                    pass
            self._next += 1

    def _is_list(self, index: int) -> bool:
        """Tell whether a brace opens no block: it closes on its line and nothing is set in it."""
        while (kind := self._kind(index)) not in ("EQUAL", "NL", "$END", *tables().blocks):
            if kind == "RBRACE":
                return self._kind(index - 1) != "LBRACE"
            index += 1
        return False

    def _close_blocks(self, token: Token) -> None:
        """End all open blocks before a token, with one finding."""
        opening = self._suspect() or self._open[-1]
        self._report(mistakes.unclosed(self._source, opening, token))
        self._missing_braces -= len(self._open)
        self._closed.clear()
        while self._open:
            if self._open[-1].type == "LBRACE" and self._automaton.fits("RBRACE"):
                self._feed_empty("RBRACE")
            else:
                self._give_up_statement()
        if token.type != "$END":
            self._feed_empty("NL")

    def _suspect(self) -> Token | None:
        """Return the first bracket whose partner's line is indented less than its own.

        It is the likely culprit when a brace turns out to be missing.
        """
        for opening, closing in self._closed:
            if self._indent(closing) < self._indent(opening):
                return opening
        return None

    def _feed_empty(self, kind: str) -> None:
        """Give the automaton a token that does not stand in the text; it has to fit."""
        place = self._tokens[self._next].start
        if not self._feed(Token(kind, place, place)):
            raise AssertionError(f"{kind} has to fit at {place}")

    def _ends_blocks(self, token: Token) -> bool:
        """Tell whether a token starts a statement of the file while a block is still open."""
        if self._missing_braces <= 0 or not self._open or self._before is None:
            return False
        outermost = token.type in _ALWAYS_OUTERMOST or (
            token.type in _OUTERMOST_WITH_NAME and self._tokens[self._next + 1].type == "NAME"
        )
        at_edge = self._source.position(token.start)[1] == 1
        return outermost and at_edge and self._automaton.fits("RBRACE")

    def _lacks_brace(self, token: Token) -> bool:
        """Tell whether a line that opens a block ends without its brace.

        It does where there are too many closing braces and the next line is indented.
        """
        if self._missing_braces >= 0 or token.type != "NL" or not self._before:
            return False
        if any(opening.type != "LBRACE" for opening in self._open):
            return False
        first, following = self._tokens[self._line_start(self._next)], self._next + 1
        grouping = first.type in ("STUDY", "FACTOR")  # levels look like no statement
        level = first.type == "NAME" and first is self._before
        return (
            (grouping or level or first.type in tables().blocks | {"FREEZE", "ADAPT"})
            and (grouping or self._starts_statement(following))
            and self._indent(self._tokens[following]) > self._indent(first)
            and self._automaton.fits("LBRACE")
        )

    def _names_no_block(self, token: Token) -> bool:
        """Tell whether what stands behind a word without a name is what its braces should hold."""
        before = self._before.type if self._before else "NL"
        table = before in ("SCALE_LR", "DECAY_LR")
        overrides = (
            before == "MODEL" and self._inside_braces() and self._kind(self._next + 1) == "DOT"
        )
        return (table or overrides) and token.type != "LBRACE" and self._line_lacks_brace()

    def _extends_a_study(self) -> bool:
        """Tell whether a study goes on as a job or a model that extends another one does."""
        return (
            self._kind(self._line_start(self._next)) == "STUDY"
            and [self._kind(self._next + ahead) for ahead in (1, 2)] == ["NAME", "LBRACE"]
            and self._automaton.fits("LBRACE")
        )

    def _open_broken_block(self, brace: int) -> None:
        """Go on with the brace at an index, in a block of which something is not known."""
        self._next = brace
        self._feed(self._tokens[brace])
        self._next += 1
        self._feed_empty("ERROR")
        self._feed_empty("NL")

    def _is_equal_before_brace(self) -> bool:
        """Tell whether `=` stands where a factor or a level goes on with its name or its brace."""
        if not self._before:
            return False
        if self._before.type == "FACTOR":
            return True
        group = (
            self._kind(self._next + 1) == "LBRACE"
            and self._before.type in ("NAME", "FREEZE", "ADAPT", "NOTHING", "EXCEPT")
            and self._spelled(self._before) not in _KEYS
        )
        return group and self._automaton.fits("LBRACE") and not self._is_list(self._next + 1)

    def _spelled(self, token: Token) -> str:
        return self._source.text[token.start : token.end]

    def _is_quoted_name(self, token: Token) -> bool:
        """Tell whether a string stands in the place of a name, and might be one."""
        starts = self._before is None or self._before.type in ("NL", "LBRACE", "COMMA")
        if starts and self._kind(self._next + 1) not in ("EQUAL", "COLON", "LBRACE"):
            return False
        return (
            self._source.text[token.start + 1 : token.end - 1].isidentifier()
            and self._automaton.fits("NAME")
            and not self._in_freeze()
        )

    def _in_freeze(self) -> bool:
        """Tell whether a `freeze` or `adapt` statement goes on."""
        inner = self._automaton.innermost(("FREEZE", "ADAPT", "LBRACE", "NL"))
        return inner in ("FREEZE", "ADAPT")

    def _is_bracket_for_brace(self, token: Token) -> bool:
        """Tell whether another bracket ends a line in the place of the brace of a block."""
        return (
            self._kind(self._next + 1) == "NL"
            and self._automaton.fits("LBRACE")
            and self._indent(self._tokens[self._next + 2]) > self._indent(token)
        )

    def _take_for_brace(self, token: Token) -> None:
        """Take a bracket for a brace, and its partner as well."""
        self._report(mistakes.bracket_for_brace(self._source, self._line(self._next)))
        self._tokens[self._next] = Token("LBRACE", token.start, token.end)
        depth, index = 0, self._next + 1
        while self._kind(index) != "$END":
            kind = self._kind(index)
            if depth == 0 and kind == CLOSING[token.type]:
                partner = self._tokens[index]
                self._tokens[index] = Token("RBRACE", partner.start, partner.end)
                return
            depth += (kind in CLOSING) - (kind in OPENING)
            if depth < 0:
                self._missing_braces += 1
                return
            index += 1

    def _is_indented_block(self) -> bool:
        """Tell whether a colon ends a line, and what is indented below it has no braces."""
        if self._missing_braces < 0 or self._kind(self._next + 1) != "NL":
            return False
        if self._open and self._open[-1].type != "LBRACE":
            return False
        following = self._tokens[self._next + 2]
        return following.type != "$END" and self._indent(following) > self._indent(
            self._tokens[self._next]
        )

    def _pass_over_indented(self) -> None:
        """Report a block by indentation, as YAML and Python have them, and leave it out."""
        colon = self._tokens[self._next]
        end = self._next + 2
        while self._kind(end) != "$END" and (
            self._kind(end) == "NL" or self._indent(self._tokens[end]) > self._indent(colon)
        ):
            end += 1
        below = self._source.text[colon.end : self._tokens[end].start]
        self._report(mistakes.indented(self._source, self._line(self._next), below))
        self.passed.append((colon.end, self._tokens[end].start))
        self._give_up_statement()
        self._next = end - 1

    def _is_colon_for_brace(self) -> bool:
        """Tell whether a colon ends a line in the place of the brace of a block."""
        if self._kind(self._next + 1) != "NL":
            return False
        line = self._line(self._next)
        following = self._tokens[self._next + 2]
        return (
            line[0].type in tables().blocks
            and self._automaton.fits("LBRACE")
            and self._indent(following) > self._indent(line[0])
        )

    def _closes_too_much(self, token: Token) -> bool:
        """Tell whether a brace ends a block that goes on, as the indentation says.

        It does where there are too many closing braces, and what follows stands deeper than the
        block; or where the next line has the brace that is as deep as the block.
        """
        if self._missing_braces >= 0 or token.type != "RBRACE" or not self._open:
            return False
        opening = self._open[-1]
        following = self._next + 1
        while self._kind(following) == "RBRACE":
            following += 1
        if self._kind(following) != "NL" or opening.type != "LBRACE":
            return False
        indent, behind = self._indent(opening), following + 1
        if self._starts_statement(behind):
            return self._indent(self._tokens[behind]) > indent
        return (
            following == self._next + 1
            and self._kind(behind) == "RBRACE"
            and self._line_start(self._next) == self._next
            and self._indent(self._tokens[behind]) == indent < self._indent(token)
        )

    def _line_lacks_brace(self) -> bool:
        """Tell whether the rest of a line reads as a block whose opening brace was left out."""
        if self._missing_braces >= 0 or not self._automaton.fits("LBRACE"):
            return False
        depth, index = 0, self._next
        while depth >= 0 and self._kind(index) not in ("NL", "$END"):
            depth += {"LBRACE": 1, "RBRACE": -1}.get(self._kind(index), 0)
            index += 1
        return depth < 0 and self._starts_statement(self._next)

    def _open_block(self) -> None:
        """Put the brace that was left out before the next token, with one finding."""
        self._report(mistakes.no_brace(self._source, self._line(self._next - 1)))
        self._missing_braces += 1
        self._feed_empty("LBRACE")

    def _ends_inner_block(self, token: Token) -> bool:
        """Tell whether a line stands no deeper than the block inside a block that it follows on.

        What the block holds has to stand deeper than it, or indentation says nothing.
        """
        if self._missing_braces <= 0 or len(self._open) < 2:
            return False
        if any(opening.type != "LBRACE" for opening in self._open):
            return False
        if not (self._before and self._before.type == "NL" and self._starts_statement(self._next)):
            return False
        indent = self._indent(self._open[-1])
        if not 0 < self._indent(token) <= indent:
            return False
        behind = bisect_right(self._tokens, self._open[-1].start, key=lambda other: other.start)
        if self._kind(behind) == "NL" and self._indent(self._tokens[behind + 1]) <= indent:
            return False
        return self._automaton.fits("RBRACE")

    def _ends_outer_block(self, token: Token) -> bool:
        """Tell whether a brace stands at the edge of a block around the one that it would close."""
        return (
            self._missing_braces > 0
            and token.type == "RBRACE"
            and len(self._open) >= 2
            and all(opening.type == "LBRACE" for opening in self._open)
            and self._line_start(self._next) == self._next
            and self._indent(token) < self._indent(self._open[-1])
            and self._indent(token) == self._indent(self._open[-2])
            and self._automaton.fits("RBRACE")
        )

    def _close_inner_block(self, token: Token) -> None:
        """Put the brace that was left out before a token, with one finding."""
        self._report(mistakes.unclosed(self._source, self._open[-1], token))
        self._missing_braces -= 1
        self._feed_empty("RBRACE")

    def _line(self, index: int) -> list[Token]:
        """Return the tokens of the line of a token, up to it."""
        return self._tokens[self._line_start(index) : index + 1]

    def _starts_statement(self, index: int) -> bool:
        """Tell whether the tokens from `index` on look like a statement, not like a value."""
        if index >= len(self._tokens):
            return False
        kind, following = self._kind(index), self._kind(index + 1)
        if kind in ("FREEZE", "ADAPT", "IMPORT", "LET", "STUDY", "FACTOR"):
            return True
        if kind in tables().blocks and following in ("NAME", "LBRACE"):
            return True
        while following == "DOT" and self._kind(index + 2) in ("NAME", *tables().blocks):
            index += 2
            following = self._kind(index + 1)
        return kind in ("NAME", *tables().blocks) and following == "EQUAL"

    def _kind(self, index: int) -> str:
        return self._tokens[index].type if index < len(self._tokens) else "$END"

    def _line_start(self, index: int) -> int:
        """Return the index of the first token on the line of a token."""
        while index > 0 and self._tokens[index - 1].type != "NL":
            index -= 1
        return index

    def _inside_braces(self) -> bool:
        return any(opening.type == "LBRACE" for opening in self._open)

    def _indent(self, token: Token) -> int:
        """Return how many spaces and tabs the line of a token starts with."""
        line, _ = self._source.position(token.start)
        if line not in self._indents:
            text = self._source.line(line)
            self._indents[line] = len(text) - len(text.lstrip(" \t"))
        return self._indents[line]


def _significant(tokens: Sequence[Token]) -> list[Token]:
    """Leave out comments, and all but one of adjacent line ends."""
    ignored = tables().ignored
    kept: list[Token] = []
    for token in tokens:
        repeated = token.type == "NL" and kept and kept[-1].type == "NL"
        if token.type not in ignored and not repeated:
            kept.append(token)
    return kept
