"""How a data set comes about: what to get where, and how much of it there should be."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from renaissance.grammar.paths import exists
from renaissance.grammar.record import Record, field


class Place(Record):
    """A file or a folder of a data set.

    Attributes:
        path: from the root of the data set on, as it is published.
        holds: what is in it.
        where: address that it is published at; empty where the set's own says all.
        instead: other places where it is looked for.
        needed: whether the part that a file asks for cannot be read without it.
        of: parts of a task's data that cannot be read without it, by the name of their file; it is
            needed by jobs that read one of them. Where nothing is said, `needed` holds for all.
    """

    path: str
    holds: str
    where: str = ""
    instead: tuple[str, ...] = ()
    needed: bool = True
    of: tuple[str, ...] = ()

    def found(self, root: str | Path) -> Path | None:
        """Return where it lies below a root; None where it does not."""
        paths = (Path(root) / path for path in (self.path, *self.instead))
        return next((path for path in paths if exists(path)), None)


class Size(Record):
    """How much a part of a data set holds, as published.

    Attributes:
        texts: number of texts; None where that is not known.
        images: number of distinct images; None where that is not known.
    """

    texts: int | None = None
    images: int | None = None


class How(Record):
    """How to get a data set.

    Attributes:
        name: of the set.
        root: folder that it is looked for in.
        places: what it consists of.
        licence: under which it may be used.
        published: addresses of those who publish it.
        sizes: of its parts, by name of the file of a task; a format has one part, ``.
        note: what else a person should know.
    """

    name: str
    root: str
    places: tuple[Place, ...]
    licence: str
    published: tuple[str, ...]
    sizes: Mapping[str, Size] = field(default_factory=dict)
    note: str = ""

    def missing(self) -> Iterator[Place]:
        """Yield what is needed and not there."""
        return (place for place in self.places if place.needed and not place.found(self.root))
