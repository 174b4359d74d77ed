// The default store: runs live as long as the process, and only so many ended ones are kept.
import { AgentError } from "../core/errors.ts";
import type { Journal, Lease, RunHeader, RunPhase, RunQuery, RunSummary, WholeStore } from "../core/store.ts";
import { memoryCounters } from "./memory-counters.ts";
import { memoryInbox, memoryRecords } from "./memory-records.ts";
import { storeClock } from "./store-clock.ts";

interface StoredRun {
  readonly header: RunHeader;
  readonly createdAt: number;
  updatedAt: number;
  epoch: number;
  phase: RunPhase;
  leaseUntil: number;
  readonly lines: string[];
}

export interface MemoryStoreOptions {
  /** How many ended runs are remembered, the oldest forgotten first; default 1,000. */
  readonly keepEnded?: number;
  /** The same for runs that stopped and could go on; default 10,000. A run that is going on is never forgotten. */
  readonly keepStopped?: number;
  /** The clock leases and holds run out by, in ms since the epoch; default the machine's. */
  readonly now?: () => number;
}

/** A store in this process's memory: for tests, and for services whose runs may be lost with the process. */
export function memoryStore({ keepEnded = 1_000, keepStopped = 10_000, now = storeClock }: MemoryStoreOptions = {}): WholeStore {
  const runs = new Map<string, StoredRun>();
  const inbox = memoryInbox();
  const counters = memoryCounters(now);
  const forget = (runId: string) => {
    inbox.forget(runId);
    void counters.forget(runId);
  };
  const rest = forgetful(runs, { ended: keepEnded, stopped: keepStopped }, forget);
  const leasedUntil = (lease: Lease | undefined) => now() + (lease?.forMs ?? 0);

  return {
    journal: {
      create: (header, lines, lease) => {
        if (runs.has(header.runId)) return Promise.resolve(false);
        const at = now();
        const fresh = { epoch: 1, phase: "running", createdAt: at, updatedAt: at, leaseUntil: leasedUntil(lease) } as const;
        runs.set(header.runId, { ...fresh, header, lines: [...lines] });
        return Promise.resolve(true);
      },
      claim: (runId, lease, condition) => {
        const run = runs.get(runId);
        if (!run || (condition && !isFree(run, now()))) return Promise.resolve(undefined);
        run.epoch += 1;
        run.leaseUntil = leasedUntil(lease);
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
        run.updatedAt = now();
      },
      ...leases(runs, now),
      find: (query) => Promise.resolve(found(runs, query)),
    },
    counters,
    records: memoryRecords(),
    inbox,
    close: () => Promise.resolve(),
  };
}

const isFree = ({ phase, leaseUntil }: StoredRun, at: number) => phase === "running" && leaseUntil <= at;

/** Forgets the runs that have rested longest, once there are more than `most`. */
function forgetful(
  runs: Map<string, StoredRun>,
  most: { readonly ended: number; readonly stopped: number },
  forgotten: (runId: string) => void,
) {
  const resting = { ended: new Set<string>(), stopped: new Set<string>() };
  return (runId: string, phase: RunPhase) => {
    resting.stopped.delete(runId);
    if (phase === "running") return;
    const ids = resting[phase];
    ids.add(runId);
    for (const oldest of ids) {
      if (ids.size <= most[phase]) return;
      ids.delete(oldest);
      runs.delete(oldest);
      forgotten(oldest);
    }
  };
}

function leases(runs: ReadonlyMap<string, StoredRun>, now: () => number): Required<Pick<Journal, "renew" | "release" | "free">> {
  return {
    renew: (held, forMs) => {
      const until = now() + forMs;
      const lost = held.filter(({ runId, epoch }) => {
        const run = runs.get(runId);
        if (run?.epoch !== epoch) return true;
        run.leaseUntil = until;
        return false;
      });
      return Promise.resolve(lost.map(({ runId }) => runId));
    },
    release: (runId, epoch) => {
      const run = runs.get(runId);
      if (run?.epoch === epoch) run.leaseUntil = now();
      return Promise.resolve();
    },
    free: (agent, limit) => {
      const at = now();
      const waiting = [...runs.values()].filter((run) => run.header.agent === agent && run.header.parent === undefined && isFree(run, at));
      const longest = waiting.toSorted((one, other) => one.leaseUntil - other.leaseUntil);
      return Promise.resolve(longest.slice(0, limit).map(({ header }) => header.runId));
    },
  };
}

const mostFound = 1_000;

function found(runs: ReadonlyMap<string, StoredRun>, { limit = 100, after, phase, ...wanted }: RunQuery): readonly RunSummary[] {
  const fields = ["agent", "user", "tenant", "conversationId", "parent"] as const;
  const start = after === undefined ? undefined : runs.get(after);
  if (after !== undefined && !start) return [];
  return [...runs.values()]
    .filter((run) => phase === undefined || run.phase === phase)
    .filter(({ header }) => fields.every((field) => wanted[field] === undefined || header[field] === wanted[field]))
    .filter((run) => !start || newestFirst(start, run) < 0)
    .toSorted(newestFirst)
    .slice(0, Math.min(limit, mostFound))
    .map(({ header, phase: at, createdAt, updatedAt }) => ({ ...header, phase: at, createdAt, updatedAt }));
}

function newestFirst(one: StoredRun, other: StoredRun): number {
  if (one.createdAt !== other.createdAt) return other.createdAt - one.createdAt;
  if (one.header.runId === other.header.runId) return 0;
  return one.header.runId > other.header.runId ? -1 : 1;
}
