// Hands on to VS Code what `renaissance lsp` says.
"use strict";
const vscode = require("vscode");
const { Client, LANGUAGE } = require("./client");
const { action, changes, completion, edit, hint, location, markdown, plain, range, symbol } = require("./values");

let client;

function activate(context) {
  client = new Client();
  context.subscriptions.push(
    client,
    vscode.commands.registerCommand("renaissance.restart", () => client.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("renaissance.command") && client.restart()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => client.restart()),
    ...providers((method, document, more) => client.ask(`textDocument/${method}`, { textDocument: { uri: document.uri.toString() }, ...more })),
  );
  client.start();
  client.follow();
}

function providers(ask) {
  const { languages, CodeActionKind } = vscode;
  return [
    languages.registerHoverProvider(LANGUAGE, {
      provideHover: async (document, position) => {
        const answer = await ask("hover", document, { position });
        return answer && new vscode.Hover(markdown(answer.contents), range(answer.range));
      },
    }),
    languages.registerCompletionItemProvider(
      LANGUAGE,
      {
        provideCompletionItems: async (document, position, _, { triggerKind, triggerCharacter }) =>
          (await ask("completion", document, { position, context: { triggerKind: triggerKind + 1, triggerCharacter } }))?.map(completion),
      },
      ".", "=", " ", "(", "[", '"',
    ),
    languages.registerDefinitionProvider(LANGUAGE, {
      provideDefinition: async (document, position) => location(await ask("definition", document, { position })),
    }),
    languages.registerReferenceProvider(LANGUAGE, {
      provideReferences: async (document, position, context) => (await ask("references", document, { position, context }))?.map(location),
    }),
    languages.registerRenameProvider(LANGUAGE, {
      prepareRename: async (document, position) => {
        const answer = await ask("prepareRename", document, { position });
        if (!answer) throw new Error("Only names that a spec declares can be changed.");
        return range(answer);
      },
      provideRenameEdits: async (document, position, newName) => changes(await ask("rename", document, { position, newName })),
    }),
    languages.registerCodeActionsProvider(
      LANGUAGE,
      {
        provideCodeActions: async (document, where, { only }) =>
          (await ask("codeAction", document, { range: plain(where), context: { diagnostics: [], only: only && [only.value] } }))?.map(action),
      },
      { providedCodeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.SourceFixAll] },
    ),
    languages.registerDocumentFormattingEditProvider(LANGUAGE, {
      provideDocumentFormattingEdits: async (document, options) => (await ask("formatting", document, { options }))?.map(edit),
    }),
    languages.registerDocumentSymbolProvider(LANGUAGE, {
      provideDocumentSymbols: async (document) => (await ask("documentSymbol", document))?.map(symbol),
    }),
    languages.registerInlayHintsProvider(LANGUAGE, {
      provideInlayHints: async (document, where) => (await ask("inlayHint", document, { range: plain(where) }))?.map(hint),
    }),
  ];
}

module.exports = { activate, deactivate: () => client?.dispose() };
