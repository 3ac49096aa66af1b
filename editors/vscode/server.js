// Talks to the language server: JSON-RPC over the standard input and output of a process.
"use strict";
const { spawn } = require("node:child_process");

class Server {
  // `told(method, params)` is called for what the server says of itself, `wrote(text)` for what it
  // writes to standard error, `ended(reason, absent)` once, at its end; `absent` where it never began.
  constructor(command, folder, { told, wrote, ended }) {
    this.answers = new Map();
    this.next = 1;
    this.told = told;
    this.ended = ended;
    this.received = Buffer.alloc(0);
    this.last = "";
    this.process = spawn(command[0], command.slice(1), { cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
    this.process.stdout.on("data", (data) => this.read(data));
    this.process.stderr.on("data", (data) => {
      this.last = data.toString().trim().split("\n").pop().replace(/^error: /, "") || this.last;
      wrote(data.toString());
    });
    this.process.stdin.on("error", () => {});
    this.process.on("error", (error) => (error.code === "ENOENT" ? this.leave("there is no such program", true) : this.leave(error.message)));
    this.process.on("close", (code, signal) => this.leave(this.last || `it ended with ${signal ?? code}`));
  }

  ask(method, params) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.answers.set(id, { resolve, reject });
      this.write({ id, method, params });
    });
  }

  tell(method, params) {
    this.write({ method, params });
  }

  stop() {
    this.ended = () => {};
    const end = () => this.tell("exit", null);
    this.ask("shutdown", null).then(end, end);
  }

  leave(reason, absent = false) {
    for (const { reject } of this.answers.values()) reject(new Error(reason));
    this.answers.clear();
    this.ended(reason, absent);
    this.ended = () => {};
  }

  write(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    if (this.process.stdin.writable) this.process.stdin.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
  }

  read(data) {
    this.received = Buffer.concat([this.received, data]);
    for (;;) {
      const head = this.received.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/Content-Length: *(\d+)/i.exec(this.received.toString("ascii", 0, head))?.[1]);
      if (!Number.isFinite(length)) {
        this.leave("it is no language server");
        this.process.kill();
        return;
      }
      if (this.received.length < head + 4 + length) return;
      const body = this.received.toString("utf8", head + 4, head + 4 + length);
      this.received = this.received.subarray(head + 4 + length);
      this.take(JSON.parse(body));
    }
  }

  take(message) {
    if (message.method === undefined) {
      const answer = this.answers.get(message.id);
      this.answers.delete(message.id);
      if (answer === undefined) return;
      if (message.error) answer.reject(new Error(message.error.message));
      else answer.resolve(message.result);
    } else if (message.id === undefined) this.told(message.method, message.params);
    else this.write({ id: message.id, result: null });
  }
}

module.exports = { Server };
