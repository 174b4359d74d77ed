// A worker: starts the runs of a list, goes on with those of workers that have died, and tells how each went. It may be killed at any time.
import type { Journal, RunResult } from "airworthy";
import { openPlace, type Place } from "./place.ts";
import { seeded } from "./seeded.ts";
import { inputOf, settlingAgent } from "./six-steps.ts";

/** The first message to a worker; the others are `resume` and `end`. */
export interface WorkerTask {
  readonly place: Place;
  readonly world: string;
  readonly worker: string;
  readonly seed: number;
  readonly leaseMs: number;
  readonly runs: readonly string[];
}

export interface WorkerOrder {
  readonly task?: WorkerTask;
  readonly resume?: string;
  readonly end?: true;
}

/** How a run ended or stopped, as whoever waited for it was told. */
export interface RunWord {
  readonly runId: string;
  readonly status: string;
  readonly code?: string;
  /** The result as JSON. */
  readonly told: string;
}

/** An append that the store has taken, by whom and under which epoch. */
export interface AppendWord {
  readonly runId: string;
  readonly worker: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly lines: number;
}

export interface WorkerWord {
  readonly run?: RunWord;
  /** That run was gone on with because somebody ordered it. */
  readonly ordered?: true;
  readonly append?: AppendWord;
  /** A run that was left by somebody is this worker's now. */
  readonly claimed?: string;
}

const atOnce = 6;
const leave = () => process.exit();
const tell = (word: WorkerWord) => process.send?.(word);

export function wordOf(result: RunResult): RunWord {
  const { runId, status, usage, messages, findings, degraded, timings } = result;
  const output = result.status === "completed" ? result.output : null;
  const code = "error" in result ? { code: result.error.code } : {};
  return { runId, status, ...code, told: JSON.stringify({ status, output, usage, messages, findings, degraded, timings }) };
}

/** Tells of every append and every claim once the store has acknowledged it. */
function watched(journal: Journal, worker: string): Journal {
  return {
    ...journal,
    append: async (runId, at, lines, phase) => {
      await journal.append(runId, at, lines, phase);
      tell({ append: { runId, worker, ...at, lines: lines.length } });
    },
    claim: async (...asked) => {
      const claim = await journal.claim(...asked);
      if (claim) tell({ claimed: asked[0] });
      return claim;
    },
  };
}

function work({ place, world, worker, seed, leaseMs, runs }: WorkerTask) {
  const chance = seeded(seed);
  const store = openPlace(place);
  const agent = settlingAgent({ ...store, journal: watched(store.journal, worker) }, { url: world, worker }, chance, { leaseMs });
  const recovery = agent.recover({ concurrency: atOnce, everyMs: leaseMs / 4, onResult: (result) => tell({ run: wordOf(result) }) });
  const waiting = runs.map((runId) => ({ runId, order: chance() })).toSorted((one, other) => one.order - other.order);

  const start = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      tell({ run: wordOf(await agent.run(inputOf(next.runId), { runId: next.runId })) });
    }
  };
  const starting = Promise.all(Array.from({ length: atOnce }, start));
  return {
    resume: async (runId: string) => {
      tell({ run: wordOf(await agent.resume(runId)), ordered: true });
    },
    end: async () => {
      await starting;
      await Promise.all([recovery.stop(), agent.drain({ withinMs: 5_000 })]);
      await store.close?.();
      process.off("disconnect", leave);
      process.disconnect();
    },
  };
}

let worker: ReturnType<typeof work> | undefined;
process.on("message", (message) => {
  const { task, resume, end }: WorkerOrder = Object(message);
  if (task) worker = work(task);
  if (resume !== undefined) void worker?.resume(resume);
  if (end) void worker?.end();
});
// Whoever started it has died.
process.on("disconnect", leave);
