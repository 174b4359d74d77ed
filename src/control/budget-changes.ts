// What people have changed about limits, written down before it is done. Invariant: nothing takes effect that has no record; records stay.
import { uuidv7 } from "uuidv7";
import type { Measure } from "../core/cost.ts";
import { AgentError } from "../core/errors.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import type { Limit } from "../core/ledger.ts";
import type { Records, Versioned } from "../core/store.ts";
import { budgetKinds } from "../policy/budgets/budget-records.ts";
import { measures } from "../policy/budgets/budgets.ts";
import { amountIn } from "../policy/budgets/exceeded.ts";
import { shownWho } from "./budget-address.ts";

/** What somebody did about a limit. Amounts are US dollars, tokens or calls. */
export interface BudgetChange {
  /** In the order of time. */
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
  readonly by: string;
  readonly why: string;
  readonly what: "raise" | "grant" | "reset";
  /** The id of the limit. */
  readonly budget: string;
  readonly scope: string;
  readonly who: readonly string[];
  readonly measure: Measure;
  /** The name of the window it holds in; absent when it lasts, or belongs to a run. */
  readonly window?: string;
  /** Of a raise: the lasting limit. Of a grant: what is granted in the window on top of it. Of a reset: what counts as spent. */
  readonly from: number;
  readonly to: number;
}

export interface ChangeFacts extends Pick<BudgetChange, "at" | "by" | "why" | "what"> {
  readonly limit: Limit;
  readonly window?: string;
}

/** So often somebody else may be quicker before it is given up. */
const mostTries = 100;

export interface Amounts {
  readonly from: number;
  readonly to: number;
}

/**
 * Writes what is about to be changed, then changes it. Where somebody else is quicker, both are done again from what they have left, in the
 * same record. The record comes first, and not in the same document: one list of all changes needs no look at every limit there is, and what
 * a crash in between leaves is a change that was meant and not made. What `next` throws takes the record back.
 */
export async function changeRecorded(
  records: Records,
  facts: ChangeFacts,
  document: { readonly kind: string; readonly id: string },
  next: (value: Json) => Amounts & { readonly value: Json },
): Promise<BudgetChange> {
  const record = announcement(records, facts);
  for (let tries = 0; tries < mostTries; tries++) {
    const before = await records.get(document.kind, document.id);
    let after: ReturnType<typeof next>;
    try {
      after = next(before?.value ?? {});
    } catch (thrown) {
      await record.takeBack();
      throw thrown;
    }
    const change = await record.write(after);
    if (await records.put(document.kind, document.id, after.value, before?.version ?? 0)) return change;
  }
  await record.takeBack();
  throw tooBusy();
}

/** For a change that is made in more than one document: written once, whatever others do meanwhile. */
export const record = (records: Records, facts: ChangeFacts, amounts: Amounts): Promise<BudgetChange> =>
  announcement(records, facts).write(amounts);

/** Changes one document, however often others are quicker. */
export async function rewrite(records: Records, kind: string, id: string, next: (value: Json) => Json): Promise<void> {
  for (let tries = 0; tries < mostTries; tries++) {
    const before = await records.get(kind, id);
    if (await records.put(kind, id, next(before?.value ?? {}), before?.version ?? 0)) return;
  }
  throw tooBusy();
}

const tooBusy = () =>
  new AgentError("journal_conflict", `Others were quicker ${mostTries} times over.`, { hint: "Look at the budget, and try again." });

/** One record; it has its id from the first, so that writing it again is no second one. */
function announcement(records: Records, { limit, at, by, why, what, window }: ChangeFacts) {
  const { key: budget, scope, who, measure } = limit;
  const id = uuidv7();
  let version = 0;
  return {
    write: async ({ from, to }: Amounts): Promise<BudgetChange> => {
      const value = { at, by, why, what, budget, scope, who: [...who], measure, ...(window === undefined ? {} : { window }), from, to };
      if (!(await records.put(budgetKinds.change, id, value, version)))
        throw new AgentError("internal_error", "Somebody else has written the record of this change.");
      version += 1;
      return { ...value, ...shownParts({ who, measure, from, to }), id };
    },
    takeBack: async () => {
      if (version > 0) await records.remove(budgetKinds.change, id, version);
    },
  };
}

const shownParts = ({ who, measure, from, to }: Pick<BudgetChange, "who" | "measure" | "from" | "to">) => ({
  who: shownWho(who),
  from: amountIn(measure, from),
  to: amountIn(measure, to),
});

/** Undefined for one that this release cannot read. */
export function changeIn({ id, value }: Versioned): BudgetChange | undefined {
  if (!isJsonObject(value)) return undefined;
  const { at, by, why, what, budget, scope, who, measure, window, from, to } = value;
  const [done] = (["raise", "grant", "reset"] as const).filter((one) => one === what);
  const [measured] = measures.filter((one) => one === measure);
  if (!done || !measured || typeof at !== "number" || typeof from !== "number" || typeof to !== "number") return undefined;
  if (typeof by !== "string" || typeof why !== "string" || typeof budget !== "string" || typeof scope !== "string") return undefined;
  const whom = Array.isArray(who) ? who.filter((name): name is string => typeof name === "string") : [];
  const parts = shownParts({ who: whom, measure: measured, from, to });
  return { id, at, by, why, what: done, budget, scope, measure: measured, ...(typeof window === "string" ? { window } : {}), ...parts };
}
