"""Findings for people: the line itself, the faulty part underlined, and what to do.

error[VL006]: no value after `=`
  --> model.vl:3:9
   |
 3 |   steps =
   |         ^ expected a value
   |
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from unicodedata import category, combining, east_asian_width

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.record import Record
from renaissance.grammar.source import Source, Span
from renaissance.render.color import Palette
from renaissance.render.order import counts, ordered

_MOST_PER_FILE = 50
_LONGEST_LINE = 160
_SHORTEST_LINE = 20
_SHOWN_BEFORE = 60
_BESIDE = 5
"""Columns beside a line and its number: the bar, and what stands for what is cut off."""


def render_text(
    diagnostics: Iterable[Diagnostic], palette: Palette, columns: int | None = None
) -> str:
    """Return all findings as text, at most 50 a file, with an empty line after each.

    Args:
        diagnostics: the findings.
        palette: colors of the terminal.
        columns: of the terminal, in which lines of a spec have room; None where there is none.
    """
    parts: list[str] = []
    for _, group in groupby(ordered(diagnostics), key=lambda finding: finding.span.source.name):
        findings = list(group)
        parts.extend(
            render_finding(finding, palette, columns) for finding in findings[:_MOST_PER_FILE]
        )
        if (more := len(findings) - _MOST_PER_FILE) > 0:
            name = printable(findings[0].span.source.name)
            parts.append(f"{name}: {more} more finding{'s' if more > 1 else ''}\n")
    return "".join(f"{part}\n" for part in parts)


def render_summary(diagnostics: Iterable[Diagnostic], files: int) -> str:
    """Return one line: how many files were looked at, and what was found."""
    errors, warnings = counts(ordered(diagnostics))
    found = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return f"{files} file{'s' if files != 1 else ''} checked: {', '.join(found) or 'no errors'}\n"


class _Mark(Record):
    """A span to underline."""

    span: Span
    text: str
    primary: bool

    def line(self) -> int:
        return self.span.source.position(self.span.start)[0]


def render_finding(finding: Diagnostic, palette: Palette, columns: int | None = None) -> str:
    """Return one finding; ends with a line end."""
    color = "red" if finding.severity == "error" else "yellow"
    marks = [_Mark(span=finding.span, text=finding.label, primary=True)]
    marks.extend(
        _Mark(span=label.span, text=label.text, primary=False) for label in finding.related
    )
    margin = len(str(max(mark.line() for mark in marks)))
    longest = _LONGEST_LINE
    if columns is not None:
        longest = max(min(columns - margin - _BESIDE, longest), _SHORTEST_LINE)
    title = palette.paint(f"{finding.severity}[{finding.code}]", color)
    lines = [title + palette.paint(f": {printable(finding.message)}", "bold")]
    # The file of the primary span comes first.
    files = dict.fromkeys(id(mark.span.source) for mark in marks)
    for number, file in enumerate(files):
        here = [mark for mark in marks if id(mark.span.source) == file]
        source, start = here[0].span.source, here[0].span.start
        line, column = source.position(start)
        arrow = "-->" if number == 0 else ":::"
        place = f"{printable(source.name)}:{line}:{column}"
        lines.append(f"{' ' * margin}{palette.paint(arrow, 'blue')} {place}")
        lines.append(palette.paint(f"{' ' * margin} |", "blue"))
        lines.extend(_excerpt(source, here, margin, longest, palette, color))
    lines.append(palette.paint(f"{' ' * margin} |", "blue"))
    lines.extend(f"{palette.paint('help', 'cyan')}: {printable(text)}" for text in finding.help)
    lines.extend(f"{palette.paint('note', 'green')}: {printable(text)}" for text in finding.notes)
    if not finding.help and not finding.notes:
        lines.pop()
    return "".join(f"{line}\n" for line in lines)


def _excerpt(
    source: Source,
    marks: Sequence[_Mark],
    margin: int,
    longest: int,
    palette: Palette,
    color: str,
) -> list[str]:
    lines: list[str] = []
    previous = 0
    by_line = sorted(marks, key=lambda mark: (mark.line(), not mark.primary, mark.span.start))
    for number, group in groupby(by_line, key=_Mark.line):
        here = list(group)
        if previous and number > previous + 2:
            lines.append(palette.paint("…".rjust(margin), "blue"))
        elif previous and number == previous + 2:
            # One line between two marked ones is shown instead of an ellipsis.
            lines.append(_numbered(source, number - 1, 0, margin, longest, palette))
        first = min(source.position(mark.span.start)[1] for mark in here) - 1
        before = min(_SHOWN_BEFORE, longest // 3)
        shift = first - before if len(source.line(number)) > longest else 0
        lines.append(_numbered(source, number, max(shift, 0), margin, longest, palette))
        for mark in here:
            underline = _underline(source, mark, max(shift, 0), longest)
            painted = palette.paint(underline, color if mark.primary else "blue")
            lines.append(palette.paint(f"{' ' * margin} | ", "blue") + painted)
        previous = number
    return lines


def _numbered(
    source: Source, number: int, shift: int, margin: int, longest: int, palette: Palette
) -> str:
    shown = _window(source.line(number), shift, longest).rstrip()
    gutter = palette.paint(f"{number:>{margin}} |", "blue")
    return f"{gutter} {shown}" if shown else gutter


def _window(line: str, shift: int, longest: int) -> str:
    """Return the part of a line that is shown, from the character `shift` on."""
    shown = printable(line[shift : shift + longest])
    before = "…" if shift else ""
    return before + shown + ("…" if shift + longest < len(line) else "")


def _underline(source: Source, mark: _Mark, shift: int, longest: int) -> str:
    number, column = source.position(mark.span.start)
    line = source.line(number)
    start = column - 1 - shift
    # A span over several lines is underlined on its first.
    end = min(mark.span.end - mark.span.start + start, len(line) - shift, longest)
    shown = line[shift:]
    indent = _width(shown[:start]) + (1 if shift else 0)
    length = max(_width(shown[start:end]), 1)
    sign = "^" if mark.primary else "-"
    return f"{' ' * indent}{sign * length} {printable(mark.text)}".rstrip()


def printable(text: str) -> str:
    """Return text that cannot disturb a terminal: no tabs, no control characters.

    Spaces that are not the plain one, such as that which does not break, are shown as a dot.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _instead(character) for character in text
    )


def _instead(character: str) -> str:
    if character == "\t":
        return " "
    return "·" if category(character) == "Zs" else "\ufffd"


def _width(text: str) -> int:
    """Return how many columns a piece of a line takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in printable(text)
    )
