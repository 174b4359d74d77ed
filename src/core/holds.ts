// What a hold of several keys comes to: one for each key, and whether all of them may be held. Where a limit is looked at, but for the one statement of Postgres that does the same.
import { Buffer } from "node:buffer";
import type { CounterState, Granted, Hold, OpenHold, Refused } from "./store.ts";

/** All that one reservation wants of a key. */
export interface KeyHold extends Hold {
  /** Each once, and never the key itself. */
  readonly also: readonly string[];
}

/** Several holds of one key are one; the tightest of their limits holds, and the longest of their times. In the order of the keys. */
export function heldByKey(holds: readonly Hold[]): readonly KeyHold[] {
  const byKey = new Map<string, KeyHold>();
  for (const hold of holds) {
    const other = byKey.get(hold.key);
    byKey.set(hold.key, other ? both(other, hold) : { ...hold, also: others(hold.key, hold.also ?? []) });
  }
  return [...byKey.values()].toSorted((one, other) => byUnits(one.key, other.key));
}

function both(one: KeyHold, { amount, limit, also = [], until, run = one.run }: Hold): KeyHold {
  return {
    key: one.key,
    amount: one.amount + amount,
    limit: Math.min(one.limit, limit),
    also: others(one.key, [...one.also, ...also]),
    ...(one.until !== undefined && until !== undefined && { until: Math.max(one.until, until) }),
    ...(run !== undefined && { run }),
  };
}

const others = (key: string, also: readonly string[]) => [...new Set(also)].filter((other) => other !== key);

/** Any order does for locking, so long as everybody has the same. */
export const byUnits = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/** The order databases keep. That of JavaScript differs from it beyond the basic plane. */
const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

export const byIdAndKey = (one: OpenHold, other: OpenHold): number => byBytes(one.id, other.id) || byBytes(one.key, other.key);

/** Every key that has to stand still while it is decided, in order. */
export const keysOf = (holds: readonly KeyHold[]): readonly string[] =>
  [...new Set(holds.flatMap(({ key, also }) => [key, ...also]))].toSorted(byUnits);

/** Granted when no limit is passed once all of it is held. `at` is what each key stands at before. */
export function decided(holds: readonly KeyHold[], at: (key: string) => CounterState): Granted | Refused {
  const amounts = new Map(holds.map(({ key, amount }) => [key, amount]));
  const after = (key: string) => ({ used: at(key).used, held: at(key).held + (amounts.get(key) ?? 0) });
  for (const hold of holds) {
    const { used, held } = together(hold, after);
    if (used + held > hold.limit) return { granted: false, refusedBy: hold.key, ...together(hold, at) };
  }
  return standing(holds, after);
}

/**
 * What a grant tells. Holds that have run out are still among `held` here, and in what a refusal tells: a limit counts both alike, and
 * telling them apart would cost a look at every hold of the key.
 */
export const standing = (holds: readonly KeyHold[], at: (key: string) => CounterState): Granted => ({
  granted: true,
  standing: Object.fromEntries(holds.map((hold) => [hold.key, together(hold, at)])),
});

function together({ key, also }: KeyHold, at: (key: string) => CounterState): CounterState {
  const states = [key, ...also].map(at);
  return { used: states.reduce((sum, { used }) => sum + used, 0), held: states.reduce((sum, { held }) => sum + held, 0) };
}
