"""The language server: what editors ask for, over standard input and output.

Findings are those of `check`, with open documents in the place of files. Nothing of it imports
torch.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from renaissance import __version__
from renaissance.editor.colors import LEGEND, colors
from renaissance.editor.completion import completions
from renaissance.editor.documents import Analysis, Documents, importers, name_of, uri_of
from renaissance.editor.findings import SOURCE, fixes, published
from renaissance.editor.hints import hints
from renaissance.editor.hover import hover
from renaissance.editor.navigation import declaration_of, imported_at, occurrences, symbols
from renaissance.editor.places import Columns, line_before
from renaissance.editor.reading import Reading, Role
from renaissance.grammar.diagnostics import SpecError
from renaissance.grammar.formatter import format_source
from renaissance.grammar.paths import is_folder
from renaissance.grammar.source import Source, SourceError, Span
from renaissance.grammar.spelling import is_name

_PAUSE = 0.15
"""Seconds without a change after which a text is checked."""

_Params = (
    types.HoverParams
    | types.DefinitionParams
    | types.ReferenceParams
    | types.RenameParams
    | types.PrepareRenameParams
    | types.CompletionParams
)


class Server(LanguageServer):
    """What is open, and which findings were last told of each file."""

    def __init__(self) -> None:
        """Open nothing yet."""
        # Whole texts: what a line is, editors, Python and the language see in different ways.
        super().__init__(
            SOURCE, __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full
        )
        self.documents = Documents()
        self.waiting: asyncio.Task[None] | None = None
        self._told: dict[str, dict[str, list[types.Diagnostic]]] = {}

    @property
    def columns(self) -> Columns:
        """How columns are counted."""
        agreed = self.workspace.position_encoding or types.PositionEncodingKind.Utf16
        return Columns(types.PositionEncodingKind(agreed).value)

    @property
    def root(self) -> Path:
        """The folder that is worked in."""
        return Path.cwd()

    def analysis(self, uri: str) -> Analysis | None:
        """Return what is known of a document; None where it cannot be read at all."""
        try:
            return self.documents.analysis(name_of(uri))
        except SourceError:
            return None

    async def quiet(self) -> None:
        """Wait until nobody types, so that only a text that stays is worked out."""
        while self.waiting is not None and not self.waiting.done():
            await asyncio.wait([self.waiting])

    def role(self, params: _Params) -> tuple[Analysis, int, Role] | None:
        """Return the word under the cursor, and where it stands."""
        analysis = self.analysis(params.text_document.uri)
        if analysis is None:
            return None
        offset = self.columns.offset(analysis.source, params.position)
        role = Reading(analysis.source.text, analysis.tokens, analysis.scope).at(offset)
        return None if role is None else (analysis, offset, role)

    def tell(self) -> None:
        """Publish the findings of all open documents, those of one file together."""
        before = {uri for told in self._told.values() for uri in told}
        self._told = {name: self._findings(name) for name in self.documents.names}
        after = {uri for told in self._told.values() for uri in told}
        for uri in sorted(before | after):
            found = [one for told in self._told.values() for one in told.get(uri, ())]
            unique = list({repr(one): one for one in found}.values())
            document = self.workspace.text_documents.get(uri)
            version = None if document is None else document.version
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri=uri, diagnostics=unique, version=version)
            )

    def _findings(self, name: str) -> dict[str, list[types.Diagnostic]]:
        """Return the findings of a document by the file that each is in."""
        own = uri_of(name)
        try:
            analysis = self.documents.analysis(name)
        except SourceError as problem:
            start = types.Range(types.Position(0, 0), types.Position(0, 0))
            return {own: [types.Diagnostic(range=start, message=str(problem), source=SOURCE)]}
        found: dict[str, list[types.Diagnostic]] = {own: []}
        for finding in analysis.resolution.diagnostics:
            uri = uri_of(finding.span.source.name)
            found.setdefault(uri, []).append(published(finding, self.columns))
        return found


def serve() -> None:
    """Answer an editor until it says that it ends."""
    # The server closes what it talks over; the program ends with its own output open.
    incoming, outgoing = (os.dup(stream.fileno()) for stream in (sys.stdin, sys.stdout))
    with os.fdopen(incoming, "rb") as stdin, os.fdopen(outgoing, "wb") as stdout:
        build().start_io(stdin, stdout)


def build() -> Server:
    """Return the server with everything that it answers."""
    server = Server()
    _follow_documents(server)
    _answer_about_words(server)
    _answer_about_names(server)
    _answer_about_files(server)
    return server


def _follow_documents(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def begin(params: types.InitializeParams) -> None:
        # Paths in specs start at the folder that `check` is run in.
        folders = params.workspace_folders or ()
        uri = folders[0].uri if folders else params.root_uri
        if uri and is_folder(name_of(uri)):
            os.chdir(name_of(uri))

    @server.feature(types.INITIALIZED)
    def begun(params: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watched = None if workspace is None else workspace.did_change_watched_files
        if watched is not None and watched.dynamic_registration:
            watcher = types.FileSystemWatcher("**/*.vl")
            wanted = types.DidChangeWatchedFilesRegistrationOptions([watcher])
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            registration = types.Registration("specs", method, wanted)
            server.client_register_capability(types.RegistrationParams([registration]))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.documents.put(params.text_document.uri, params.text_document.text)
        server.tell()

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.documents.put(uri, server.workspace.get_text_document(uri).source)
        if server.waiting is not None:
            server.waiting.cancel()
        server.waiting = asyncio.create_task(later())

    async def later() -> None:
        await asyncio.sleep(_PAUSE)
        server.tell()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.documents.forget(name_of(params.text_document.uri))
        server.tell()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.documents.drop(params.text_document.uri)
        server.tell()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def changed_on_disk(params: types.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            server.documents.forget(name_of(change.uri))
        server.tell()


def _answer_about_words(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(params: types.HoverParams) -> types.Hover | None:
        analysis = server.analysis(params.text_document.uri)
        if analysis is None:
            return None
        offset = server.columns.offset(analysis.source, params.position)
        said = hover(analysis, offset, lambda: server.documents.spec(analysis))
        if said is None:
            return None
        span, text = said
        content = types.MarkupContent(kind=types.MarkupKind.Markdown, value=text)
        return types.Hover(contents=content, range=server.columns.range(span))

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=[".", "=", " ", "(", "[", '"']),
    )
    def completed(params: types.CompletionParams) -> list[types.CompletionItem]:
        analysis = server.analysis(params.text_document.uri)
        if analysis is None:
            return []
        offset = server.columns.offset(analysis.source, params.position)
        typed = None if params.context is None else params.context.trigger_character
        if typed == " " and not line_before(analysis.source.text, offset).strip():
            return []  # this is indentation, nobody asked for anything
        return completions(server.documents, analysis, offset, server.columns)


def _answer_about_names(server: Server) -> None:
    def places(params: _Params) -> list[Span]:
        """Return all places of the name under the cursor, in all files that read its own."""
        found = server.role(params)
        declared = None if found is None else declaration_of(found[2], found[0].scope)
        if declared is None:
            return []
        known = importers(server.documents, server.root, [declared.source.name])
        return list(occurrences(declared, known.values()))

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def defined(params: types.DefinitionParams) -> types.Location | None:
        analysis = server.analysis(params.text_document.uri)
        if analysis is None:
            return None
        offset = server.columns.offset(analysis.source, params.position)
        path = imported_at(analysis, offset)
        if path is not None:
            start = types.Range(types.Position(0, 0), types.Position(0, 0))
            target = server.documents.beside(analysis.source.name, path)
            return types.Location(uri_of(target), start)
        found = server.role(params)
        span = None if found is None else declaration_of(found[2], analysis.scope)
        return None if span is None else _location(server, span)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def referred(params: types.ReferenceParams) -> list[types.Location]:
        return [_location(server, span) for span in places(params)]

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def can_be_renamed(params: types.PrepareRenameParams) -> types.Range | None:
        found = server.role(params)
        if found is None or declaration_of(found[2], found[0].scope) is None:
            return None
        return server.columns.range(_span(found[0].source, found[2]))

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def renamed(params: types.RenameParams) -> types.WorkspaceEdit | None:
        if not is_name(params.new_name):
            server.window_show_message(
                types.ShowMessageParams(
                    types.MessageType.Error, f"`{params.new_name}` cannot be a name"
                )
            )
            return None
        changes: dict[str, list[types.TextEdit]] = {}
        for span in places(params):
            edit = types.TextEdit(server.columns.range(span), params.new_name)
            changes.setdefault(uri_of(span.source.name), []).append(edit)
        return types.WorkspaceEdit(changes=changes) if changes else None


def _answer_about_files(server: Server) -> None:
    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(
            code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]
        ),
    )
    async def fixed(params: types.CodeActionParams) -> list[types.CodeAction]:
        await server.quiet()
        analysis = server.analysis(params.text_document.uri)
        if analysis is None:
            return []
        source, columns = analysis.source, server.columns
        start = columns.offset(source, params.range.start)
        end = columns.offset(source, params.range.end)
        found = fixes(analysis, Span(source=source, start=start, end=end), columns)
        only = params.context.only
        return [one for one in found if only is None or _asked_for(one, only)]

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatted(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        analysis = server.analysis(params.text_document.uri)
        if analysis is None:
            return []
        try:
            text = format_source(analysis.source)
        except SpecError:
            return []  # its mistakes are there to see
        if text == analysis.source.text:
            return []
        return [types.TextEdit(server.columns.whole(analysis.source), text)]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outlined(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        analysis = server.analysis(params.text_document.uri)
        return [] if analysis is None else symbols(analysis, server.columns)

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    def colored(params: types.SemanticTokensParams) -> types.SemanticTokens:
        analysis = server.analysis(params.text_document.uri)
        return types.SemanticTokens([] if analysis is None else colors(analysis, server.columns))

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hinted(params: types.InlayHintParams) -> list[types.InlayHint]:
        await server.quiet()
        analysis = server.analysis(params.text_document.uri)
        spec = None if analysis is None else server.documents.spec(analysis)
        if analysis is None or spec is None:
            return []
        first, last = params.range.start.line, params.range.end.line
        found = hints(analysis, spec, server.columns)
        return [hint for hint in found if first <= hint.position.line <= last]


def _asked_for(action: types.CodeAction, only: Sequence[types.CodeActionKind | str]) -> bool:
    """Tell whether an action is of one of some kinds, or of a kind below it."""
    kind = types.CodeActionKind(action.kind).value if action.kind else ""
    wanted = (one.value if isinstance(one, types.CodeActionKind) else one for one in only)
    return any(kind == one or kind.startswith(f"{one}.") for one in wanted)


def _location(server: Server, span: Span) -> types.Location:
    return types.Location(uri_of(span.source.name), server.columns.range(span))


def _span(source: Source, role: Role) -> Span:
    return Span(source=source, start=role.token.start, end=role.token.end)
