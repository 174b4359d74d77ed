// Goes on with runs whose process has died or was shut down: looks for those that are nobody's, and takes as many as there is room for.
import { AgentError } from "../core/errors.ts";
import type { RunFacts } from "../core/facts.ts";
import { anything, checkOptions, isAmount, isFunction, isPositiveCount } from "../core/options.ts";
import type { RunResult } from "../core/result.ts";
import { withinTime } from "../core/waiting.ts";
import type { AgentParts } from "../pipeline/line.ts";

export interface RecoverOptions<Output = unknown> {
  /** How many runs at once; default 4. */
  readonly concurrency?: number;
  /** How often to look for runs when none was found, in milliseconds; default 5,000. */
  readonly everyMs?: number;
  /** The live objects for a run that is taken up, or a promise of them; asked once for each. Where it fails, the run is given back. */
  readonly context?: (run: Omit<RunFacts, "context">) => unknown;
  /** Told of every run that was gone on with. What it throws or rejects with is ignored. */
  readonly onResult?: (result: RunResult<Output>) => unknown;
}

export interface Recovery {
  /** Takes up nothing more, and resolves when what was taken up has ended, stopped or been parked. */
  stop(): Promise<void>;
}

export const recoverDefaults = { concurrency: 4, everyMs: 5_000 } as const;

const checks = { concurrency: isPositiveCount, everyMs: isAmount, context: isFunction, onResult: isFunction, signal: anything };

/** `takeUp` goes on with a run if it is still nobody's, and answers undefined when it is not. Throws `configuration_invalid`. */
export function startRecovery<Output>(
  agent: AgentParts,
  options: RecoverOptions<Output>,
  takeUp: (runId: string) => Promise<RunResult<Output> | undefined>,
): Recovery {
  checkOptions("configuration_invalid", "recover", options, checks);
  const { concurrency = recoverDefaults.concurrency, everyMs = recoverDefaults.everyMs, onResult } = options;
  const { journal } = agent.store;
  if (!journal.free)
    throw new AgentError("configuration_invalid", "recover needs a store that keeps leases: sqlite(), postgres() or memoryStore().");
  const going = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  const { signal } = stopping;
  let looking: Promise<void> | undefined;
  let cancel = () => {};

  const goOn = async (runId: string) => {
    let taken = false;
    try {
      const result = await takeUp(runId);
      taken = result !== undefined && result.status !== "failed";
      const told: unknown = result && onResult?.(result);
      Promise.resolve(told).catch(() => {}); // a listener has nothing to say to us, later neither
    } catch {
      // A run that cannot be taken up stays where it is, and a listener that throws has nothing to say to us.
    } finally {
      going.delete(runId);
      // What could not be taken or gone on with would be found again, and nothing else might ever have its turn.
      if (taken) look();
    }
  };
  const takeSome = async () => {
    const room = concurrency - going.size;
    const free = () => journal.free?.(agent.name, room);
    // A store that cannot say so now is asked again; one that never answers holds up neither the next look nor a stop.
    const looked = room > 0 ? withinTime(agent.clock, agent.leaseMs, signal, free) : undefined;
    for (const runId of (await looked) ?? []) if (!signal.aborted && !going.has(runId)) going.set(runId, goOn(runId));
  };
  const look = () => {
    if (signal.aborted || looking) return;
    cancel();
    looking = takeSome()
      .catch(() => {})
      .finally(() => {
        looking = undefined;
        if (!signal.aborted) cancel = agent.clock.after(everyMs, look);
      });
  };

  look();
  return {
    stop: async () => {
      stopping.abort();
      cancel();
      await looking;
      await Promise.all(going.values());
    },
  };
}
