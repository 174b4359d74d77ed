// The default store: runs live as long as the process, and only so many ended ones are kept.
import { AgentError } from "../core/errors.ts";
import type { RunPhase, Store } from "../core/store.ts";

interface StoredRun {
  epoch: number;
  phase: RunPhase;
  readonly lines: string[];
}

export interface MemoryStoreOptions {
  /** How many ended runs are remembered, the oldest forgotten first; default 1,000. */
  readonly keepEnded?: number;
  /** The same for runs that stopped and could go on; default 10,000. A run that is going on is never forgotten. */
  readonly keepStopped?: number;
}

/** A store in this process's memory: for tests, and for services whose runs may be lost with the process. */
export function memoryStore({ keepEnded = 1_000, keepStopped = 10_000 }: MemoryStoreOptions = {}): Store {
  const runs = new Map<string, StoredRun>();
  const resting = { ended: new Set<string>(), stopped: new Set<string>() };
  const most = { ended: keepEnded, stopped: keepStopped };

  const rest = (runId: string, phase: RunPhase) => {
    resting.stopped.delete(runId);
    if (phase === "running") return;
    const ids = resting[phase];
    ids.add(runId);
    for (const oldest of ids) {
      if (ids.size <= most[phase]) return;
      ids.delete(oldest);
      runs.delete(oldest);
    }
  };

  return {
    journal: {
      create: ({ runId }, lines) => {
        if (runs.has(runId)) return Promise.resolve(false);
        runs.set(runId, { epoch: 1, phase: "running", lines: [...lines] });
        return Promise.resolve(true);
      },
      claim: (runId) => {
        const run = runs.get(runId);
        if (!run) return Promise.resolve(undefined);
        run.epoch += 1;
        return Promise.resolve({ epoch: run.epoch, lines: [...run.lines] });
      },
      load: (runId) => Promise.resolve(runs.get(runId)?.lines.slice()),
      append: (runId, { epoch, sequence }, lines, phase) => {
        const run = runs.get(runId);
        if (run?.epoch !== epoch || run.lines.length !== sequence) {
          throw new AgentError("journal_conflict", `The run ${runId} is owned by someone else.`, { details: { runId } });
        }
        run.lines.push(...lines);
        if (phase !== run.phase) rest(runId, phase);
        run.phase = phase;
      },
    },
  };
}
