// As much of VS Code as the extension asks for: `node window.js EXTENSION FOLDER DOCUMENT COMMAND…`
// activates it with one open document, asks each provider, kills the server, asks again, and writes
// all answers as JSON.
"use strict";
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const [extension, folder, name, ...command] = process.argv.slice(2);

class Position {
  constructor(line, character) { Object.assign(this, { line, character }); }
}
class Range {
  constructor(start, end) { Object.assign(this, { start, end }); }
  toJSON() { return [this.start, this.end]; } // as that of VS Code does
}
const holding = (...names) => class { constructor(...values) { names.forEach((one, index) => (this[one] = values[index])); } };
class Kind {
  constructor(value) { this.value = value; }
  append(more) { return new Kind(more); }
}
class WorkspaceEdit {
  set(uri, edits) { this[path.basename(uri.fsPath)] = edits; }
}
const uri = (fsPath) => ({ scheme: "file", fsPath, toString: () => `file://${fsPath}` });
const text = fs.readFileSync(path.join(folder, name), "utf8");
const document = { uri: uri(path.join(folder, name)), languageId: "vl", version: 1, getText: () => text };
const providers = {};
const messages = [];
const found = new Map();
let heard = () => {};
const nothing = { dispose() {} };
const event = () => nothing;
const register = (kind) => (_, provider) => { providers[kind] = provider; return nothing; };

const vscode = {
  Position, Range, WorkspaceEdit,
  CodeActionKind: { Empty: new Kind(""), QuickFix: new Kind("quickfix"), SourceFixAll: new Kind("source.fixAll") },
  CodeAction: holding("title", "kind"),
  CompletionItem: holding("label", "kind"),
  Diagnostic: holding("range", "message", "severity"),
  DiagnosticRelatedInformation: holding("location", "message"),
  DocumentSymbol: holding("name", "detail", "kind", "range", "selectionRange"),
  Hover: holding("contents", "range"),
  InlayHint: holding("position", "label"),
  LanguageStatusSeverity: { Information: 0, Warning: 1, Error: 2 },
  Location: holding("uri", "range"),
  MarkdownString: holding("value"),
  TextEdit: holding("range", "newText"),
  Uri: { parse: (address) => uri(address.replace("file://", "")), file: uri },
  commands: { registerCommand: event },
  extensions: { getExtension: () => undefined },
  languages: {
    createDiagnosticCollection: () => ({ ...nothing, clear() {}, set(where, all) { found.set(path.basename(where.fsPath), all); heard(); } }),
    createLanguageStatusItem: () => ({ ...nothing }),
    registerCodeActionsProvider: register("actions"),
    registerCompletionItemProvider: register("completion"),
    registerDefinitionProvider: register("definition"),
    registerDocumentFormattingEditProvider: register("formatting"),
    registerDocumentSymbolProvider: register("symbols"),
    registerHoverProvider: register("hover"),
    registerInlayHintsProvider: register("hints"),
    registerReferenceProvider: register("references"),
    registerRenameProvider: register("rename"),
  },
  window: {
    createOutputChannel: () => ({ ...nothing, append() {}, appendLine() {}, show() {} }),
    showErrorMessage: async (message) => { messages.push(message); heard(); },
  },
  workspace: {
    isTrusted: true,
    workspaceFolders: [{ uri: uri(folder) }],
    textDocuments: [document],
    createFileSystemWatcher: () => ({ ...nothing, onDidCreate: event, onDidChange: event, onDidDelete: event }),
    getConfiguration: () => ({ inspect: () => ({ workspaceValue: command }) }),
    onDidChangeConfiguration: event, onDidChangeTextDocument: event, onDidCloseTextDocument: event,
    onDidGrantWorkspaceTrust: event, onDidOpenTextDocument: event, onDidSaveTextDocument: event,
  },
};
const load = Module._load;
Module._load = (request, ...more) => (request === "vscode" ? vscode : load(request, ...more));
const { activate, deactivate } = require(extension);
const { Server } = require(path.join(extension, "server.js"));
const { write } = Server.prototype;
let server;
Server.prototype.write = function (message) { server = this; write.call(this, message); };

const told = () => new Promise((resolve) => (heard = resolve));
const place = (word) => {
  const before = text.slice(0, text.indexOf(word)).split("\n");
  return new Position(before.length - 1, before.at(-1).length);
};
const whole = new Range(new Position(0, 0), new Position(1000, 0));

(async () => {
  const first = told();
  activate({ subscriptions: [] });
  await first;
  const answers = { messages, findings: found.get(name) };
  if (found.size > 0) {
    answers.hover = await providers.hover.provideHover(document, place("max_tokens"));
    answers.completion = (await providers.completion.provideCompletionItems(document, place("max_tokens"), undefined, { triggerKind: 0 })).map(({ label }) => label.label ?? label);
    answers.definition = await providers.definition.provideDefinition(document, place("towers {"));
    answers.references = await providers.references.provideReferences(document, place("towers {"), { includeDeclaration: true });
    answers.named = await providers.rename.prepareRename(document, place("towers {"));
    answers.rename = await providers.rename.provideRenameEdits(document, place("towers {"), "pair");
    answers.actions = await providers.actions.provideCodeActions(document, whole, { only: undefined });
    answers.formatting = await providers.formatting.provideDocumentFormattingEdits(document, { tabSize: 2, insertSpaces: true });
    answers.symbols = (await providers.symbols.provideDocumentSymbols(document)).map((one) => one.name);
    answers.hints = await providers.hints.provideInlayHints(document, whole);
    const again = told();
    found.clear();
    server.process.kill("SIGKILL");
    await again;
    answers.again = found.get(name);
  }
  deactivate();
  process.stdout.write(JSON.stringify(answers));
})();
