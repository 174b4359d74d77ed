// What people see of budgets and do about them: lists, raises, grants, resets, and who did what and why.
import type { Measure } from "../core/cost.ts";
import { type Check, type Checks, checkOptions, isNumber, isPositiveCount, isRecord, isText } from "../core/options.ts";
import type { Counters, Journal, Records } from "../core/store.ts";
import { budgetKinds } from "../policy/budgets/budget-records.ts";
import { measures } from "../policy/budgets/budgets.ts";
import { addressChecks, type BudgetAddress, checkAddress, describedKey, keptWho, keyBeginning, sameWho } from "./budget-address.ts";
import { type BudgetChange, changeIn } from "./budget-changes.ts";
import { type BudgetState, statesOf } from "./budget-standing.ts";
import { findLimit, knownLimits, recordsAfter } from "./known-budgets.ts";
import { grant, raise, reset } from "./raise-grant-reset.ts";

/** Which limits; every field narrows. By id. */
export interface BudgetQuery {
  readonly scope?: string;
  /** As `list` shows it. */
  readonly who?: readonly string[];
  readonly measure?: Measure;
  /** Default 100, at most 1,000. */
  readonly limit?: number;
  /** Those behind this id, for the next page. */
  readonly after?: string;
}

export interface BudgetChangeQuery {
  /** Of one limit, be it known any more or not; without a window, of all that this names. */
  readonly budget?: BudgetAddress;
  /** Default 100, at most 1,000. */
  readonly limit?: number;
  /** Those behind this id, for the next page. */
  readonly after?: string;
}

/** Who it is that changes something, and why; each at most 512 characters. Kept for good. */
export interface Accountable {
  readonly by: string;
  readonly why: string;
}

/**
 * Budgets for people. Amounts are US dollars, tokens or calls. Rejects with `input_invalid` for what cannot be meant, with
 * `budget_not_found` and `run_not_found` for a limit that is not there, or with what the store throws.
 */
export interface BudgetControl {
  /** Limits that have ever granted or refused anything, those of single runs left out: these are forgotten with the run. */
  list(query?: BudgetQuery): Promise<readonly BudgetState[]>;
  /** A lasting limit in place of the one in code, as long as that is not more. Raised to what code says, code holds again. */
  raise(budget: BudgetAddress, change: Accountable & { readonly to: number }): Promise<BudgetChange>;
  /** This much more, once: in the current window. Of a window that rolls, until the present has rolled out of it. */
  grant(budget: BudgetAddress, change: Accountable & { readonly amount: number }): Promise<BudgetChange>;
  /** What was spent in the current window does not count any more. What is reserved stays so, and counts when it is spent. */
  reset(budget: BudgetAddress, change: Accountable): Promise<BudgetChange>;
  /** What people have done, oldest first. One whose process died in the middle may be there without having taken effect. */
  changes(query?: BudgetChangeQuery): Promise<readonly BudgetChange[]>;
}

export interface BudgetSources {
  readonly journal: Journal;
  readonly counters: Counters;
  readonly records: Records;
  readonly now: () => number;
}

export function createBudgetControl(sources: BudgetSources): BudgetControl {
  const { records, now } = sources;
  const limitOf = (where: string, budget: BudgetAddress) => {
    checkAddress(`The budget of budgets.${where}`, budget);
    return findLimit(sources, budget);
  };
  return {
    list: async (query = {}) => {
      checkOptions("input_invalid", "budgets.list", query, { ...addressChecks, ...pageChecks });
      const { scope, who, measure, limit, after } = query;
      const wanted = knownLimits(records, beginnings(query), after);
      const found = await taken(wanted, limit, (one) =>
        (scope ?? one.scope) === one.scope && (measure ?? one.measure) === one.measure && sameWho(who ?? one.who, one.who)
          ? one
          : undefined,
      );
      return statesOf(sources, found, now());
    },
    raise: async (budget, change) => {
      checkChange("raise", change, "to");
      return raise(sources, await limitOf("raise", budget), change);
    },
    grant: async (budget, change) => {
      checkChange("grant", change, "amount");
      return grant(sources, await limitOf("grant", budget), change);
    },
    reset: async (budget, change) => {
      checkChange("reset", change);
      return reset(sources, await limitOf("reset", budget), change);
    },
    changes: async (query = {}) => {
      checkOptions("input_invalid", "budgets.changes", query, { budget: () => true, ...pageChecks });
      const { budget, limit, after } = query;
      if (budget !== undefined) checkAddress("The budget of budgets.changes", budget);
      const isWanted = about(budget);
      return taken(recordsAfter(records, budgetKinds.change, after), limit, (one) => {
        const change = changeIn(one);
        return change && isWanted(change) ? change : undefined;
      });
    },
  };
}

const mostAtOnce = 1_000;
const pageChecks: Checks = { limit: isPositiveCount, after: (value) => typeof value === "string" };

/** As many as are asked for of those that `pick` makes something of. */
async function taken<Item, Picked>(
  items: AsyncIterable<Item>,
  limit: number | undefined,
  pick: (item: Item) => Picked | undefined,
): Promise<readonly Picked[]> {
  const most = Math.min(limit ?? 100, mostAtOnce);
  const picked: Picked[] = [];
  for await (const item of items) {
    const one = pick(item);
    if (one !== undefined) picked.push(one);
    if (picked.length >= most) break;
  }
  return picked;
}

/** What the ids of those that are asked for begin with, in order, so that nobody reads past the others. */
function beginnings({ scope, who, measure }: BudgetQuery): readonly string[] {
  const kinds = measure ? [measure] : measures.toSorted();
  if (scope === undefined) return kinds.map((kind) => `${kind}/`);
  return kinds.map((kind) => keyBeginning(kind, scope, who ? keptWho(scope, who) : []));
}

/** Whether a change is about this limit, which need not be known any more. */
function about(budget: BudgetAddress | undefined): (change: BudgetChange) => boolean {
  if (budget === undefined) return () => true;
  if (typeof budget === "string" || budget.per !== undefined) {
    const key = typeof budget === "string" ? budget : describedKey(budget);
    return (change) => change.budget === key;
  }
  const { scope, who = [], measure } = budget;
  return (change) => change.scope === scope && change.measure === measure && sameWho(change.who, keptWho(scope, who));
}

const textWanted = { holds: isText, wanted: "a text of at most 512 characters" };
const amountWanted = { holds: ((value) => isNumber(value) && Number(value) >= 0) satisfies Check, wanted: "a number from 0" };

/** All of it has to be given. What an amount may be in its measure is checked when that is known. */
function checkChange(what: string, change: Accountable, amount?: "to" | "amount") {
  const checks: Checks = { ...(amount ? { [amount]: amountWanted } : {}), by: textWanted, why: textWanted };
  // What is absent is put there as what cannot be used: undefined would count as not given.
  const absent = Object.fromEntries(Object.keys(checks).map((name) => [name, null]));
  const given = Object.entries(isRecord(change) ? change : {}).filter(([, value]) => value !== undefined);
  checkOptions("input_invalid", `budgets.${what}`, { ...absent, ...Object.fromEntries(given) }, checks);
}
