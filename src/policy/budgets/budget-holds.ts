// What is asked of the counters for one attempt, and what they are told of it afterwards. Pure: limits and costs in, holds out.
import type { Cost, Measure } from "../../core/cost.ts";
import { AgentError } from "../../core/errors.ts";
import type { Limit } from "../../core/ledger.ts";
import type { Hold } from "../../core/store.ts";
import { measureOf, windowKey } from "../keys.ts";
import { type ByStore, holdIn } from "../window-hold.ts";
import type { LimitByNow } from "./budget-records.ts";

/** A hold, with the limit it is under and what that is by now. */
export interface AskedHold {
  readonly hold: Hold;
  readonly limit: Limit;
  readonly byNow: LimitByNow;
}

/** What a run keeps back of its own limits, for its wrap-up. */
export type KeptBack = { readonly run: string; readonly costs: readonly Cost[] } | undefined;

export interface HoldTerms {
  readonly keptBack: KeptBack;
  /** What limits are by now, by the key of their counter, where that is more than they were. */
  readonly raises: ReadonlyMap<string, LimitByNow>;
  readonly byStore: ByStore;
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
    const key = windowKey(limit.key, limit.at(at).name);
    const byNow = raises.get(key) ?? { most: limit.most, forgiven: 0 };
    const back = keptBackOf(limit, keptBack);
    const most = byNow.most + byNow.forgiven - back;
    const hold = holdIn(limit, { amount: amountOf(limit.measure, cost), limit: most }, at, byStore);
    holds.set(key, { hold, limit, byNow });
  }
  return holds;
}

/** Limits with what is kept back of those that belong to runs. */
export const withKeptBack = (limits: readonly Limit[], keptBack: KeptBack): readonly Limit[] =>
  limits.map((limit) => {
    const back = keptBackOf(limit, keptBack);
    return back > 0 ? { ...limit, keptBack: back } : limit;
  });

/** A run keeps back of its own limits only; what a run above keeps back of its own stands with them. */
function keptBackOf({ keptBack = 0, run, measure, most }: Limit, own: KeptBack): number {
  if (run === undefined || own?.run !== run) return keptBack;
  const amounts = own.costs.map((cost) => amountOf(measure, cost));
  return amounts.find((amount) => amount <= most * mostKeptBack) ?? 0;
}

/** Of a cap: a last answer that takes more would leave too little to have anything to tell. */
const mostKeptBack = 0.6;

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
