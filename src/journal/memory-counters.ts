// Counters in memory. Invariant: there is nothing to wait for between a check and the hold that follows from it.
import { byIdAndKey, decided, heldByKey, type KeyHold, standing } from "../core/holds.ts";
import type { Counters, OpenHold } from "../core/store.ts";

interface Counter {
  used: number;
  held: number;
  /** How many reservations hold of it. */
  holders: number;
  /** Epoch ms; Infinity = never. */
  until: number;
  run: string | undefined;
}

interface Reservation {
  readonly amounts: Map<string, number>;
  readonly expiresAt: number;
}

/** So many counters are looked at, whether they may be forgotten, for each that is made. */
const lookedAt = 4;

const nothing = { used: 0, held: 0 } as const;

export function memoryCounters(now: () => number): Counters {
  const counters = new Map<string, Counter>();
  const open = new Map<string, Reservation>();
  const at = (key: string) => counters.get(key) ?? nothing;
  const sweep = sweeper(counters, now);

  const counter = (key: string, { until = Number.POSITIVE_INFINITY, run }: Pick<KeyHold, "until" | "run"> = {}): Counter => {
    let found = counters.get(key);
    if (!found) {
      sweep();
      counters.set(key, (found = { used: 0, held: 0, holders: 0, until, run }));
    }
    found.until = Math.max(found.until, until);
    found.run ??= run;
    return found;
  };

  const hold = (id: string, wanted: readonly KeyHold[], forMs: number) => {
    for (const one of wanted) {
      const found = counter(one.key, one);
      found.held += one.amount;
      found.holders += 1;
    }
    open.set(id, { amounts: new Map(wanted.map(({ key, amount }) => [key, amount])), expiresAt: now() + forMs });
  };

  const settle = (id: string, used: Readonly<Record<string, number>>) => {
    const reservation = open.get(id);
    if (!reservation) return;
    open.delete(id);
    for (const [key, amount] of reservation.amounts) {
      const found = counters.get(key);
      if (!found) continue;
      found.held -= amount;
      found.holders -= 1;
    }
    for (const [key, amount] of Object.entries(used)) if (amount !== 0) counterOf(key).used += amount;
  };
  // A key that is settled without having been held keeps what it was made with: it may be forgotten when it could before.
  const counterOf = (key: string) => counters.get(key) ?? counter(key);

  return {
    reserve: (id, holds, forMs) => {
      const wanted = heldByKey(holds);
      if (open.has(id)) return Promise.resolve(standing(wanted, at));
      const answer = decided(wanted, at);
      if (answer.granted && wanted.length > 0) hold(id, wanted, forMs);
      return Promise.resolve(answer);
    },
    settle: (id, used) => {
      settle(id, used);
      return Promise.resolve();
    },
    read: (keys) => {
      const runOut = sumsOf([...open.values()].filter(({ expiresAt }) => expiresAt <= now()));
      return Promise.resolve(
        keys.map((key) => {
          const [{ used, held }, expired] = [at(key), runOut.get(key) ?? 0];
          return { used: used + expired, held: held - expired };
        }),
      );
    },
    open: (prefix) => Promise.resolve(openHolds(open, prefix)),
    forget: (run) => {
      const keys = new Set([...counters].flatMap(([key, one]) => (one.run === run ? [key] : [])));
      for (const key of keys) counters.delete(key);
      for (const [id, { amounts }] of open) {
        for (const key of keys) amounts.delete(key);
        if (amounts.size === 0) open.delete(id);
      }
      return Promise.resolve();
    },
  };
}

/** Looks at a few counters in turn and forgets those nobody asks for any more: never much at once, and in the end all of them. */
function sweeper(counters: Map<string, Counter>, now: () => number) {
  let walk = counters.entries();
  return () => {
    for (let looked = 0; looked < lookedAt; looked++) {
      const { value, done } = walk.next();
      if (done) walk = counters.entries();
      else if (value[1].until <= now() && value[1].holders === 0) counters.delete(value[0]);
    }
  };
}

function sumsOf(reservations: readonly Reservation[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { amounts } of reservations) for (const [key, amount] of amounts) sums.set(key, (sums.get(key) ?? 0) + amount);
  return sums;
}

function openHolds(open: ReadonlyMap<string, Reservation>, prefix: string): readonly OpenHold[] {
  const found = [...open].filter(([id]) => id.startsWith(prefix));
  const holds = found.flatMap(([id, { amounts }]) => [...amounts].map(([key, amount]) => ({ id, key, amount })));
  return holds.toSorted(byIdAndKey);
}
