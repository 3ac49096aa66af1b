"""Read a whole file in one pass, whatever it contains.

Where a token does not fit, the statement around it is given up: the automaton is cut back to where
a statement may stand, the grammar's `ERROR` takes its place, and reading goes on at the end of the
line or at the next brace. So each mistake is reported once, and the statements around it are read
as usual.
"""

from renaissance.grammar import tree
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import Source, Span
from renaissance.grammar.syntax import mistakes
from renaissance.grammar.syntax.braces import balance
from renaissance.grammar.syntax.reading import GiveUpError, Reading
from renaissance.grammar.syntax.recovery import recover
from renaissance.grammar.syntax.substitutes import MISTAKEN, replaces
from renaissance.grammar.syntax.tokens import MOST_FINDINGS, tokenize


def parse(source: Source) -> tuple[tree.File, tuple[Diagnostic, ...]]:
    """Read a text into a syntax tree, and say what is wrong with its form.

    Never raises, whatever the text is. Statements that could not be read are missing from the
    tree; what contained them is marked as broken.

    Returns:
        The tree, and the findings in the order of their places.
    """
    tokens, findings = tokenize(source)
    reading = Reading(source, tokens)
    try:
        file = _read(reading)
    except GiveUpError:
        everything = Span(source=source, start=0, end=len(source.text))
        file = tree.File(span=everything, statements=(), broken=True)
    if reading.passed:
        findings = [
            finding
            for finding in findings
            if not any(start <= finding.span.start < end for start, end in reading.passed)
        ]
    found = sorted(
        (*findings, *reading.findings, *reading.automaton.builder.findings),
        key=lambda finding: (finding.span.start, finding.code),
    )
    if len(found) > MOST_FINDINGS:
        found[MOST_FINDINGS:] = [mistakes.too_many(found[MOST_FINDINGS].span, MOST_FINDINGS)]
    return file, tuple(found)


def _read(reading: Reading) -> tree.File:
    """Read all tokens; GiveUpError where that is not worth it."""
    tokens = reading.ahead.tokens
    while True:
        token = tokens[reading.next]
        kind = token.type
        if kind == "NL" and reading.passes_line_end():
            reading.next += 1
        elif (reading.missing_braces and balance(reading, token)) or (
            kind in MISTAKEN and replaces(reading, token)
        ):
            continue
        elif kind == "$END" and (file := reading.automaton.finish()):
            return file
        elif reading.feed(token):
            reading.next += 1
        else:
            recover(reading, token)
