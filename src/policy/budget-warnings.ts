// Which limits are nearly used up: told once for each, as they are met, and asked for where a turn depends on it.
import type { Limit, Standing } from "../core/ledger.ts";
import type { Counters, Granted } from "../core/store.ts";
import { windowKey } from "./budgets.ts";
import type { AskedHold } from "./holds.ts";

export interface Warnings {
  /** Looks at where limits stand after a hold. */
  look(holds: ReadonlyMap<string, AskedHold>, standing: Granted["standing"]): void;
  /** Those that have not been told of. */
  readonly take: () => readonly Standing[];
}

/** Only of this agent's limits; those of the runs above are theirs to tell. */
export function createWarnings(own: readonly Limit[], share: number): Warnings {
  const told = new Set<string>();
  let fresh: Standing[] = [];
  return {
    look: (holds, standing) => {
      for (const [key, { hold, limit, most }] of holds) {
        const at = standing[key];
        if (!at || told.has(key) || !own.includes(limit)) continue;
        const reserved = Math.max(0, at.held - hold.amount);
        if (at.used + reserved < most * share) continue;
        told.add(key);
        fresh.push({ limit: { ...limit, most }, spent: at.used, reserved });
      }
    },
    take: () => {
      const taken = fresh;
      if (taken.length > 0) fresh = [];
      return taken;
    },
  };
}

/** Those that stand at this share of what they are, or above. */
export async function nearlyUsedUp(counters: Counters, limits: readonly Limit[], share: number, at: number): Promise<readonly Standing[]> {
  const keys = limits.map((limit) => {
    const { name, also } = limit.at(at);
    return [name, ...also].map((part) => windowKey(limit.key, part));
  });
  const states = await counters.read(keys.flat());
  let next = 0;
  return limits.flatMap((limit, position) => {
    const mine = states.slice(next, (next += keys[position]?.length ?? 0));
    const spent = mine.reduce((sum, { used }) => sum + used, 0);
    const reserved = mine.reduce((sum, { held }) => sum + held, 0);
    return spent + reserved >= limit.most * share ? [{ limit, spent, reserved }] : [];
  });
}
