// What the processes of a trial have told. Invariant: a run leaves the open ones once, when somebody was told its end.
import type { AppendWord, RunWord, WorkerWord } from "./worker-process.ts";
import type { WorldWord } from "./world-process.ts";

export interface Ledger {
  readonly open: ReadonlySet<string>;
  /** The first end of each run that was told. */
  readonly ends: ReadonlyMap<string, RunWord>;
  readonly appends: readonly AppendWord[];
  /** How often a run was taken over. */
  readonly claims: number;
  /** How often a run stopped in doubt. */
  readonly stops: number;
  /** Acts that have arrived. */
  readonly arrived: number;
  /** What nobody should have been told. */
  readonly surprises: readonly string[];
  hearWorld(word: WorldWord): void;
  hearWorker(word: WorkerWord): void;
  /** What a worker was ordered to go on with it will not. */
  died(worker: string): void;
}

/** Not about the run but about who may drive it: somebody else does. */
const elsewhere = ["run_active", "journal_conflict", "parked"];

/** `resume` orders a stopped run to be gone on with, once for every stop, and answers which worker was told to. */
export function createLedger(runs: readonly string[], resume: (runId: string) => string | undefined): Ledger {
  const open = new Set(runs);
  const ends = new Map<string, RunWord>();
  const appends: AppendWord[] = [];
  const surprises: string[] = [];
  const going = new Map<string, number>();
  const stopped = new Set<string>();
  const ordered = new Map<string, string>();
  const counts = { claims: 0, stops: 0, arrived: 0 };

  // A stopped run is gone on with when what it waits for has happened, and by one worker: resuming takes it from whoever is on it.
  const order = (runId: string) => {
    if (!stopped.has(runId) || ordered.has(runId) || (going.get(runId) ?? 0) > 0) return;
    const worker = resume(runId);
    if (worker === undefined) return;
    stopped.delete(runId);
    ordered.set(runId, worker);
  };
  const heard = (word: RunWord) => {
    const { runId, status, code } = word;
    if (!open.has(runId) || (status === "failed" && elsewhere.includes(code ?? ""))) return;
    if (status === "suspended") {
      if (ordered.has(runId)) return;
      counts.stops += 1;
      stopped.add(runId);
      order(runId);
      return;
    }
    if (status !== "completed") surprises.push(`${runId} ${status} ${code ?? ""}`);
    open.delete(runId);
    ends.set(runId, word);
  };
  const count = (runId: string, by: 1 | -1) => going.set(runId, (going.get(runId) ?? 0) + by);

  return {
    open,
    ends,
    appends,
    surprises,
    get claims() {
      return counts.claims;
    },
    get stops() {
      return counts.stops;
    },
    get arrived() {
      return counts.arrived;
    },
    hearWorld: ({ arrived, happened }) => {
      if (arrived) {
        counts.arrived += 1;
        count(arrived.run, 1);
      }
      if (happened) {
        count(happened.run, -1);
        order(happened.run);
      }
    },
    hearWorker: ({ run, ordered: byOrder, append, claimed }) => {
      if (append) appends.push(append);
      if (claimed) counts.claims += 1;
      if (run && byOrder) ordered.delete(run.runId);
      if (run) heard(run);
    },
    died: (worker) => {
      for (const [runId, to] of ordered) if (to === worker) ordered.delete(runId);
    },
  };
}
