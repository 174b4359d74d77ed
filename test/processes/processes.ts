// Starts the processes of a trial and ends them. Whoever is started ends by itself, too, when the one who started it is gone.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

export const start = (file: string, args: readonly string[] = []): ChildProcess =>
  fork(new URL(file, import.meta.url), args, { execArgv: ["--conditions=airworthy-source", "--disable-warning=ExperimentalWarning"] });

/** Ends it, and waits until it has. */
export async function end(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
