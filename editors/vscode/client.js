// Keeps the language server running, and in step with what is open.
"use strict";
const path = require("node:path");
const vscode = require("vscode");
const { commandOf } = require("./command");
const { diagnostic } = require("./values");
const { Server } = require("./server");

const OFTEN = { ends: 3, milliseconds: 180000 };
const LANGUAGE = "vl";

class Client {
  constructor() {
    this.output = vscode.window.createOutputChannel("Renaissance");
    this.findings = vscode.languages.createDiagnosticCollection("renaissance");
    this.status = vscode.languages.createLanguageStatusItem("renaissance", { language: LANGUAGE });
    this.status.name = "Renaissance";
    this.status.command = { title: "Restart", command: "renaissance.restart" };
    this.ends = [];
    this.begun = undefined;
    const watcher = vscode.workspace.createFileSystemWatcher("**/*.vl");
    const changed = (type) => (uri) => this.tell("workspace/didChangeWatchedFiles", { changes: [{ uri: uri.toString(), type }] });
    this.parts = [
      this.output,
      this.findings,
      this.status,
      watcher,
      watcher.onDidCreate(changed(1)),
      watcher.onDidChange(changed(2)),
      watcher.onDidDelete(changed(3)),
      ...this.following(),
    ];
  }

  following() {
    const ours = (told) => (document) => document.languageId === LANGUAGE && told(document);
    const { onDidOpenTextDocument, onDidChangeTextDocument, onDidSaveTextDocument, onDidCloseTextDocument } = vscode.workspace;
    const changed = ours((document) =>
      this.tell("textDocument/didChange", { textDocument: { ...named(document), version: document.version }, contentChanges: [{ text: document.getText() }] }),
    );
    return [
      onDidOpenTextDocument(ours((document) => this.open(document))),
      onDidChangeTextDocument(({ document, contentChanges }) => contentChanges.length > 0 && changed(document)),
      onDidSaveTextDocument(ours((document) => this.tell("textDocument/didSave", { textDocument: named(document) }))),
      onDidCloseTextDocument(ours((document) => this.tell("textDocument/didClose", { textDocument: named(document) }))),
    ];
  }

  // Answers null where the server has none, such as while it is not running.
  ask(method, params) {
    return Promise.resolve(this.begun)
      .then(() => this.server?.ask(method, params) ?? null)
      .catch(() => null);
  }

  tell(method, params) {
    this.begun?.then(() => this.server?.tell(method, params)).catch(() => {});
  }

  async start() {
    this.server?.stop();
    this.server = undefined;
    this.begun = undefined;
    if (!vscode.workspace.isTrusted) return this.show("Warning", "not started in a restricted folder");
    const [folder, root] = rootOf();
    const command = await commandNow();
    this.command = command.join(" ");
    this.output.appendLine(`${command.join(" ")}  # in ${folder ?? "no folder"}`);
    let ready = false;
    const server = new Server(command, folder, {
      told: (method, params) => this.told(method, params),
      wrote: (text) => this.output.append(text),
      ended: (reason, absent) => this.server === server && this.left(command, reason, ready, absent),
    });
    this.server = server;
    this.begun = server.ask("initialize", { processId: process.pid, rootUri: root?.toString() ?? null, capabilities: {} }).then(() => {
      ready = true;
      server.tell("initialized", {});
      this.show("Information", "running");
    });
    this.begun.catch(() => {});
    vscode.workspace.textDocuments.filter((document) => document.languageId === LANGUAGE).forEach((document) => this.open(document));
  }

  open(document) {
    this.tell("textDocument/didOpen", { textDocument: { ...named(document), languageId: LANGUAGE, version: document.version, text: document.getText() } });
  }

  told(method, params) {
    if (method === "textDocument/publishDiagnostics") this.findings.set(vscode.Uri.parse(params.uri), params.diagnostics.map(diagnostic));
    if (method === "window/showMessage") vscode.window.showErrorMessage(params.message);
    if (method === "window/logMessage") this.output.appendLine(params.message);
  }

  // Follows the choice of a Python, which may bring another server.
  async follow() {
    const changed = async () => (await commandNow()).join(" ") !== this.command && this.restart();
    const following = (await environments())?.onDidChangeActiveEnvironmentPath?.(changed);
    if (following) this.parts.push(following);
  }

  // Starts a server again that ran and ended; says what to do about one that does not run.
  left(command, reason, ran, absent) {
    this.server = undefined;
    this.begun = undefined;
    this.findings.clear();
    this.output.appendLine(`The server ended: ${reason}`);
    const now = Date.now();
    this.ends = this.ends.filter((then) => now - then < OFTEN.milliseconds).concat(now);
    if (ran && this.ends.length <= OFTEN.ends) {
      this.start();
      return;
    }
    this.show("Error", "not running");
    const spelled = `\`${command.join(" ")}\``;
    const [settings, log, again] = ["Open Setting", "Show Log", "Start Again"];
    const advice = absent ? " Install it with pip install 'renaissance-vl[lsp]', or say in the setting renaissance.command where it is." : "";
    const message = ran ? `${spelled} has ended ${this.ends.length} times: ${reason}.` : `${spelled} does not run: ${reason}.${advice}`;
    vscode.window.showErrorMessage(message, ...(ran ? [log, again] : [settings, log, again])).then((chosen) => {
      if (chosen === settings) vscode.commands.executeCommand("workbench.action.openSettings", "renaissance.command");
      if (chosen === log) this.output.show();
      if (chosen === again) this.restart();
    });
  }

  restart() {
    this.ends = [];
    this.findings.clear();
    return this.start();
  }

  show(severity, text) {
    this.status.severity = vscode.LanguageStatusSeverity[severity];
    this.status.text = `Renaissance: ${text}`;
  }

  dispose() {
    this.server?.stop();
    this.server = undefined;
    this.parts.forEach((part) => part.dispose());
  }
}

const named = (document) => ({ uri: document.uri.toString() });

// Paths in specs start at the folder that is open; without one, at the folder of the first spec.
function rootOf() {
  const root = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file")?.uri;
  if (root) return [root.fsPath, root];
  const first = vscode.workspace.textDocuments.find(({ languageId, uri }) => languageId === LANGUAGE && uri.scheme === "file");
  return first ? [path.dirname(first.uri.fsPath), vscode.Uri.file(path.dirname(first.uri.fsPath))] : [undefined, undefined];
}

function setting() {
  const said = vscode.workspace.getConfiguration("renaissance").inspect("command");
  const found = said?.workspaceFolderValue ?? said?.workspaceValue ?? said?.globalValue;
  return found?.length ? found : undefined;
}

async function commandNow() {
  const [folder, root] = rootOf();
  return commandOf(setting(), folder, (await environments())?.getActiveEnvironmentPath?.(root)?.path);
}

// What the extension for Python knows of environments, where it is there.
async function environments() {
  try {
    return (await vscode.extensions.getExtension("ms-python.python")?.activate())?.environments;
  } catch {
    return undefined;
  }
}

module.exports = { Client, LANGUAGE };
