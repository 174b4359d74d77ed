// Before all tests: a door to knock on for a Postgres. It is started when the first test asks, one for all test files, and stopped at the end.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";

export default async function setup(project: TestProject) {
  let server: { readonly child: ChildProcess; readonly url: Promise<string> } | undefined;
  const door = createServer((_, response) => {
    server ??= startServer();
    server.url.then(
      (url) => response.end(url),
      (thrown: unknown) => response.writeHead(500).end(String(thrown)),
    );
  });
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  const address = door.address();
  project.provide("postgresDoor", `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`);
  return async () => {
    door.closeAllConnections();
    door.close();
    if (!server || server.child.exitCode !== null) return;
    server.child.stdin?.end();
    await once(server.child, "close");
  };
}

function startServer() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "server-process.ts")], { stdio: ["pipe", "pipe", "inherit"] });
  const url = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("close", (code) => reject(new Error(`The process of Postgres ended with ${code}; see above.`)));
  });
  return { child, url };
}

declare module "vitest" {
  export interface ProvidedContext {
    postgresDoor: string;
  }
}
