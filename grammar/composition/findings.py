"""Collect what is wrong, each thing once, and know the names that come close."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import SequenceMatcher

from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.source import Span

_NAMED_AT_MOST = 4
_ALIKE = 0.6


class Findings:
    """Diagnostics in the order in which they were found; the same one is kept once.

    What is inherited or imported is read again for every user of it; a mistake in it is still one
    mistake.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._found: dict[tuple[str, str, int, int], Diagnostic] = {}

    def add(self, finding: Diagnostic) -> None:
        """Keep a finding, unless the same code was already reported at the same place."""
        place = finding.span
        self._found.setdefault((finding.code, place.source.name, place.start, place.end), finding)

    def extend(self, findings: Iterable[Diagnostic]) -> None:
        """Keep several."""
        for finding in findings:
            self.add(finding)

    def has_errors(self) -> bool:
        """Tell whether a spec with these findings is unusable."""
        return any(finding.severity == "error" for finding in self._found.values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._found)

    def ordered(self, imports: Mapping[str, Span] | None = None) -> tuple[Diagnostic, ...]:
        """Return all findings by file and place; files in the order of their first finding.

        Args:
            imports: where files were imported, by name; findings in those files point there.
        """
        imports = imports or {}
        files: dict[str, int] = {}
        for finding in self._found.values():
            files.setdefault(finding.span.source.name, len(files))
        found = (_imported(finding, imports) for finding in self._found.values())
        return tuple(
            sorted(
                found,
                key=lambda found: (
                    files[found.span.source.name],
                    found.span.start,
                    found.span.end,
                    found.code,
                ),
            )
        )


def _imported(finding: Diagnostic, imports: Mapping[str, Span]) -> Diagnostic:
    place = imports.get(finding.span.source.name)
    if place is None:
        return finding
    return replace(finding, related=(*finding.related, Label(span=place, text="imported here")))


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names that resemble `name`, most alike first, four at most."""
    scored = []
    for other in dict.fromkeys(known):
        likeness = SequenceMatcher(None, name.lower(), other.lower()).ratio()
        if likeness >= _ALIKE:
            scored.append((-likeness, other))
    return tuple(other for _, other in sorted(scored)[:_NAMED_AT_MOST])


def one_slip(name: str, known: str) -> bool:
    """Tell whether a name is a known one with one letter wrong, missing, doubled or swapped.

    Letters beside digits do not count: they tell models apart, as in `vits16` and `vitb16`.
    """
    if abs(len(name) - len(known)) > 1 or name == known:
        return False
    start = 0
    while start < min(len(name), len(known)) and name[start] == known[start]:
        start += 1
    end = 0
    while end < min(len(name), len(known)) - start and name[-1 - end] == known[-1 - end]:
        end += 1
    wrong, right = name[start : len(name) - end], known[start : len(known) - end]
    swapped = len(wrong) == 2 and wrong == right[::-1]
    if not swapped and max(len(wrong), len(right)) > 1:
        return False
    before, after = known[:start][-1:], known[len(known) - end :][:1]
    return not any(part.isdigit() for part in (before, after, *wrong, *right))


def suggestion(name: str, known: Iterable[str], what: str) -> tuple[str, ...]:
    """Return the help line that names what comes close, or none."""
    close = nearest(name, known)
    if not close:
        return ()
    names = ", ".join(f"`{other}`" for other in close)
    if len(close) == 1:
        return (f"{what} with a similar name exists: {names}",)
    return (f"similar names: {names}",)


def with_article(noun: str) -> str:
    """Return a noun behind `a` or `an`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def listing(names: Iterable[str], none: str = "none") -> str:
    """Return names in backticks with commas between them."""
    return ", ".join(f"`{name}`" for name in names) or none
