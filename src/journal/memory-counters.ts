// Counters in memory. Invariant: there is nothing to wait for between a check and the hold that follows from it.
import type { Counters, Hold } from "../core/store.ts";

interface Reservation {
  readonly amounts: ReadonlyMap<string, number>;
  readonly expiresAt: number;
}

/** So many settled reservations are remembered, so that the same id is not held again. */
const mostSettled = 10_000;

export function memoryCounters(now: () => number): Counters {
  const counters = new Map<string, { used: number; held: number }>();
  const open = new Map<string, Reservation>();
  const settled = new Set<string>();
  const counter = (key: string) => counters.get(key) ?? { used: 0, held: 0 };

  const settle = (id: string, used: Readonly<Record<string, number>>) => {
    const reservation = open.get(id);
    if (!reservation) return;
    open.delete(id);
    settled.add(id);
    for (const oldest of settled) {
      if (settled.size <= mostSettled) break;
      settled.delete(oldest);
    }
    for (const key of new Set([...reservation.amounts.keys(), ...Object.keys(used)])) {
      const standing = counter(key);
      counters.set(key, { used: standing.used + (used[key] ?? 0), held: standing.held - (reservation.amounts.get(key) ?? 0) });
    }
  };

  const read = (keys: readonly string[]) => {
    const at = now();
    const runOut = [...open.values()].filter(({ expiresAt }) => expiresAt <= at);
    return keys.map((key) => {
      const expired = runOut.reduce((sum, { amounts }) => sum + (amounts.get(key) ?? 0), 0);
      const { used, held } = counter(key);
      return { used: used + expired, held: held - expired };
    });
  };

  return {
    reserve: (id, wanted, forMs) => {
      if (open.has(id) || settled.has(id)) return Promise.resolve(undefined);
      const amounts = sums(wanted);
      for (const { key, limit } of wanted) {
        const { used, held } = counter(key);
        if (used + held + (amounts.get(key) ?? 0) > limit) return Promise.resolve({ refusedBy: key, used, held });
      }
      for (const [key, amount] of amounts) counters.set(key, { used: counter(key).used, held: counter(key).held + amount });
      open.set(id, { amounts, expiresAt: now() + forMs });
      return Promise.resolve(undefined);
    },
    settle: (id, used) => {
      settle(id, used);
      return Promise.resolve();
    },
    read: (keys) => Promise.resolve(read(keys)),
  };
}

function sums(holds: readonly Hold[]): ReadonlyMap<string, number> {
  const amounts = new Map<string, number>();
  for (const { key, amount } of holds) amounts.set(key, (amounts.get(key) ?? 0) + amount);
  return amounts;
}
