// Runs an example the way a user does: as a process of its own, with nothing of the test in its environment.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

export const root = new URL("../..", import.meta.url);

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunExampleOptions {
  /** Sent as soon as the process has printed something. */
  readonly signal?: NodeJS.Signals;
}

/** `args` as given to node. */
export async function runExample(args: readonly string[], { signal }: RunExampleOptions = {}): Promise<Ended> {
  const { OPENAI_API_KEY: _, NODE_OPTIONS: __, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  if (signal) child.stdout.once("readable", () => child.kill(signal));
  const exit = new Promise<number | null>((resolve, reject) => child.once("close", resolve).once("error", reject));
  const [exitCode, stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr };
}
