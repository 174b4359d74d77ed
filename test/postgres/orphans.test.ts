// A server whose test process was killed is ended, and its folder removed, by whoever starts the next one.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";

/** As `startServer` starts it, but to be killed. */
async function started(): Promise<ChildProcess> {
  const command = ["--conditions=airworthy-source", join(import.meta.dirname, "server-process.ts")];
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  await once(createInterface({ input: child.stdout }), "line");
  return child;
}

const answers = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("the server of a killed process is ended by the next", { timeout: 60_000 }, async () => {
  const killed = await started();
  const folder = join(realpathSync(tmpdir()), `airworthy-postgres-${killed.pid}`);
  const server = Number(readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n")[0]);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const next = await started();
  try {
    expect(answers(server)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  } finally {
    next.stdin?.end();
    await once(next, "close");
  }
});
