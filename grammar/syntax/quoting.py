"""Paths and encoders that stand without quotes, and selectors that stand in them."""

import re
from typing import NamedTuple

from renaissance.grammar.named_sources import named_for_a_stream, source_named

_OTHER = r"""\s,{}()\[\]"'#=;:"""
_RUN = re.compile(rf"(?:hf[-_]hub:)?[^{_OTHER}]*/[^{_OTHER}]*")
_SEGMENT = re.compile(r"~|\.{1,2}|[\w.-]*[^\W\d][\w.-]*")
_SELECTORS = re.compile(r"\b(?:freeze|adapt|except)\b[^{}#]*\Z")
_QUOTED_SELECTORS = re.compile(r"\[?\s*'[^'\n]+'(?:\s*,\s*'[^'\n]+')*\s*\]?")
_STARTS = re.compile(r"(?:^|[{,])\s*\Z")
_STREAM = re.compile(r"(?:\b(backbone|embed)\s+|(?:^|\{)\s*)(\w+)\s*=\s*\Z")
_FAR = 300
"""Characters of a line before a place that say what stands there."""


class Quoting(NamedTuple):
    """What is quoted where it should not be, or the other way round.

    Attributes:
        start: of its first character.
        end: behind its last.
        what: it is, with what is wrong.
        help: what to write.
        meant: the text that takes its place; None where that is not sure.
    """

    start: int
    end: int
    what: str
    help: str
    meant: str | None


def unquoted(text: str, position: int) -> Quoting | None:
    """Return the path or address with `/` around a place; None where a number is divided."""
    line = _line(text, position)
    end = text.find("\n", position)
    runs = _RUN.finditer(text, line, end if end >= 0 else len(text))
    found = next((run for run in runs if run.start() <= position < run.end()), None)
    if found is None or "//" in found[0]:
        return None
    before, behind = text[line : found.start()], text[found.end() :]
    if _SELECTORS.search(before):
        return _address(found, selects=True)
    if _STARTS.search(before) and re.match(r"[ \t]*(?:=|\{)", behind):
        return _address(found, selects=False)
    rooted = found[0].startswith(("/", "./", "../", "~/"))
    segments = [segment for segment in found[0].rpartition(":")[2].split("/") if segment]
    if not segments or not all(map(_SEGMENT.fullmatch, segments[: 1 if rooted else None])):
        return None
    return _text(found, before, rooted)


def quoted_selectors(text: str, position: int) -> Quoting | None:
    """Return the selectors of a `freeze` that stand in single quotes around a place, if they do."""
    line = _line(text, position)
    before = text[line:position].rstrip()
    start = line + len(before) - 1 if before.endswith("[") else position
    found = _QUOTED_SELECTORS.match(text, start)
    if found is None or not _SELECTORS.search(text[line:start]):
        return None
    meant = re.sub(r"[\[\]']", "", found[0]).strip()
    said = "a selector stands in quotes"
    return Quoting(found.start(), found.end(), said, f"write `{meant}`", meant)


def _line(text: str, position: int) -> int:
    """Return where the line of a place starts, or the part of it that is looked at."""
    return max(text.rfind("\n", 0, position) + 1, position - _FAR)


def _address(found: re.Match[str], *, selects: bool) -> Quoting | None:
    """Explain `vision/layers/0`, as others write an address."""
    names = re.sub(r"(?:/\*{0,2})+\Z", "", found[0].lstrip("/")).replace("/", ".")
    meant = re.sub(r"\.(\d+)(?=\.|\Z)", r"[\1]", names) if selects else names
    if not re.fullmatch(r"[^\W\d]\w*(?:\[\d+\]|\.[^\W\d]\w*)*", meant):
        return None
    said = "an address is written with `/`"
    return Quoting(found.start(), found.end(), said, f"write `{meant}`", meant)


def _text(found: re.Match[str], before: str, rooted: bool) -> Quoting:
    """Explain a path, or the name of an encoder, where a value stands."""
    stream = _STREAM.search(before)
    if stream and not rooted and (stream[1] or named_for_a_stream(stream[2])):
        meant = source_named(found[0], stream[2])
        keyword = "" if stream[1] else f"backbone {stream[2]} = "
        said = "an encoder is only named"
        sure = None if keyword else meant
        return Quoting(found.start(), found.end(), said, f"write `{keyword}{meant}`", sure)
    meant = f'"{found[0]}"'
    if rooted or re.search(r"(?:\(|\bimport)\s*\Z", before):
        said = "a path stands without quotes"
        return Quoting(found.start(), found.end(), said, f"write `{meant}`", meant)
    help = f"a path stands in quotes: `{meant}`; there is no arithmetic"
    return Quoting(found.start(), found.end(), "a value is written with `/`", help, None)
