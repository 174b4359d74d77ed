// What is asked of the counters for one attempt, and what they are told of it afterwards. Pure: limits and costs in, holds out.
import type { Cost, Measure } from "../core/cost.ts";
import { AgentError } from "../core/errors.ts";
import type { Limit } from "../core/ledger.ts";
import type { Hold } from "../core/store.ts";
import type { LimitByNow } from "./budget-records.ts";
import { measureOf, windowKey } from "./keys.ts";

/** A hold, with the limit it is under and what that is by now. */
export interface AskedHold {
  readonly hold: Hold;
  readonly limit: Limit;
  readonly byNow: LimitByNow;
}

export interface HoldTerms {
  /** Of the run's own limits, for its wrap-up. */
  readonly keptBack: Cost | undefined;
  /** What limits are by now, by the key of their counter, where that is more than they were. */
  readonly raises: ReadonlyMap<string, LimitByNow>;
  /** A time of the run's clock as the store's may have it, at the latest. */
  readonly byStore: (until: number) => number;
}

/** By the key of the counter: one hold for each. */
export function holdsOf(
  limits: readonly Limit[],
  cost: Cost,
  at: number,
  { keptBack, raises, byStore }: HoldTerms,
): ReadonlyMap<string, AskedHold> {
  const holds = new Map<string, AskedHold>();
  for (const limit of limits) {
    const { name, also, until } = limit.at(at);
    const key = windowKey(limit.key, name);
    const byNow = raises.get(key) ?? { most: limit.most, forgiven: 0 };
    const back = limit.run !== undefined && keptBack ? amountOf(limit.measure, keptBack) : 0;
    const hold: Hold = {
      key,
      amount: amountOf(limit.measure, cost),
      limit: byNow.most + byNow.forgiven - back,
      ...(also.length > 0 ? { also: also.map((part) => windowKey(limit.key, part)) } : {}),
      ...(until === undefined ? {} : { until: byStore(until) }),
      ...(limit.run === undefined ? {} : { run: limit.run }),
    };
    holds.set(key, { hold, limit, byNow });
  }
  return holds;
}

/** Of limits on the same key, the tightest. */
export function distinct(limits: readonly Limit[]): readonly Limit[] {
  const byKey = new Map<string, Limit>();
  for (const limit of limits) {
    const other = byKey.get(limit.key);
    if (!other || limit.most < other.most) byKey.set(limit.key, limit);
  }
  return [...byKey.values()];
}

/** An attempt is one call. What has no price in money cannot be held against a limit in money. */
function amountOf(measure: Measure, { nanoUsd, tokens }: Cost): number {
  if (measure === "calls") return 1;
  if (measure === "tokens") return tokens;
  if (nanoUsd === undefined) throw new AgentError("configuration_invalid", "A limit in US dollars covers something that has no price.");
  return nanoUsd;
}

/** What an attempt has used of each counter it was held on. */
export const usedOf = (keys: readonly string[], { nanoUsd = 0, tokens }: Cost): Readonly<Record<string, number>> =>
  Object.fromEntries(
    keys.map((key) => {
      const measure = measureOf(key);
      return [key, measure === "calls" ? 1 : measure === "tokens" ? tokens : nanoUsd];
    }),
  );
