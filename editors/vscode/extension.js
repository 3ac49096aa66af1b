// Starts `renaissance lsp` and hands what it says on to VS Code.
"use strict";
const vscode = require("vscode");
const { Server } = require("./server");

let server;

function activate(context) {
  const found = vscode.languages.createDiagnosticCollection("renaissance");
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const command = vscode.workspace.getConfiguration("renaissance").get("command");
  let stopping = false;
  server = new Server(
    command,
    folder?.fsPath,
    (method, params) => {
      if (method === "textDocument/publishDiagnostics") found.set(vscode.Uri.parse(params.uri), params.diagnostics.map(diagnostic));
      if (method === "window/showMessage") vscode.window.showErrorMessage(params.message);
    },
    (reason) => {
      if (!stopping) vscode.window.showErrorMessage(`\`${command.join(" ")}\` does not run: ${reason}. The setting renaissance.command says how it is started; pip install 'renaissance-vl[lsp]' brings it.`);
    },
  );
  const begun = server
    .ask("initialize", { processId: process.pid, rootUri: folder?.toString() ?? null, capabilities: {} })
    .then(() => server.tell("initialized", {}));
  const ask = (method, params) => begun.then(() => server.ask(method, params)).catch(() => null);
  const tell = (method, params) => begun.then(() => server.tell(method, params)).catch(() => {});
  const ours = (document) => document.languageId === "vl";
  const open = (document) =>
    ours(document) &&
    tell("textDocument/didOpen", { textDocument: { uri: uri(document), languageId: "vl", version: document.version, text: document.getText() } });
  context.subscriptions.push(
    found,
    { dispose: () => { stopping = true; } },
    vscode.workspace.onDidOpenTextDocument(open),
    vscode.workspace.onDidChangeTextDocument(
      ({ document }) =>
        ours(document) &&
        tell("textDocument/didChange", { textDocument: { uri: uri(document), version: document.version }, contentChanges: [{ text: document.getText() }] }),
    ),
    vscode.workspace.onDidSaveTextDocument((document) => ours(document) && tell("textDocument/didSave", { textDocument: { uri: uri(document) } })),
    vscode.workspace.onDidCloseTextDocument((document) => ours(document) && tell("textDocument/didClose", { textDocument: { uri: uri(document) } })),
    ...providers(ask),
  );
  vscode.workspace.textDocuments.forEach(open);
}

function providers(ask) {
  const at = (document, position) => ({ textDocument: { uri: uri(document) }, position });
  const all = { language: "vl" };
  const languages = vscode.languages;
  return [
    languages.registerHoverProvider(all, {
      provideHover: async (document, position) => {
        const answer = await ask("textDocument/hover", at(document, position));
        return answer && new vscode.Hover(new vscode.MarkdownString(answer.contents.value), range(answer.range));
      },
    }),
    languages.registerCompletionItemProvider(
      all,
      {
        provideCompletionItems: async (document, position) =>
          (await ask("textDocument/completion", at(document, position)))?.map((one) => {
            const item = new vscode.CompletionItem(one.label, one.kind - 1);
            item.insertText = one.insertText;
            item.sortText = one.sortText;
            item.documentation = one.documentation && new vscode.MarkdownString(one.documentation.value);
            return item;
          }),
      },
      ".", "=", " ", "(", "[", '"',
    ),
    languages.registerDefinitionProvider(all, {
      provideDefinition: async (document, position) => location(await ask("textDocument/definition", at(document, position))),
    }),
    languages.registerReferenceProvider(all, {
      provideReferences: async (document, position) => (await ask("textDocument/references", { ...at(document, position), context: { includeDeclaration: true } }))?.map(location),
    }),
    languages.registerRenameProvider(all, {
      provideRenameEdits: async (document, position, newName) => changes(await ask("textDocument/rename", { ...at(document, position), newName })),
    }),
    languages.registerCodeActionsProvider(all, {
      provideCodeActions: async (document, where) =>
        (await ask("textDocument/codeAction", { textDocument: { uri: uri(document) }, range: where, context: { diagnostics: [] } }))?.map((one) => {
          const action = new vscode.CodeAction(one.title, vscode.CodeActionKind.Empty.append(one.kind));
          action.diagnostics = one.diagnostics?.map(diagnostic);
          action.edit = changes(one.edit);
          action.isPreferred = one.isPreferred;
          return action;
        }),
    }),
    languages.registerDocumentFormattingEditProvider(all, {
      provideDocumentFormattingEdits: async (document, options) => (await ask("textDocument/formatting", { textDocument: { uri: uri(document) }, options }))?.map(edit),
    }),
    languages.registerDocumentSymbolProvider(all, {
      provideDocumentSymbols: async (document) => (await ask("textDocument/documentSymbol", { textDocument: { uri: uri(document) } }))?.map(symbol),
    }),
    languages.registerInlayHintsProvider(all, {
      provideInlayHints: async (document, where) =>
        (await ask("textDocument/inlayHint", { textDocument: { uri: uri(document) }, range: where }))?.map((one) => {
          const hint = new vscode.InlayHint(place(one.position), one.label);
          hint.paddingLeft = one.paddingLeft;
          return hint;
        }),
    }),
  ];
}

const uri = (document) => document.uri.toString();
const place = (one) => new vscode.Position(one.line, one.character);
const range = (one) => one && new vscode.Range(place(one.start), place(one.end));
const edit = (one) => new vscode.TextEdit(range(one.range), one.newText);
const location = (one) => one && new vscode.Location(vscode.Uri.parse(one.uri), range(one.range));

function symbol(one) {
  const found = new vscode.DocumentSymbol(one.name, one.detail ?? "", one.kind - 1, range(one.range), range(one.selectionRange));
  found.children = (one.children ?? []).map(symbol);
  return found;
}

function changes(one) {
  if (!one) return one;
  const found = new vscode.WorkspaceEdit();
  for (const [file, edits] of Object.entries(one.changes)) found.set(vscode.Uri.parse(file), edits.map(edit));
  return found;
}

function diagnostic(one) {
  const found = new vscode.Diagnostic(range(one.range), one.message, (one.severity ?? 1) - 1);
  found.code = one.code;
  found.source = one.source;
  found.relatedInformation = one.relatedInformation?.map((other) => new vscode.DiagnosticRelatedInformation(location(other.location), other.message));
  return found;
}

async function deactivate() {
  await server?.ask("shutdown", null).catch(() => {});
  server?.tell("exit", null);
}

module.exports = { activate, deactivate };
