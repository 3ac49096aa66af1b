"""Put braces that are missing, and leave out those too many, where the indentation tells which."""

from bisect import bisect_right

from renaissance.grammar.syntax import mistakes
from renaissance.grammar.syntax.reading import Reading
from renaissance.grammar.syntax.tokens import Token, tables

# Statements of a file. When one stands at the left edge inside a block, and braces are missing,
# the block is taken to end before it.
_ALWAYS_OUTERMOST = ("PRETRAIN", "FINETUNE", "EVALUATE", "IMPORT", "STUDY")
_OUTERMOST_WITH_NAME = ("MODEL", "DATA")


def balance(reading: Reading, token: Token) -> bool:
    """Put a brace that is missing before a token, or leave out one too many; False if none is."""
    if _ends_blocks(reading, token):
        close_blocks(reading, token)
    elif _ends_inner_block(reading, token):
        _close_inner_block(reading, token)
        if reading.automaton.fits("NL"):
            reading.feed_empty("NL")
    elif _ends_outer_block(reading, token):
        _close_inner_block(reading, token)
        reading.feed_empty("NL")
    elif _closes_too_much(reading, token):
        reading.report(mistakes.closes_nothing(reading.source, token, left_out=True))
        reading.missing_braces += 1
        reading.next += 1
    elif _lacks_brace(reading, token) or _names_no_block(reading, token):
        open_block(reading)
    else:
        return False
    return True


def close_blocks(reading: Reading, token: Token) -> None:
    """End all open blocks before a token, with one finding."""
    opening = _suspect(reading) or reading.open[-1]
    reading.report(mistakes.unclosed(reading.source, opening, token))
    reading.missing_braces -= len(reading.open)
    reading.closed.clear()
    while reading.open:
        if reading.open[-1].type == "LBRACE" and reading.automaton.fits("RBRACE"):
            reading.feed_empty("RBRACE")
        else:
            reading.give_up_statement()
    if token.type != "$END":
        reading.feed_empty("NL")


def open_block(reading: Reading) -> None:
    """Put the brace that was left out before the next token, with one finding."""
    line = reading.ahead.line(reading.next - 1)
    reading.report(mistakes.no_brace(reading.source, line))
    reading.missing_braces += 1
    reading.feed_empty("LBRACE")


def line_lacks_brace(reading: Reading) -> bool:
    """Tell whether the rest of a line reads as a block whose opening brace was left out."""
    if reading.missing_braces >= 0 or not reading.automaton.fits("LBRACE"):
        return False
    depth, index = 0, reading.next
    while depth >= 0 and (kind := reading.ahead.kind(index)) not in ("NL", "$END"):
        depth += {"LBRACE": 1, "RBRACE": -1}.get(kind, 0)
        index += 1
    return depth < 0 and reading.ahead.starts_statement(reading.next)


def _close_inner_block(reading: Reading, token: Token) -> None:
    """Put the brace that was left out before a token, with one finding."""
    reading.report(mistakes.unclosed(reading.source, reading.open[-1], token))
    reading.missing_braces -= 1
    reading.feed_empty("RBRACE")


def _suspect(reading: Reading) -> Token | None:
    """Return the first bracket whose partner's line is indented less than its own.

    It is the likely culprit when a brace turns out to be missing.
    """
    indent = reading.ahead.indent
    for opening, closing in reading.closed:
        if indent(closing) < indent(opening):
            return opening
    return None


def _ends_blocks(reading: Reading, token: Token) -> bool:
    """Tell whether a token starts a statement of the file while a block is still open."""
    if reading.missing_braces <= 0 or not reading.open or reading.before is None:
        return False
    outermost = token.type in _ALWAYS_OUTERMOST or (
        token.type in _OUTERMOST_WITH_NAME and reading.kind(1) == "NAME"
    )
    return outermost and reading.ahead.at_edge(token) and reading.automaton.fits("RBRACE")


def _ends_inner_block(reading: Reading, token: Token) -> bool:
    """Tell whether a line stands no deeper than the block inside a block that it follows on.

    What the block holds has to stand deeper than it, or indentation says nothing.
    """
    ahead = reading.ahead
    if reading.missing_braces <= 0 or len(reading.open) < 2 or not reading.in_blocks_alone():
        return False
    new_line = reading.before is not None and reading.before.type == "NL"
    if not new_line or not ahead.starts_statement(reading.next):
        return False
    opening = reading.open[-1]
    indent = ahead.indent(opening)
    if not 0 < ahead.indent(token) <= indent:
        return False
    behind = bisect_right(ahead.tokens, opening.start, key=lambda other: other.start)
    if ahead.kind(behind) == "NL" and ahead.indent(ahead.tokens[behind + 1]) <= indent:
        return False
    return reading.automaton.fits("RBRACE")


def _ends_outer_block(reading: Reading, token: Token) -> bool:
    """Tell whether a brace stands at the edge of a block around the one that it would close."""
    ahead = reading.ahead
    return (
        reading.missing_braces > 0
        and token.type == "RBRACE"
        and len(reading.open) >= 2
        and reading.in_blocks_alone()
        and ahead.line_start(reading.next) == reading.next
        and ahead.indent(token) < ahead.indent(reading.open[-1])
        and ahead.indent(token) == ahead.indent(reading.open[-2])
        and reading.automaton.fits("RBRACE")
    )


def _closes_too_much(reading: Reading, token: Token) -> bool:
    """Tell whether a brace ends a block that goes on, as the indentation says.

    It does where there are too many closing braces, and what follows stands deeper than the
    block; or where the next line has the brace that is as deep as the block.
    """
    if reading.missing_braces >= 0 or token.type != "RBRACE" or not reading.open:
        return False
    ahead, opening = reading.ahead, reading.open[-1]
    following = reading.next + 1
    while ahead.kind(following) == "RBRACE":
        following += 1
    if ahead.kind(following) != "NL" or opening.type != "LBRACE":
        return False
    indent, behind = ahead.indent(opening), following + 1
    if ahead.starts_statement(behind):
        return ahead.indent(ahead.tokens[behind]) > indent
    return (
        following == reading.next + 1
        and ahead.kind(behind) == "RBRACE"
        and ahead.line_start(reading.next) == reading.next
        and ahead.indent(ahead.tokens[behind]) == indent < ahead.indent(token)
    )


def _lacks_brace(reading: Reading, token: Token) -> bool:
    """Tell whether a line that opens a block ends without its brace.

    It does where there are too many closing braces and the next line is indented.
    """
    if reading.missing_braces >= 0 or token.type != "NL" or not reading.before:
        return False
    if not reading.in_blocks_alone():
        return False
    ahead, following = reading.ahead, reading.next + 1
    first = ahead.tokens[ahead.line_start(reading.next)]
    grouping = first.type in ("STUDY", "FACTOR")  # levels look like no statement
    level = first.type == "NAME" and first is reading.before
    return (
        (grouping or level or first.type in tables().blocks | {"FREEZE", "ADAPT"})
        and (grouping or ahead.starts_statement(following))
        and ahead.indent(ahead.tokens[following]) > ahead.indent(first)
        and reading.automaton.fits("LBRACE")
    )


def _names_no_block(reading: Reading, token: Token) -> bool:
    """Tell whether what stands behind a word without a name is what its braces should hold."""
    before = reading.before.type if reading.before else "NL"
    table = before in ("SCALE_LR", "DECAY_LR")
    overrides = before == "MODEL" and reading.in_braces() and reading.kind(1) == "DOT"
    return (table or overrides) and token.type != "LBRACE" and line_lacks_brace(reading)
