"""Cut a text into tokens. Nothing is lost: between two tokens stand only spaces and tabs."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.named_sources import source_named
from renaissance.grammar.source import Source, Span
from renaissance.grammar.syntax.quoting import quoted_selectors, unquoted
from renaissance.grammar.syntax.tables import load


class Token(NamedTuple):
    """A terminal of the grammar and its characters, from `start` to before `end`.

    Besides the grammar's terminals there are `COMMENT`, `UNKNOWN` for what is no terminal at all
    (a finding says why) and `$END`, which is empty and stands at the end of the text.
    """

    type: str
    start: int
    end: int


tables = cache(load)

# After so many findings the rest of a text is not worth reading.
MOST_FINDINGS = 40

_ESCAPE = re.compile(r'\\(?:["\\nrt]|u[0-9A-Fa-f]{4}|(.))')
_SINGLE_QUOTED = re.compile(r"'([^'\n\"]*)'")
_CURLY_QUOTED = re.compile(
    "[\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb]"
    '([^\\n"\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb]*)'
    "[\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb]"
)
_FOREIGN_COMMENT = re.compile(r"//[^\n]*|/\*[^\n]*?\*/")
_NUMBER = re.compile(r"-?\d(?:[\w.%]|(?<=\d[eE])[+-](?=\d))*")
_SPACED_PERCENTAGE = re.compile(r"(?<![\w.])(\d[\d_.]*)[ \t]+%\Z")
_QUOTE_IN_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:'\d{3})+(?![\w.])")
_SPACES = ("\u00a0", *map(chr, range(0x2000, 0x200B)), "\u202f", "\u205f", "\u3000")
_ARITHMETIC = "there is no arithmetic: write the number itself"
_BACKBONE = re.compile(r"\bbackbone\s+(\w+)\s*=\s*\Z")
_SQUARE = re.compile(r"(\d+)x\1")
_OTHER_UNIT = re.compile(r"-?[\d_.]*\d[KkMm]")
_RANGE = re.compile(r"(\d{1,9})\.{2,3}(\d{1,9})")
_WORD = re.compile(r"[^\W\d][\w-]*")
_NAME_BEFORE = re.compile(r"[^\W\d][\w.]*\Z")
_NUMBER_BEHIND = re.compile(r"\d[\w.]*")
_NUMBERS = frozenset({"NUMBER", "PERCENTAGE", "DURATION"})
_LONGEST_NUMBER = 40
_SHORT_HELP = {
    ";": "a statement ends at the end of its line",
    "'": 'strings stand in double quotes: `"…"`',
    "\u201c": 'strings stand in straight double quotes: `"…"`',
    "\u201d": 'strings stand in straight double quotes: `"…"`',
    "%": "a percentage is written without a space: `15%`",
    **dict.fromkeys("*^+/", _ARITHMETIC),
    "$": "a named value is written by its name alone",
    "!": "there is no `not`; write `false`",
    "@": "no sign is needed: names stand by themselves",
    "\\": "a statement ends at the end of its line; lists may go on over several lines",
}


@cache
def _pattern() -> re.Pattern[str]:
    """Return what matches a token and the space before it."""
    patterns = tables().patterns
    tokens = "|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns)
    return re.compile(f"(?:{dict(patterns)['SPACE']})?(?:{tokens})")


@lru_cache(maxsize=1)  # comments are looked for where a text has just been parsed
def tokenize(source: Source) -> tuple[Sequence[Token], Sequence[Diagnostic]]:
    """Return all tokens of a text, comments included, and what is wrong with their spelling."""
    length = len(source.text)
    tokens: list[Token] = []
    findings: list[Diagnostic] = []
    position = _tokens_from(0, source, tokens, findings)
    while position < length and len(findings) <= MOST_FINDINGS:
        finding = _unknown(source, position)
        if not (findings and _is_same_mistake(findings[-1], finding)):
            findings.append(finding)
        while tokens and tokens[-1].start >= finding.span.start:
            tokens.pop()  # what stands before a `/` is a part of the path
        tokens.append(Token("UNKNOWN", finding.span.start, finding.span.end))
        position = _tokens_from(finding.span.end, source, tokens, findings)
    if position < length:
        tokens.append(Token("UNKNOWN", position, length))
    tokens.append(Token("$END", length, length))
    return tokens, findings


def _tokens_from(
    position: int, source: Source, tokens: list[Token], findings: list[Diagnostic]
) -> int:
    """Add the tokens up to where none fits, or too much is wrong, and return that place."""
    keywords = tables().keywords
    for found in _pattern().finditer(source.text, position):
        if found.start() != position or len(findings) > MOST_FINDINGS:
            break
        kind = found.lastgroup or ""
        start, position = found.span(kind)
        if kind == "NAME":
            kind = keywords.get(found[kind], kind)
        elif kind == "SPACE":
            continue
        elif kind == "STRING" and "\\" in found[kind]:
            findings.extend(_bad_escapes(source, start, position))
        elif kind in _NUMBERS and not _representable(found[kind]):
            findings.append(
                Diagnostic(
                    code="VL008",
                    message="a number is too large or too long",
                    span=Span(source=source, start=start, end=position),
                    label=f"at most {_LONGEST_NUMBER} characters, and finite",
                )
            )
            kind = "UNKNOWN"
        tokens.append(Token(kind, start, position))
    return position


def _is_same_mistake(before: Diagnostic, finding: Diagnostic) -> bool:
    """Tell whether a character is a part of the arithmetic that was found on its line."""
    both = (before, finding)
    if not all(one.code == "VL002" and one.help == (_ARITHMETIC,) for one in both):
        return False
    return "\n" not in finding.span.source.text[before.span.start : finding.span.start]


def text_value(spelling: str) -> str:
    """Return what a quoted string means."""
    return _ESCAPE.sub(_unescape, spelling[1:-1])


def number_value(spelling: str) -> int | float:
    """Return what a number means, or the digits before a unit: `50k` is 50000."""
    digits = spelling.rstrip("%kMminh").replace("_", "")
    zeros = {"k": 3, "M": 6}.get(spelling[-1], 0)
    if "e" in digits or "E" in digits:
        return float(digits)
    whole, _, fraction = digits.partition(".")
    if zeros >= len(fraction) and (zeros or not fraction):
        return int(whole + fraction.ljust(zeros, "0"))
    return float(digits) * float(10**zeros)


def minutes_value(spelling: str) -> float:
    """Return the minutes that a duration means: `2h` is 120."""
    return float(number_value(spelling)) * (60 if spelling.endswith("h") else 1)


def _representable(spelling: str) -> bool:
    if len(spelling) > _LONGEST_NUMBER:
        return False
    # Only an exponent makes so few digits more than a float holds.
    return "e" not in spelling.lower() or abs(number_value(spelling)) < float("inf")


def _unescape(escape: re.Match[str]) -> str:
    letter = escape[0][1]
    if letter == "u" and len(escape[0]) == 6:
        # Half of a surrogate pair is no character; a finding says so.
        code = int(escape[0][2:], 16)
        return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)
    return {"n": "\n", "r": "\r", "t": "\t"}.get(letter, letter)


def _bad_escapes(source: Source, start: int, end: int) -> list[Diagnostic]:
    findings: list[Diagnostic] = []
    for escape in _ESCAPE.finditer(source.text, start + 1, end - 1):
        if findings:
            break  # one says it of a whole path
        surrogate = len(escape[0]) == 6 and "d800" <= escape[0][2:].lower() <= "dfff"
        if escape[1] is None and not surrogate:
            continue
        findings.append(
            Diagnostic(
                code="VL009",
                message=f"unknown escape {_shown(escape[0])} in a string",
                span=Span(source=source, start=escape.start(), end=escape.end()),
                help=("a backslash itself is written `\\\\`; paths use `/` on every system",),
                notes=('escapes are `\\"`, `\\\\`, `\\n`, `\\r`, `\\t` and `\\uXXXX`',),
            )
        )
    return findings


def _unknown(source: Source, position: int) -> Diagnostic:
    """Explain what stands where no terminal fits; the span covers at least one character."""
    text = source.text
    character = text[position]
    if character == '"':
        return Diagnostic(
            code="VL003",
            message="string is not closed",
            span=Span(source=source, start=position, end=_string_end(text, position)),
            label='no closing `"` on this line',
            help=("a string ends on the line it starts on; write `\\n` for a line end",),
        )
    if (found := quoted_selectors(text, position) or unquoted(text, position)) is not None:
        return Diagnostic(
            code="VL002",
            message=found.what,
            span=Span(source=source, start=found.start, end=found.end),
            help=(found.help,),
            edits=_edits(source, found.start, found.end, found.meant) if found.meant else (),
        )
    if quoted := _SINGLE_QUOTED.match(text, position):
        return Diagnostic(
            code="VL002",
            message="a string stands in single quotes",
            span=Span(source=source, start=position, end=quoted.end()),
            help=(f'write `"{quoted[1]}"`',),
            edits=_edits(source, position, quoted.end(), f'"{quoted[1]}"'),
        )
    if quoted := _CURLY_QUOTED.match(text, position):
        return Diagnostic(
            code="VL002",
            message="a string stands in curly quotes",
            span=Span(source=source, start=position, end=quoted.end()),
            help=(f'write straight quotes: `"{quoted[1]}"`',),
            edits=_edits(source, position, quoted.end(), f'"{quoted[1]}"'),
        )
    if comment := _FOREIGN_COMMENT.match(text, position):
        return Diagnostic(
            code="VL002",
            message=f"`{comment[0][:2]}` does not start a comment",
            span=Span(source=source, start=position, end=comment.end()),
            help=("comments start with `#`",),
            edits=_edits(source, position, position + 2, "#")
            if comment[0].startswith("//")
            else (),
        )
    if number := _NUMBER.match(text, position):
        return Diagnostic(
            code="VL008",
            message=f"{_shown(number[0])} is not a number",
            span=Span(source=source, start=position, end=number.end()),
            help=_number_meant(text, number),
            edits=_number_edits(source, number),
            notes=(
                "numbers look like `12`, `1_000`, `50k`, `1M`, `0.1`, `1e-4`, `15%` and `15min`",
            ),
        )
    if word := _WORD.match(text, position):
        return _no_name(source, word)
    return _character(source, position)


def _no_name(source: Source, word: re.Match[str]) -> Diagnostic:
    """Explain a word that is no name; behind `backbone NAME =` it may be that of an encoder."""
    text, start = source.text, word.start()
    backbone = _BACKBONE.search(text, text.rfind("\n", 0, start) + 1, start)
    meant = source_named(word[0], backbone[1]) if backbone else _plain(text, word)
    return Diagnostic(
        code="VL002",
        message=f"{_shown(word[0])} is not a name",
        span=Span(source=source, start=start, end=word.end()),
        help=(f"write `{meant}`",) if meant else (),
        edits=_edits(source, start, word.end(), meant) if meant else (),
        notes=("names are made of the letters a to z, digits and `_`",),
    )


def _character(source: Source, position: int) -> Diagnostic:
    """Explain a single character."""
    text, character = source.text, source.text[position]
    advice = _SHORT_HELP.get(character)
    edits: tuple[Edit, ...] = ()
    line = text.rfind("\n", 0, position) + 1
    grouped = _QUOTE_IN_NUMBER.finditer(text, line)
    around = next((found for found in grouped if found.end() > position), None)
    if character == "*" and text[:position].endswith((".", "[")):
        advice = "leave it out: an address means all that it names, as `text.layers` all layers"
    if character in _SPACES:
        advice = "write a plain space; this one looks like it and is another character"
        edits = _edits(source, position, position + 1, " ")
    elif character == "%" and (spaced := _SPACED_PERCENTAGE.search(text, line, position + 1)):
        advice = f"a percentage is written without a space: `{spaced[1]}%`"
        edits = _edits(source, spaced.end(1), position, "")
    elif character == "'" and around is not None and around.start() < position:
        number = around[0].replace("'", "_")
        advice = f"digits are grouped by `_`: `{number}`"
        edits = _edits(source, *around.span(), number)
    elif character == "@" and (name := _name_around(text, position)) is not None:
        written = text[slice(*name)]
        advice = f'a name with `@` stands in double quotes: `"{written}"`'
        edits = _edits(source, *name, f'"{written}"')
    elif character == ";":
        end = text.find("\n", position)
        rest = text[position + 1 : end if end >= 0 else len(text)].partition("#")[0]
        edits = _edits(source, position, position + 1, "," if rest.strip() else "")
    return Diagnostic(
        code="VL002",
        message=f"unexpected character {_shown(character)}",
        span=Span(source=source, start=position, end=position + 1),
        help=(advice,) if advice else (),
        edits=edits,
    )


def _name_around(text: str, position: int) -> tuple[int, int] | None:
    """Return where a name such as `text_r@1` starts and ends whose `@` is at a position."""
    before = _NAME_BEFORE.search(text, max(position - _LONGEST_NUMBER, 0), position)
    behind = _NUMBER_BEHIND.match(text, position + 1)
    return None if before is None or behind is None else (before.start(), behind.end())


def _edits(source: Source, start: int, end: int, text: str) -> tuple[Edit, ...]:
    return (Edit(span=Span(source=source, start=start, end=end), text=text),)


def _string_end(text: str, start: int) -> int:
    """Return where a string that is never closed may end.

    It takes the rest of the line, but not a brace that opens a block.
    """
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)].rstrip()
    return start + len(line.removesuffix("{").rstrip())


def _number_meant(text: str, found: re.Match[str]) -> tuple[str, ...]:
    """Return help on what looks like a number and is none."""
    if square := _SQUARE.fullmatch(found[0]):
        return (f"images are square: `{square[1]}`",)
    if pixels := re.fullmatch(r"(\d+)(?:px|pixels|GB|ms)", found[0]):
        return (f"units are not written: `{pixels[1]}`",)
    if _OTHER_UNIT.fullmatch(found[0]):
        number, unit = found[0][:-1], found[0][-1].lower()
        meant = f"`{number}k`" if unit == "k" else f"`{number}M` or `{number}min`"
        return (f"write {meant}",)
    if found_range := _RANGE.fullmatch(found[0]):
        if re.search(r"\w\[\Z", text[: found.start()]):
            stop = int(found_range[2]) + 1
            return (f"layers are cut as in Python, the end left out: `[{found_range[1]}:{stop}]`",)
        return ("a list names each of its values: `[0, 1, 2]`",)
    before = text[: found.start()].rstrip(" \t")
    # Behind a word stands a name, behind all else a value.
    return ("names start with a letter",) if before[-1:].isalpha() else ()


def _number_edits(source: Source, found: re.Match[str]) -> tuple[Edit, ...]:
    """Return the change of a square size, or of thousands whose unit is spelled large."""
    if square := _SQUARE.fullmatch(found[0]):
        return _edits(source, *found.span(), square[1])
    if not _OTHER_UNIT.fullmatch(found[0]) or found[0][-1] not in "K":
        return ()
    return _edits(source, *found.span(), f"{found[0][:-1]}k")


def _plain(text: str, found: re.Match[str]) -> str:
    """Return what is allowed and close to a word: a name, a keyword, a string; or nothing."""
    word = found[0]
    if text[: found.start()].endswith("("):
        return f'"{word}"'
    name = word.strip("-").replace("-", "_")
    joined = word.replace("-", "")
    first = not text[text.rfind("\n", 0, found.start()) + 1 : found.start()].strip()
    if first and joined in tables().keywords:
        return joined
    return name if name.isascii() and name not in tables().keywords else ""


def _shown(text: str) -> str:
    """Quote a piece of text for a message; characters that cannot be seen appear as code points."""
    short = text if len(text) <= 40 else text[:39] + "…"
    if short.isprintable() and short.strip():
        return f"`{short}`"
    return " ".join(f"U+{ord(character):04X}" for character in short[:4])
