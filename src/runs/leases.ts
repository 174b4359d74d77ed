// Owns which runs this agent is driving: it keeps their leases alive, hears when one is lost, and gives back what it does not finish.
import { AgentError } from "../core/errors.ts";
import type { Lease } from "../core/store.ts";
import { withinTime } from "../core/waiting.ts";
import type { AgentParts } from "../pipeline/line.ts";

export interface Leases {
  /** What a run is created or claimed with; undefined when the store keeps no leases. */
  readonly terms: Lease | undefined;
  /** Keeps the lease of a run until the answer is called; `lost` hears, at most once, that somebody else has the run now. */
  hold(runId: string, epoch: number, lost: (error: AgentError) => void): () => void;
  /** Gives a run back, so that another worker need not wait for the lease to run out. Never rejects, and does not wait for long. */
  giveBack(runId: string, epoch: number): Promise<void>;
}

interface Held {
  readonly runId: string;
  readonly epoch: number;
  readonly lost: (error: AgentError) => void;
}

/** A lease is renewed so often that two renewals may fail before it runs out. */
const beatsPerLease = 3;

/** How long a store may take to take a run back; its lease would run out by itself. */
const giveBackMs = 1_000;

export function createLeases(
  { store: { journal }, clock, leaseMs }: Pick<AgentParts, "store" | "clock" | "leaseMs">,
  owner: string,
): Leases {
  const held = new Set<Held>();
  // So short that after a renewal that is never answered the next one still comes in time.
  const answerMs = leaseMs / (2 * beatsPerLease);
  let cancel: (() => void) | undefined;

  // A store that throws or never answers must not end the heartbeat of every run of the process.
  const withoutFail = async <T>(ms: number, work: () => Promise<T> | undefined) => {
    try {
      return await withinTime(clock, ms, new AbortController().signal, work);
    } catch {
      return undefined;
    }
  };
  const renew = async () => {
    const runs = [...held];
    // A store that cannot be reached takes nothing away: it is the epoch that fences, and whoever claims the run counts it up.
    const gone = await withoutFail(answerMs, () => journal.renew?.(runs, leaseMs));
    for (const run of runs) if (gone?.includes(run.runId) && held.delete(run)) run.lost(lostTo(run.runId));
  };
  const beat = () => {
    cancel = undefined;
    void renew().then(schedule);
  };
  const schedule = () => {
    if (held.size > 0) cancel ??= clock.after(leaseMs / beatsPerLease, beat);
  };

  return {
    terms: journal.renew ? { owner, forMs: leaseMs } : undefined,
    hold: (runId, epoch, lost) => {
      if (!journal.renew) return () => {};
      const run = { runId, epoch, lost };
      held.add(run);
      schedule();
      return () => {
        held.delete(run);
        if (held.size > 0) return;
        cancel?.();
        cancel = undefined;
      };
    },
    giveBack: async (runId, epoch) => {
      // What cannot be given back is free when its lease runs out.
      await withoutFail(giveBackMs, () => journal.release?.(runId, epoch));
    },
  };
}

const lostTo = (runId: string) =>
  new AgentError("journal_conflict", `The run ${runId} is owned by someone else by now.`, { details: { runId } });
