// Processes of the bench's own. Invariant: every one is gone when its work is over, or when whoever started it is.
import { type ChildProcess, fork, type Serializable } from "node:child_process";
import { once } from "node:events";

/** Starts a module of this folder in a process of its own, on the sources, with the garbage collector within reach. */
export const startChild = (file: string, args: readonly string[] = []): ChildProcess =>
  fork(new URL(file, import.meta.url), args, { execArgv: ["--conditions=airworthy-source", "--expose-gc"] });

/** The next message of a child; rejects when it ends without one. */
export function nextMessage(child: ChildProcess): Promise<Serializable> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`A process of the bench ended with code ${code} and without a word.`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message);
    });
  });
}

/** Ends a child, and waits until it has. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill();
  await gone;
}

/** The one message of a child that does its work and is done. */
export async function askChild(file: string, args: readonly string[]): Promise<Serializable> {
  const child = startChild(file, args);
  try {
    return await nextMessage(child);
  } finally {
    await endChild(child);
  }
}
