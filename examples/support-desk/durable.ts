// `--durable`: a run that outlives its process. It has a fixed id, so that whoever asks for the same again goes on with it and starts no second.
import { createHash } from "node:crypto";
import { type Agent, AgentError, type Middleware, memoryStore, type RunStream, type Store } from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { keepBooks } from "./shop.ts";

/** The same message is the same run. A service takes the id of the request, which its client sends again when it asks again. */
export const runIdOf = (message: string) => `desk-${createHash("sha256").update(message).digest("hex").slice(0, 12)}`;

/** The store, with the shop's books beside it: they would be on another machine, and outlive this process, too. */
export function openStore(file: string | undefined): Store {
  if (file === undefined) return memoryStore();
  const store = sqlite(file);
  keepBooks(`${file}-shop.jsonl`);
  return store;
}

/** What the store held of the run. */
export type Found = "nothing" | "unfinished" | "ended";

export interface Begun {
  readonly run: RunStream;
  readonly found: Found;
}

/** Starts the run of this message, or goes on with it. A run that has ended is told from its journal. */
export async function startOrGoOn(desk: Agent, message: string, signal: AbortSignal): Promise<Begun> {
  const runId = runIdOf(message);
  const entries = await desk.journal(runId).catch((thrown: unknown) => {
    if (AgentError.is(thrown) && thrown.code === "run_not_found") return undefined;
    throw thrown;
  });
  if (!entries) return { run: desk.stream(message, { runId, signal }), found: "nothing" };
  // No need to wait until the lease of the process that was killed has run out: a file has one worker, so that one is gone.
  const run = desk.resumeStream(runId, { signal });
  return { run, found: entries.some(({ type }) => type === "run.ended") ? "ended" : "unfinished" };
}

/** What `found` means, for people. */
export const tellFound = (found: Found, file: string) =>
  `The run is kept in ${file}.\n${
    {
      nothing: "",
      unfinished: 'It is there, unfinished. What was done is told from there, up to "resumed"; then it goes on.\n',
      ended: "It is there, and has ended. All of it is told from there: nothing is asked, nothing is done.\n",
    }[found]
  }`;

/** Dies the worst way at the worst time: the tool has done its work, and the journal knows only that it was begun. */
export const dyingAfter = (name: string): Middleware => ({
  tool: async ({ tool }, next) => {
    const outcome = await next();
    if (tool === name && outcome.status === "done") process.kill(process.pid, "SIGKILL");
    return outcome;
  },
});
