// Counters in memory. Invariant: there is nothing to wait for between a check and the hold that follows from it.
import { byIdAndKey, decided, heldByKey, type KeyHold, standing } from "../core/holds.ts";
import type { CounterState, Counters, OpenHold } from "../core/store.ts";

interface Counter {
  used: number;
  held: number;
  /** How many reservations hold of it. */
  holders: number;
  /** Epoch ms; Infinity = never. */
  until: number;
}

interface Reservation {
  readonly amounts: Map<string, number>;
  readonly expiresAt: number;
}

/** So many counters are looked at, whether they may be forgotten, for each that is made. */
const lookedAt = 4;

const nothing = { used: 0, held: 0 } as const;

export function memoryCounters(now: () => number): Counters {
  const counters = countersByKey(now);
  const open = new Map<string, Reservation>();
  return {
    reserve: (id, holds, forMs) => {
      const wanted = heldByKey(holds);
      if (open.has(id)) return Promise.resolve(standing(wanted, counters.at));
      const answer = decided(wanted, counters.at);
      if (answer.granted && wanted.length > 0) {
        for (const hold of wanted) counters.hold(hold);
        open.set(id, { amounts: new Map(wanted.map(({ key, amount }) => [key, amount])), expiresAt: now() + forMs });
      }
      return Promise.resolve(answer);
    },
    settle: (id, used) => {
      const reservation = open.get(id);
      if (!reservation) return Promise.resolve();
      open.delete(id);
      for (const [key, amount] of reservation.amounts) counters.release(key, amount);
      for (const [key, amount] of Object.entries(used)) if (amount !== 0) counters.use(key, amount);
      return Promise.resolve();
    },
    read: (keys) => {
      const runOut = sumsOf([...open.values()].filter(({ expiresAt }) => expiresAt <= now()));
      const states = keys.map((key) => {
        const [{ used, held }, expired] = [counters.at(key), runOut.get(key) ?? 0];
        return { used: used + expired, held: held - expired };
      });
      return Promise.resolve(states);
    },
    open: (prefix) => Promise.resolve(openHolds(open, prefix)),
    forget: (run) => {
      const held = counters.forget(run);
      // Nearly always there is nothing: then nobody has to look for it.
      if (held.length > 0) letGo(open, held);
      return Promise.resolve();
    },
  };
}

function letGo(open: Map<string, Reservation>, keys: readonly string[]) {
  for (const [id, { amounts }] of open) {
    for (const key of keys) amounts.delete(key);
    if (amounts.size === 0) open.delete(id);
  }
}

/** What each key stands at, made when it is first asked for and forgotten in time. */
function countersByKey(now: () => number) {
  const counters = new Map<string, Counter>();
  const keysOfRun = new Map<string, Set<string>>();
  const sweep = sweeper(counters, now);
  const make = (key: string, until: number, run?: string): Counter => {
    sweep();
    const made: Counter = { used: 0, held: 0, holders: 0, until };
    counters.set(key, made);
    if (run !== undefined) keysOfRun.set(run, (keysOfRun.get(run) ?? new Set()).add(key));
    return made;
  };
  return {
    at: (key: string): CounterState => counters.get(key) ?? nothing,
    hold: ({ key, amount, until = Number.POSITIVE_INFINITY, run }: KeyHold) => {
      const counter = counters.get(key) ?? make(key, until, run);
      counter.held += amount;
      counter.holders += 1;
      counter.until = Math.max(counter.until, until);
    },
    release: (key: string, amount: number) => {
      const counter = counters.get(key);
      if (!counter) return;
      counter.held -= amount;
      counter.holders -= 1;
    },
    use: (key: string, amount: number) => {
      (counters.get(key) ?? make(key, Number.POSITIVE_INFINITY)).used += amount;
    },
    /** Answers the keys of the run that something is held of. */
    forget: (run: string): readonly string[] => {
      const keys = [...(keysOfRun.get(run) ?? [])];
      keysOfRun.delete(run);
      const held = keys.filter((key) => (counters.get(key)?.holders ?? 0) > 0);
      for (const key of keys) counters.delete(key);
      return held;
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
