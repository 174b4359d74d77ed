// What is kept of budgets besides the amounts: which there are, and what people have changed about them. Read only near a cap, written when a limit is first used.

import type { Measure } from "../../core/cost.ts";
import { isJsonObject, type Json } from "../../core/json.ts";
import type { Limit } from "../../core/ledger.ts";
import type { Records } from "../../core/store.ts";

/** Kinds of documents: every limit that was ever used, by its key; limits in place of those in code; and what is given in one window. */
export const budgetKinds = { known: "budget", raised: "budget-limit", window: "budget-window", change: "budget-change" } as const;

/** A limit as it is kept for people who look. */
export interface KnownBudget {
  readonly key: string;
  readonly scope: string;
  readonly who: readonly string[];
  readonly measure: Measure;
  /** In nano-dollars, tokens or calls. */
  readonly most: number;
  readonly window: Json;
}

/** What was given in one window on top of the limit: room of its own, and what had been spent and is not counted any more. */
export interface WindowChange {
  readonly granted: number;
  readonly forgiven: number;
}

/** What a limit is by now. */
export interface LimitByNow {
  /** Raised and granted included. */
  readonly most: number;
  /** What has been spent and does not count any more. */
  readonly forgiven: number;
}

/**
 * What a limit comes to in one window, with all that people have changed. `inWindow`: the keys of the window and of the earlier parts that
 * count with it; what was given in any of them still holds.
 */
export async function limitByNow(records: Records, key: string, most: number, inWindow: readonly string[]): Promise<LimitByNow> {
  const [raised, { granted, forgiven }] = await Promise.all([raisedLimit(records, key), windowChange(records, inWindow)]);
  return { most: Math.min(Number.MAX_SAFE_INTEGER - forgiven, Math.max(most, raised ?? 0) + granted), forgiven };
}

/** What stands in place of the limit in code; undefined when nothing does. */
export async function raisedLimit(records: Records, key: string): Promise<number | undefined> {
  const value = (await records.get(budgetKinds.raised, key))?.value;
  return value === undefined ? undefined : raisedIn(value);
}

export async function windowChange(records: Records, inWindow: readonly string[]): Promise<WindowChange> {
  const documents = await Promise.all(inWindow.map((key) => records.get(budgetKinds.window, key)));
  const changes = documents.map((document) => changeIn(document?.value ?? {}));
  return {
    granted: changes.reduce((sum, { granted }) => sum + granted, 0),
    forgiven: changes.reduce((sum, { forgiven }) => sum + forgiven, 0),
  };
}

export const raisedIn = (value: Json): number | undefined => countIn(value, "most");

export const changeIn = (value: Json): WindowChange => ({
  granted: countIn(value, "granted") ?? 0,
  forgiven: countIn(value, "forgiven") ?? 0,
});

/** Writes down that there is this limit, when it is not known as it is. Whoever else does so at the same time says the same. */
export async function makeKnown(records: Records, { key, scope, who, measure, most, window }: Limit): Promise<void> {
  const value = { key, scope, who: [...who], measure, most, window } satisfies KnownBudget & Json;
  const past = await records.get(budgetKinds.known, key);
  if (past && JSON.stringify(past.value) === JSON.stringify(value)) return;
  await records.put(budgetKinds.known, key, value, past?.version ?? 0);
}

function countIn(value: Json, field: string): number | undefined {
  const count = isJsonObject(value) ? value[field] : undefined;
  return typeof count === "number" && Number.isSafeInteger(count) ? count : undefined;
}
