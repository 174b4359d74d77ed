// Starts a Postgres in a process of its own, which ends with whoever asked for it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface StartedServer {
  readonly url: Promise<string>;
  readonly stop: () => Promise<void>;
}

/** `durable`: commits reach the disk, as on a server people rely on. */
export function startServer({ durable = false } = {}): StartedServer {
  const command = ["--conditions=airworthy-source", join(import.meta.dirname, "server-process.ts"), ...(durable ? ["durable"] : [])];
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  const url = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("close", (code) => reject(new Error(`The process of Postgres ended with ${code}; see above.`)));
  });
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.stdin.end();
    await once(child, "close");
  };
  return { url, stop };
}
