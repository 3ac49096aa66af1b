"""Specs that are open in an editor, and what is known of each."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from renaissance.grammar import tree
from renaissance.grammar.composition.files import Disk
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.composition.scope import Scope, gather
from renaissance.grammar.findings import Findings
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source, SourceError, shown, source_of
from renaissance.grammar.syntax.parser import parse
from renaissance.grammar.syntax.tokens import tokenize


class Analysis:
    """What is known of a text.

    Attributes:
        source: the text.
        tokens: all of them, comments included.
        scope: what it and its imports declare.
        files: names of the files that were asked for, the text's own included.
    """

    def __init__(
        self,
        source: Source,
        scope: Scope,
        files: frozenset[str],
        resolve: Callable[[Source], Resolution],
    ) -> None:
        """Read the words; what they mean is worked out when it is asked for."""
        self.source = source
        self.tokens = tuple(tokenize(source)[0])
        self.scope = scope
        self.files = files
        self._resolve = resolve

    @cached_property
    def statements(self) -> tuple[tree.Statement, ...]:
        """What the text consists of, as far as it can be read."""
        return parse(self.source)[0].statements

    @cached_property
    def resolution(self) -> Resolution:
        """What the text means, with all findings."""
        return self._resolve(self.source)


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
            self._known[name] = self.analysed(source)
        return self._known[name]

    def spec(self, analysis: Analysis) -> Spec | None:
        """Return what a text means; while it has errors what it meant last, or its models alone."""
        return (
            analysis.resolution.spec
            or self._sound.get(analysis.source.name)
            or resolve(_models_of(analysis), self).spec
        )

    def analysed(self, source: Source) -> Analysis:
        """Return what is known of a text that takes the place of a document's."""
        self._asked.add(source.name)
        scope = gather(source, self, Findings())
        return Analysis(source, scope, frozenset(self._asked), self._resolved)

    def _resolved(self, source: Source) -> Resolution:
        found = resolve(source, self)
        if found.spec is not None:
            self._sound[source.name] = found.spec
        return found


def _models_of(analysis: Analysis) -> Source:
    """Return a text without its jobs, studies and data, at the same places."""
    text = analysis.source.text
    for statement in analysis.statements:
        if isinstance(statement, tree.Declaration) and statement.keyword.text != "model":
            start, end = statement.span.start, statement.span.end
            text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    return Source(name=analysis.source.name, text=text)


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
