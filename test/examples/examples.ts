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
  /** Sent once, as soon as the process has printed `after`. */
  readonly signal?: NodeJS.Signals;
  /** Default: anything. */
  readonly after?: string;
}

/** `args` as given to node. */
export async function runExample(args: readonly string[], { signal, after = "" }: RunExampleOptions = {}): Promise<Ended> {
  const { OPENAI_API_KEY: _, NODE_OPTIONS: __, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    stdout += piece;
    if (signal && !child.killed && stdout.includes(after)) child.kill(signal);
  });
  const exit = new Promise<number | null>((resolve, reject) => child.once("close", resolve).once("error", reject));
  const [exitCode, stderr] = await Promise.all([exit, text(child.stderr)]);
  return { exitCode, stdout, stderr };
}
