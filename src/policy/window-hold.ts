// A hold under a limit in its window of now: the one place that says under which keys, for how long and for which run it stands.
import type { Window } from "../core/ledger.ts";
import type { Hold } from "../core/store.ts";
import { windowKey } from "./keys.ts";

/** What is counted under a key, window by window. */
export interface Windowed {
  readonly key: string;
  /** The run it belongs to, when it is one of a run. */
  readonly run?: string | undefined;
  at(now: number): Window;
}

/** A time of the run's clock as the store's may have it, at the latest. */
export type ByStore = (until: number) => number;

export function holdIn(windowed: Windowed, { amount, limit }: Pick<Hold, "amount" | "limit">, now: number, byStore: ByStore): Hold {
  const { key, run } = windowed;
  const { name, also, until } = windowed.at(now);
  return {
    key: windowKey(key, name),
    amount,
    limit,
    ...(also.length > 0 ? { also: also.map((part) => windowKey(key, part)) } : {}),
    ...(until === undefined ? {} : { until: byStore(until) }),
    ...(run === undefined ? {} : { run }),
  };
}
