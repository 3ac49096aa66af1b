"""Where each value of a spec was said."""

from renaissance.grammar.record import Record, field
from renaissance.grammar.source import Span

Path = tuple[str | int, ...]
"""A place in a spec: `("models", "tiny", "streams", "text", "max_tokens")`."""


class Places(Record):
    """Spans by path; what has no entry is a default, or was derived.

    Attributes:
        keys: where the name of a key stands.
        values: where its value stands.
        derived: why a value is what it is, where no file says so.
    """

    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)
    derived: dict[Path, str] = field(default_factory=dict)

    def put(self, path: Path, key: Span, value: Span) -> None:
        """Note where a value was said; the first note of a path stays."""
        self.keys.setdefault(path, key)
        self.values.setdefault(path, value)

    def value(self, path: Path) -> Span | None:
        """Return the span of a value, or of the nearest block around it."""
        return _nearest(self.values, path, self.keys)

    def key(self, path: Path) -> Span | None:
        """Return the span of a key, or of the name of the nearest block around it."""
        return _nearest(self.keys, path, self.keys)

    def said(self, path: Path) -> bool:
        """Tell whether a file gives this very value."""
        return path in self.values


def _nearest(spans: dict[Path, Span], path: Path, around: dict[Path, Span]) -> Span | None:
    if path in spans:
        return spans[path]
    for length in range(len(path) - 1, 0, -1):
        if path[:length] in around:
            return around[path[:length]]
    return None
