"""Specs that are open in an editor, and what is known of each."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from renaissance.grammar.composition.files import Disk
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.composition.scope import Scope, gather
from renaissance.grammar.findings import Findings
from renaissance.grammar.record import Record
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source, SourceError, shown, source_of
from renaissance.grammar.tokens import Token, tokenize


class Analysis(Record):
    """What is known of a text.

    Attributes:
        source: the text.
        tokens: all of them, comments included.
        scope: what it and its imports declare.
        resolution: what it means, with all findings.
        files: names of the files that were asked for, the text's own included.
    """

    source: Source
    tokens: tuple[Token, ...]
    scope: Scope
    resolution: Resolution
    files: frozenset[str]


class Documents(Disk):
    """Texts of open documents, which come before those of the disk.

    A file is called as `check` calls it: by its path from the working folder.
    """

    def __init__(self) -> None:
        """Know of none."""
        self._texts: dict[str, str] = {}
        self._known: dict[str, Analysis] = {}
        self._asked: set[str] = set()
        self._sound: dict[str, Spec] = {}

    def put(self, uri: str, text: str) -> None:
        """Take the text of an open document."""
        name = name_of(uri)
        self._texts[name] = text
        self.forget(name)

    def drop(self, uri: str) -> None:
        """Take the text of the disk from now on."""
        name = name_of(uri)
        self._texts.pop(name, None)
        self.forget(name)

    def forget(self, name: str) -> None:
        """Look anew at a file, and at whatever imports it."""
        self._known = {
            other: known for other, known in self._known.items() if name not in known.files
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the open documents."""
        return tuple(self._texts)

    def read(self, path: str) -> Source:
        """Return the text of an open document, or of a file.

        Raises:
            SourceError: if there is no such file or it is no text.
        """
        name = path if path.startswith("<") else shown(path)
        self._asked.add(name)
        text = self._texts.get(name)
        if text is None:
            return super().read(path)
        return source_of(name, text.encode("utf-8", "replace"))

    def analysis(self, name: str) -> Analysis:
        """Return what is known of a document or a file.

        Raises:
            SourceError: if it cannot be read.
        """
        if name not in self._known:
            self._asked = {name}
            source = self.read(name)
            found = self.analysed(source)
            self._known[name] = found
            if found.resolution.spec is not None:
                self._sound[name] = found.resolution.spec
        return self._known[name]

    def last_spec(self, name: str) -> Spec | None:
        """Return what a file meant when it had no errors last."""
        return self._sound.get(name)

    def analysed(self, source: Source) -> Analysis:
        """Return what is known of a text that takes the place of a document's."""
        self._asked.add(source.name)
        resolution = resolve(source, self)
        return Analysis(
            source=source,
            tokens=tuple(tokenize(source)[0]),
            scope=gather(source, self, Findings()),
            resolution=resolution,
            files=frozenset(self._asked),
        )


def name_of(uri: str) -> str:
    """Return what `check` would call a document."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return f"<{uri}>"
    path = unquote(parts.path)
    if os.name == "nt":
        path = path.lstrip("/")
    return shown(path)


def uri_of(name: str) -> str:
    """Return the address of a document by its name."""
    if name.startswith("<"):
        return name[1:-1]
    return Path(name).absolute().as_uri()


def importers(documents: Documents, root: Path, names: Iterable[str]) -> Mapping[str, Analysis]:
    """Return what is known of files that read any of some files, open ones and those of a folder.

    Args:
        documents: the open ones.
        root: the folder; hidden ones in it are left out.
        names: of the files that are read.
    """
    wanted = set(names)
    every = dict.fromkeys((*documents.names, *_specs_in(root)))
    found = {}
    for name in every:
        try:
            known = documents.analysis(name)
        except SourceError:
            continue
        if wanted & known.files:
            found[name] = known
    return found


def _specs_in(root: Path, most: int = 500) -> list[str]:
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [shown(str(Path(folder, file))) for file in files if file.endswith(".vl")]
        if len(found) >= most:
            break
    return found[:most]
