// Talks to the language server: JSON-RPC over the standard input and output of a process.
"use strict";
const { spawn } = require("node:child_process");

class Server {
  // `told(method, params)` is called for what the server says of itself, `ended(reason)` at its end.
  constructor(command, folder, told, ended) {
    this.answers = new Map();
    this.next = 1;
    this.told = told;
    this.received = Buffer.alloc(0);
    this.process = spawn(command[0], command.slice(1), { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
    this.process.stdout.on("data", (data) => this.read(data));
    this.process.stdin.on("error", () => {});
    const leave = (reason) => {
      for (const { reject } of this.answers.values()) reject(new Error(reason));
      this.answers.clear();
      ended(reason);
    };
    this.process.on("error", (error) => leave(error.message));
    this.process.on("exit", (code) => leave(`it ended with ${code}`));
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

  write(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    if (this.process.stdin.writable) this.process.stdin.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
  }

  read(data) {
    this.received = Buffer.concat([this.received, data]);
    for (;;) {
      const head = this.received.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/Content-Length: *(\d+)/i.exec(this.received.toString("ascii", 0, head))[1]);
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
