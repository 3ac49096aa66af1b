// How the language server is started.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const [PROGRAM, BESIDE] = process.platform === "win32" ? ["renaissance.exe", "Scripts"] : ["renaissance", "bin"];
const ENVIRONMENTS = [".venv", "venv"];

// Returns the words of the command.
//   said: the setting, where there is one
//   folder: that is open, or undefined
//   interpreter: path of the chosen Python or of its environment, or undefined
function commandOf(said, folder, interpreter) {
  if (said) {
    const [program, ...more] = [said].flat();
    return [spelledOut(program, folder), ...([said].flat().length === 1 ? ["lsp"] : more)];
  }
  const places = interpreter ? [path.dirname(interpreter), path.join(interpreter, BESIDE)] : [];
  if (folder) places.push(...ENVIRONMENTS.map((name) => path.join(folder, name, BESIDE)));
  const found = places.map((place) => path.join(place, PROGRAM)).find((file) => fs.existsSync(file));
  return [found ?? "renaissance", "lsp"];
}

function spelledOut(program, folder) {
  const whole = program.replace("${workspaceFolder}", folder ?? "").replace(/^~(?=[\\/])/, os.homedir());
  return folder && /[\\/]/.test(whole) ? path.resolve(folder, whole) : whole;
}

module.exports = { commandOf };
