// What the protocol and VS Code call the same in two ways.
"use strict";
const vscode = require("vscode");

const place = (one) => new vscode.Position(one.line, one.character);
const range = (one) => one && new vscode.Range(place(one.start), place(one.end));
// `JSON.stringify` makes arrays of ranges.
const plain = ({ start, end }) => ({ start: { line: start.line, character: start.character }, end: { line: end.line, character: end.character } });
const edit = (one) => new vscode.TextEdit(range(one.range), one.newText);
const location = (one) => one && new vscode.Location(vscode.Uri.parse(one.uri), range(one.range));
const markdown = (one) => one && new vscode.MarkdownString(one.value);

function completion(one) {
  const item = new vscode.CompletionItem(one.labelDetails ? { label: one.label, ...one.labelDetails } : one.label, one.kind - 1);
  item.insertText = one.textEdit?.newText ?? one.insertText;
  item.range = range(one.textEdit?.range);
  item.sortText = one.sortText;
  item.filterText = one.filterText;
  item.detail = one.detail;
  item.documentation = markdown(one.documentation);
  if (/[={] $/.test(item.insertText ?? "")) item.command = { title: "", command: "editor.action.triggerSuggest" };
  return item;
}

function symbol(one) {
  const found = new vscode.DocumentSymbol(one.name, one.detail ?? "", one.kind - 1, range(one.range), range(one.selectionRange));
  found.children = (one.children ?? []).map(symbol);
  return found;
}

function action(one) {
  const found = new vscode.CodeAction(one.title, vscode.CodeActionKind.Empty.append(one.kind));
  found.diagnostics = one.diagnostics?.map(diagnostic);
  found.edit = changes(one.edit);
  found.isPreferred = one.isPreferred;
  return found;
}

function hint(one) {
  const found = new vscode.InlayHint(place(one.position), one.label);
  found.paddingLeft = one.paddingLeft;
  found.tooltip = typeof one.tooltip === "string" ? one.tooltip : markdown(one.tooltip);
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

module.exports = { action, changes, completion, diagnostic, edit, hint, location, markdown, plain, range, symbol };
