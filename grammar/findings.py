"""Collect what is wrong, each thing once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.record import Record, replace
from renaissance.grammar.source import Span


class Heir(Record):
    """A block that goes on from others, in which what is wrong with it may stand.

    Attributes:
        name: place of its name.
        said: what a finding says there.
        above: the blocks that it goes on from.
    """

    name: Span
    said: str
    above: tuple[Span, ...]

    def inherits(self, place: Span) -> bool:
        """Tell whether a place is inside one of the blocks that it goes on from."""
        return any(
            block.source is place.source and block.start <= place.start < block.end
            for block in self.above
        )

    def label(self) -> Label:
        """Return what is added to a finding."""
        return Label(span=self.name, text=self.said)


class Findings:
    """Diagnostics in the order in which they were found; the same one is kept once.

    What is inherited or imported is read again for every user of it; a mistake in it is still one
    mistake.
    """

    def __init__(self, in_spite_of: Collection[str] = ()) -> None:
        """Start empty.

        Args:
            in_spite_of: codes of findings that leave a spec usable, errors or not.
        """
        self.reported = 0  # times that one was, the same one again included
        self._in_spite_of = in_spite_of
        self._found: dict[tuple[str, str, int, int], Diagnostic] = {}
        self._inherited: set[tuple[str, str, int, int]] = set()
        self._heir: Heir | None = None

    def add(self, finding: Diagnostic) -> None:
        """Keep a finding, unless the same code was already reported at the same place."""
        place, heir = finding.span, self._heir
        self.reported += 1
        key = (finding.code, place.source.name, place.start, place.end)
        known = self._found.get(key)
        inherited = heir is not None and heir.inherits(place)
        if known is None or (key in self._inherited and not inherited):
            self._found[key] = known = finding
            self._inherited.discard(key)
            if inherited:
                self._inherited.add(key)
        if heir is not None and key in self._inherited and heir.label() not in known.related:
            self._found[key] = replace(known, related=(*known.related, heir.label()))

    @contextmanager
    def of(self, heir: Heir | None) -> Iterator[None]:
        """Let findings that stand in what a block inherits say which block that is.

        What is wrong without it too is not said of it.
        """
        before, self._heir = self._heir, heir
        try:
            yield
        finally:
            self._heir = before

    def extend(self, findings: Iterable[Diagnostic]) -> None:
        """Keep several."""
        for finding in findings:
            self.add(finding)

    def has_errors(self) -> bool:
        """Tell whether a spec with these findings is unusable."""
        return any(
            finding.severity == "error" and finding.code not in self._in_spite_of
            for finding in self._found.values()
        )

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
    if place is None or any(label.span == place for label in finding.related):
        return finding
    return replace(finding, related=(*finding.related, Label(span=place, text="imported here")))
