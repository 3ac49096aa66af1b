"""Find a place to go on reading where a token does not fit, with one finding."""

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.syntax import mistakes
from renaissance.grammar.syntax.automaton import CLOSING, OPENING
from renaissance.grammar.syntax.braces import close_blocks, line_lacks_brace, open_block
from renaissance.grammar.syntax.reading import Reading
from renaissance.grammar.syntax.substitutes import (
    misspelt_word,
    take_for_another,
    take_for_keyword,
)
from renaissance.grammar.syntax.tokens import Token


def recover(reading: Reading, token: Token) -> None:
    """Report a token that does not fit, and find a place to go on reading."""
    if take_for_another(reading, token) or _balance(reading, token):
        return
    word = misspelt_word(reading)
    if word and (take_for_keyword(reading, word) or _pass_over_block(reading, token)):
        return
    in_list = reading.in_freeze() and not (reading.before and reading.before.type == "NL")
    if (
        reading.automaton.fits("NL")
        and reading.ahead.starts_statement(reading.next)
        and not in_list
    ):
        _separate(reading, token)
        return
    _leave_out(reading, token)


def _separate(reading: Reading, token: Token) -> None:
    """End a statement before a token that starts another one, with one finding for a line."""
    finding = mistakes.two_statements(reading.source, reading.before, token)
    line = _line(finding)
    for index, earlier in enumerate(reading.findings):
        if earlier.code == finding.code and _line(earlier) == line:
            reading.findings[index] = mistakes.one_more_statement(earlier, finding)
            break
    else:
        reading.report(finding)
    reading.feed_empty("NL")


def _line(finding: Diagnostic) -> int:
    return finding.span.source.position(finding.span.start)[0]


def _balance(reading: Reading, token: Token) -> bool:
    """Put or leave out one bracket, if that mends the text."""
    if token.type == "$END" and reading.automaton.fits("RBRACE"):
        close_blocks(reading, token)
    elif token.type == "RBRACE" and not reading.in_braces():
        reading.report(mistakes.closes_nothing(reading.source, token))
        reading.next += 1
    elif (after := _after_unclosed(reading)) is not None:
        following = reading.ahead.tokens[after]
        reading.report(mistakes.unclosed(reading.source, reading.open[-1], following))
        reading.next = after
        reading.give_up_statement()
        reading.feed_empty("NL")
    elif line_lacks_brace(reading):
        open_block(reading)
    else:
        return False
    return True


def _leave_out(reading: Reading, token: Token) -> None:
    """Give up the statement, and the block behind it where that belongs to it."""
    head = reading.ahead.kind(reading.ahead.line_start(reading.next))
    grouped = reading.automaton.among("FACTOR") or head in ("STUDY", "FACTOR")
    if grouped and token.type != "UNKNOWN" and _pass_over_block(reading, token):
        return
    # What is wrong with an unknown token was said when the text was cut into tokens.
    if token.type != "UNKNOWN":
        reading.report(mistakes.unexpected(reading.place(token)))
    brackets = reading.give_up_statement()
    if token.type == "UNKNOWN" and reading.source.text.startswith('"', token.start):
        # A string that is not closed has taken the closing brackets with it.
        brackets = []
    _skip(reading, brackets)


def _pass_over_block(reading: Reading, token: Token) -> bool:
    """Report a token that does not fit and leave out the block that follows, if it closes."""
    behind = _behind_block(reading)
    if behind is None:
        return False
    reading.report(mistakes.unexpected(reading.place(token)))
    reading.give_up_statement()
    reading.next = behind
    return True


def _behind_block(reading: Reading) -> int | None:
    """Return the index of what follows on the block that opens on this line, if it closes."""
    ahead, index, depth = reading.ahead, reading.next, 0
    colon = _colon_at_end(reading) if reading.missing_braces < 0 else None
    if colon is not None:
        index, depth = colon, 1
    while ahead.kind(index) not in ("NL", "$END") or depth:
        depth += (ahead.kind(index) in CLOSING) - (ahead.kind(index) in OPENING)
        if ahead.kind(index) == "$END" or depth < 0:
            return None
        index += 1
        if not depth and ahead.kind(index - 1) == "RBRACE":
            reading.missing_braces += colon is not None
            return index
    return None


def _colon_at_end(reading: Reading) -> int | None:
    """Return the index of the colon that the line ends with."""
    last = reading.ahead.line_end(reading.next) - 1
    return last if reading.ahead.kind(last) == "COLON" else None


def _after_unclosed(reading: Reading) -> int | None:
    """Return the index of what follows on an open round or square bracket, if that is clear.

    It is where a line starts as a statement does, or a block or the file ends. The line may
    have been taken for a part of the list already.
    """
    if not reading.in_list():
        return None
    ahead = reading.ahead
    line = ahead.line_start(reading.next)
    if reading.open[-1].start < ahead.tokens[line].start and ahead.starts_statement(line):
        return line
    following = reading.behind_line_end()
    ends = ahead.kind(following) in ("RBRACE", "$END") or ahead.starts_statement(following)
    return following if ends and following > reading.next else None


def _skip(reading: Reading, brackets: list[str]) -> None:
    """Pass over the rest of a statement, up to where another may start or a block opens."""
    ahead = reading.ahead
    while True:
        token = ahead.tokens[reading.next]
        ends = token.type in ("NL", "COMMA")
        follows = ends and ahead.starts_statement(reading.next + 1)
        if token.type == "$END":
            return
        if token.type == "NL" and (not brackets or ("LBRACE" not in brackets and follows)):
            return
        if token.type == "COMMA" and not brackets and follows:
            return
        if token.type == "LBRACE" and not brackets and not ahead.is_list(reading.next):
            return
        if token.type in CLOSING:
            brackets.append(token.type)
        elif token.type == "RBRACE" and "LBRACE" not in brackets and reading.in_braces():
            return
        elif OPENING.get(token.type) in brackets:
            while brackets.pop() != OPENING[token.type]:
                pass
        reading.next += 1
