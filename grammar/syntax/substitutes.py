"""Read tokens that stand in the place of others as what was meant: colons, brackets, words."""

from renaissance.grammar.syntax import mistakes
from renaissance.grammar.syntax.automaton import CLOSING, OPENING
from renaissance.grammar.syntax.reading import Reading
from renaissance.grammar.syntax.tokens import Token, tables

MISTAKEN = frozenset({"COLON", "EXTENDS", "EQUAL", "LBRACE"})
"""Kinds of tokens that may fit and be mistaken all the same, which `replaces` tells."""

_KEYS = ("of", "baseline", "seeds", "budget", "report")
"""Keys of a study, in which a word with a brace is something else."""


def replaces(reading: Reading, token: Token) -> bool:
    """Go on with what was meant by a token that stands in the place of another, if it does."""
    kind, source = token.type, reading.source
    if kind == "COLON" and _is_indented_block(reading):
        _pass_over_indented(reading)
    elif kind == "COLON" and _is_colon_for_brace(reading):
        reading.report(mistakes.colon_for_brace(source, reading.ahead.line(reading.next)))
        reading.missing_braces += 1
        reading.next += 1
        reading.feed_empty("LBRACE")
    elif kind == "EXTENDS" and _extends_a_study(reading):
        reading.report(mistakes.study_extends(source, token))
        _open_broken_block(reading, reading.next + 2)
    elif kind in ("EQUAL", "COLON") and _is_equal_before_brace(reading):
        reading.report(mistakes.equal_before_brace(source, reading.ahead.line(reading.next + 1)))
        reading.next += 1
    elif kind == "LBRACE" and _opens_block_in_parentheses(reading):
        reading.report(mistakes.unclosed(source, reading.open[-1], token))
        reading.feed_empty("RPAR")
    else:
        return False
    return True


def take_for_another(reading: Reading, token: Token) -> bool:
    """Change a token that does not fit to one that does; False if it stands for none."""
    if token.type in ("LPAR", "LSQB") and _is_bracket_for_brace(reading, token):
        _take_for_brace(reading, token)
        return True
    if token.type == "STRING" and _is_quoted_name(reading, token):
        reading.report(mistakes.unexpected(reading.place(token)))
        reading.ahead.tokens[reading.next] = Token("NAME", token.start, token.end)
        reading.automaton.builder.meant[token.start] = reading.ahead.spelled(token)[1:-1]
        return True
    return False


def misspelt_word(reading: Reading) -> Token | None:
    """Return the word that a statement starts with, if the token behind it does not fit."""
    word, ahead, index = reading.before, reading.ahead, reading.next
    if word is None or word.type != "NAME" or ahead.tokens[index - 1] is not word:
        return None
    starts = index == 1 or ahead.kind(index - 2) in ("NL", "COMMA", "LBRACE")
    return word if starts and not reading.in_list() else None


def take_for_keyword(reading: Reading, word: Token) -> bool:
    """Take a word for the keyword that it resembles, if the line goes on as that does."""
    from renaissance.grammar.syntax.advice.statements import keywords_like  # only mistakes pay

    ahead, end = reading.ahead, reading.next
    while ahead.kind(end) not in ("LBRACE", "NL", "$END"):
        if ahead.kind(end) == "COLON" and ahead.kind(end + 1) == "NL":
            break
        end += 1
    rest = [token.type for token in ahead.tokens[reading.next : end]]
    if not rest and ahead.kind(end) == "COLON":
        return False
    if ahead.kind(end) == "LBRACE" and not ahead.is_list(end):
        rest.append("LBRACE")
    for text, kind in keywords_like(ahead.spelled(word)):
        keyword = Token(kind, word.start, word.end)
        if reading.automaton.retake(keyword, rest):
            reading.automaton.builder.meant[word.start] = text
            ahead.tokens[reading.next - 1] = reading.before = keyword
            reading.report(mistakes.misspelt(reading.source, word, text))
            return True
    return False


def _is_indented_block(reading: Reading) -> bool:
    """Tell whether a colon ends a line, and what is indented below it has no braces."""
    if reading.missing_braces < 0 or reading.kind(1) != "NL" or reading.in_list():
        return False
    ahead = reading.ahead
    colon, following = ahead.tokens[reading.next], ahead.tokens[reading.next + 2]
    return following.type != "$END" and ahead.indent(following) > ahead.indent(colon)


def _pass_over_indented(reading: Reading) -> None:
    """Report a block by indentation, as YAML and Python have them, and leave it out."""
    ahead = reading.ahead
    colon = ahead.tokens[reading.next]
    end = reading.next + 2
    while ahead.kind(end) != "$END" and (
        ahead.kind(end) == "NL" or ahead.indent(ahead.tokens[end]) > ahead.indent(colon)
    ):
        end += 1
    following = ahead.tokens[end].start
    below = reading.source.text[colon.end : following]
    reading.report(mistakes.indented(reading.source, ahead.line(reading.next), below))
    reading.passed.append((colon.end, following))
    reading.give_up_statement()
    reading.next = end - 1


def _is_colon_for_brace(reading: Reading) -> bool:
    """Tell whether a colon ends a line in the place of the brace of a block."""
    if reading.kind(1) != "NL":
        return False
    ahead = reading.ahead
    first = ahead.tokens[ahead.line_start(reading.next)]
    return (
        first.type in tables().blocks
        and reading.automaton.fits("LBRACE")
        and ahead.indent(ahead.tokens[reading.next + 2]) > ahead.indent(first)
    )


def _extends_a_study(reading: Reading) -> bool:
    """Tell whether a study goes on as a job or a model that extends another one does."""
    return (
        reading.ahead.kind(reading.ahead.line_start(reading.next)) == "STUDY"
        and [reading.kind(1), reading.kind(2)] == ["NAME", "LBRACE"]
        and reading.automaton.fits("LBRACE")
    )


def _open_broken_block(reading: Reading, brace: int) -> None:
    """Go on with the brace at an index, in a block of which something is not known."""
    reading.next = brace
    reading.feed(reading.ahead.tokens[brace])
    reading.next += 1
    reading.feed_empty("ERROR")
    reading.feed_empty("NL")


def _is_equal_before_brace(reading: Reading) -> bool:
    """Tell whether `=` stands where a factor or a level goes on with its name or its brace."""
    before = reading.before
    if not before:
        return False
    if before.type == "FACTOR":
        return True
    group = (
        reading.kind(1) == "LBRACE"
        and before.type in ("NAME", "FREEZE", "ADAPT", "NOTHING", "EXCEPT")
        and reading.ahead.spelled(before) not in _KEYS
    )
    in_place = group and reading.automaton.fits("LBRACE")
    return in_place and not reading.ahead.is_list(reading.next + 1)


def _opens_block_in_parentheses(reading: Reading) -> bool:
    """Tell whether a brace opens a block where a parenthesis was not closed before it."""
    if not reading.open or reading.open[-1].type != "LPAR":
        return False
    named = reading.before is not None and reading.before.type == "NAME"
    if reading.kind(1) != "NL" or not named or not reading.automaton.fits("RPAR"):
        return False
    ahead, depth, index = reading.ahead, 0, reading.next
    while (kind := ahead.kind(index)) != "$END":
        depth += {"LBRACE": 1, "RBRACE": -1}.get(kind, 0)
        if depth == 0:
            behind = index + 1 + (ahead.kind(index + 1) == "NL")
            return ahead.kind(behind) not in ("RPAR", "COMMA")
        index += 1
    return True


def _is_bracket_for_brace(reading: Reading, token: Token) -> bool:
    """Tell whether another bracket ends a line in the place of the brace of a block."""
    ahead = reading.ahead
    return (
        reading.kind(1) == "NL"
        and reading.automaton.fits("LBRACE")
        and ahead.indent(ahead.tokens[reading.next + 2]) > ahead.indent(token)
    )


def _take_for_brace(reading: Reading, token: Token) -> None:
    """Take a bracket for a brace, and its partner as well."""
    ahead = reading.ahead
    reading.report(mistakes.bracket_for_brace(reading.source, ahead.line(reading.next)))
    ahead.tokens[reading.next] = Token("LBRACE", token.start, token.end)
    depth, index = 0, reading.next + 1
    while (kind := ahead.kind(index)) != "$END":
        if depth == 0 and kind == CLOSING[token.type]:
            partner = ahead.tokens[index]
            ahead.tokens[index] = Token("RBRACE", partner.start, partner.end)
            return
        depth += (kind in CLOSING) - (kind in OPENING)
        if depth < 0:
            reading.missing_braces += 1
            return
        index += 1


def _is_quoted_name(reading: Reading, token: Token) -> bool:
    """Tell whether a string stands in the place of a name, and might be one."""
    starts = reading.before is None or reading.before.type in ("NL", "LBRACE", "COMMA")
    if starts and reading.kind(1) not in ("EQUAL", "COLON", "LBRACE"):
        return False
    return (
        reading.ahead.spelled(token)[1:-1].isidentifier()
        and reading.automaton.fits("NAME")
        and not reading.in_freeze()
    )
