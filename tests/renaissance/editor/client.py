"""A client that starts the server as an editor does, and asks it one thing after the other."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

Answer = TypeVar("Answer")
MARK = "§"
"""Stands in a text where the cursor is."""


class Editor:
    """A folder that is open in an editor."""

    def __init__(self, root: Path, *encodings: types.PositionEncodingKind) -> None:
        self.root = root
        self._loop = asyncio.new_event_loop()
        self._versions: dict[str, int] = {}
        self._told: dict[str, list[types.Diagnostic]] = {}
        self._seen: dict[str, int | None] = {}
        self._last = ""
        self._news = asyncio.Event()
        self.client = LanguageClient("editor", "1")
        self.messages: list[str] = []
        self._listen()
        self.wait(self.client.start_io(sys.executable, "-m", "renaissance", "lsp"))
        general = types.GeneralClientCapabilities(position_encodings=list(encodings) or None)
        self.server = self.wait(
            self.client.initialize_async(
                types.InitializeParams(
                    capabilities=types.ClientCapabilities(general=general), root_uri=root.as_uri()
                )
            )
        )
        self.client.initialized(types.InitializedParams())

    def wait(self, answer: Coroutine[Any, Any, Answer]) -> Answer:
        return self._loop.run_until_complete(asyncio.wait_for(answer, 60))

    def close(self) -> None:
        self.wait(self.client.shutdown_async(None))
        self.client.exit(None)
        process = self.client._server
        assert process is not None and self.wait(process.wait()) == 0
        self.wait(self.client.stop())
        self._loop.close()

    def open(self, name: str, text: str, *, saved: bool = True) -> tuple[str, types.Position]:
        """Open or change a document; returns its address, and where the mark stands in it."""
        before, _, after = text.partition(MARK)
        whole = before + after
        path = self.root / name
        uri = path.as_uri()
        if saved:
            path.write_text(whole, encoding="utf-8")
        self._last = uri
        if uri not in self._versions:
            self._versions[uri] = 1
            item = types.TextDocumentItem(uri, "vl", 1, whole)
            self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        else:
            self._versions[uri] += 1
            self.client.text_document_did_change(
                types.DidChangeTextDocumentParams(
                    types.VersionedTextDocumentIdentifier(self._versions[uri], uri),
                    [types.TextDocumentContentChangeWholeDocument(whole)],
                )
            )
        line = before.count("\n")
        column = len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
        return uri, types.Position(line, column)

    def shut(self, uri: str) -> None:
        del self._versions[uri]
        document = types.TextDocumentIdentifier(uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def findings(self, uri: str) -> list[types.Diagnostic]:
        """What the server says of a document after the last change."""
        self.wait(self._told_of_all())
        return self._told[uri]

    async def _told_of_all(self) -> None:
        """Wait until the server has told of the document that changed last, and of all others."""
        while (
            self._last in self._versions
            and self._seen.get(self._last) != self._versions[self._last]
        ):
            self._news.clear()
            await self._news.wait()
        document = types.TextDocumentIdentifier(self._last)
        await self.client.text_document_document_symbol_async(types.DocumentSymbolParams(document))

    def hover(self, name: str, text: str) -> str | None:
        at = self._at(name, text)
        found = self.wait(self.client.text_document_hover_async(types.HoverParams(*at)))
        if found is None:
            return None
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    def completions(self, name: str, text: str) -> dict[str, types.CompletionItem]:
        params = types.CompletionParams(*self._at(name, text))
        found = self.wait(self.client.text_document_completion_async(params))
        assert not isinstance(found, types.CompletionList)
        return {item.label: item for item in found or ()}

    def definition(self, name: str, text: str) -> tuple[str, int, int] | None:
        params = types.DefinitionParams(*self._at(name, text))
        found = self.wait(self.client.text_document_definition_async(params))
        if found is None:
            return None
        assert isinstance(found, types.Location)
        start = found.range.start
        return Path(found.uri).name, start.line + 1, start.character + 1

    def renamed(self, name: str, text: str, new: str) -> dict[str, str] | None:
        """Return the texts of the files that a renaming changes."""
        params = types.RenameParams(*self._at(name, text), new)
        found = self.wait(self.client.text_document_rename_async(params))
        if found is None:
            return None
        return {
            Path(uri).name: edited(self.root / Path(uri).name, edits)
            for uri, edits in (found.changes or {}).items()
        }

    def _at(self, name: str, text: str) -> tuple[types.TextDocumentIdentifier, types.Position]:
        uri, position = self.open(name, text)
        return types.TextDocumentIdentifier(uri), position

    def _listen(self) -> None:
        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self._told[params.uri] = list(params.diagnostics)
            self._seen[params.uri] = params.version
            self._news.set()

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)
        def said(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)


def edited(path: Path, edits: list[types.TextEdit]) -> str:
    """Return the text of a file with changes, as a client makes them in UTF-16."""
    lines = path.read_text(encoding="utf-8").split("\n")
    places = sorted(edits, key=lambda edit: (edit.range.start.line, edit.range.start.character))
    for edit in reversed(places):
        start, end = edit.range.start, edit.range.end
        before = lines[start.line].encode("utf-16-le")[: 2 * start.character].decode("utf-16-le")
        after = lines[end.line].encode("utf-16-le")[2 * end.character :].decode("utf-16-le")
        lines[start.line : end.line + 1] = (before + edit.new_text + after).split("\n")
    return "\n".join(lines)
