// Which limits are nearly used up: told once for each, as they are met, and asked for where a turn depends on it.
import type { Limit, Standing } from "../../core/ledger.ts";
import type { CounterState, Counters, Granted } from "../../core/store.ts";
import { windowKeys } from "../keys.ts";
import type { AskedHold } from "./budget-holds.ts";
import type { LimitByNow } from "./budget-records.ts";

/** What a limit is by now, in the window of these keys. */
export type Raised = (limit: Limit, inWindow: readonly string[]) => Promise<LimitByNow>;

export interface Warnings {
  /** Looks at where limits stand after a hold. */
  look(holds: ReadonlyMap<string, AskedHold>, standing: Granted["standing"]): Promise<void>;
  /** Those that have not been told of. */
  readonly take: () => readonly Standing[];
}

/** Only of this agent's limits; those of the runs above are theirs to tell. */
export function createWarnings(own: readonly Limit[], share: number, raised: Raised): Warnings {
  const told = new Set<string>();
  let fresh: Standing[] = [];
  return {
    look: async (holds, standing) => {
      for (const [key, { hold, limit }] of holds) {
        const at = standing[key];
        if (!at || told.has(key) || !own.includes(limit)) continue;
        const before = { used: at.used, held: Math.max(0, at.held - hold.amount) };
        const near = isNear(limit, before, share) ? await nearByNow(limit, before, share, raised, [key, ...(hold.also ?? [])]) : undefined;
        if (!near) continue;
        told.add(key);
        fresh.push(near);
      }
    },
    take: () => {
      const taken = fresh;
      if (taken.length > 0) fresh = [];
      return taken;
    },
  };
}

interface Looking {
  readonly share: number;
  readonly at: number;
  readonly raised: Raised;
}

/** Those that stand at this share of what they are by now, or above. */
export async function nearlyUsedUp(counters: Counters, limits: readonly Limit[], looking: Looking): Promise<readonly Standing[]> {
  const { share, at, raised } = looking;
  const keys = limits.map((limit) => windowKeys(limit, at));
  const states = await counters.read(keys.flat());
  let next = 0;
  const near = limits.map((limit, position) => {
    const inWindow = keys[position] ?? [];
    const standing = sumOf(states.slice(next, (next += inWindow.length)));
    return isNear(limit, standing, share) ? nearByNow(limit, standing, share, raised, inWindow) : Promise.resolve(undefined);
  });
  return (await Promise.all(near)).filter((standing) => standing !== undefined);
}

const isNear = ({ most }: Limit, { used, held }: CounterState, share: number) => used + held >= most * share;

/** What people have changed is asked for only when the limit in code is nearly used up. */
async function nearByNow(limit: Limit, { used, held }: CounterState, share: number, raised: Raised, inWindow: readonly string[]) {
  const { most, forgiven } = await raised(limit, inWindow);
  const spent = Math.max(0, used - forgiven);
  return spent + held >= most * share ? { limit: { ...limit, most }, spent, reserved: held } : undefined;
}

/** Several counters as one. */
export const sumOf = (states: readonly CounterState[]): CounterState => ({
  used: states.reduce((sum, { used }) => sum + used, 0),
  held: states.reduce((sum, { held }) => sum + held, 0),
});
