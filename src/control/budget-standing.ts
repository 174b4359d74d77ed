// Where limits stand in their current windows, with all that people have changed, in the units people think in.
import type { Measure } from "../core/cost.ts";
import type { Limit } from "../core/ledger.ts";
import type { CounterState, Counters, Records } from "../core/store.ts";
import { raisedLimit, windowChange } from "../policy/budgets/budget-records.ts";
import { amountIn } from "../policy/budgets/exceeded.ts";
import { windowKeys } from "../policy/keys.ts";
import type { WindowOptions } from "../policy/windows.ts";
import { shownWho } from "./budget-address.ts";
import { windowIn } from "./known-budgets.ts";

/** A limit in its current window. Amounts are US dollars, tokens or calls. */
export interface BudgetState {
  readonly id: string;
  /** `run`, `conversation`, `user`, `tenant`, `agent`, `global`, or a name of your own. */
  readonly scope: string;
  /** Whose it is: the id; of a user or a conversation of a tenant, tenant and id. Nothing for `global`. */
  readonly who: readonly string[];
  readonly measure: Measure;
  /** What it comes to now: what code says or what it was raised to, whichever is more, and what was granted in this window. */
  readonly limit: number;
  /** What was set aside and not settled in time included. */
  readonly spent: number;
  /** Set aside for what is going on, and ahead by processes with slices. */
  readonly reserved: number;
  /** Epoch ms: when something may be free again. Absent when it counts for ever. */
  readonly resetsAt?: number;
  /** What was said about its windows. */
  readonly window: WindowOptions;
}

interface Sources {
  readonly counters: Counters;
  readonly records: Records;
}

/** In the order given. Amounts are read at once, what people have changed a moment later. */
export async function statesOf({ counters, records }: Sources, limits: readonly Limit[], at: number): Promise<readonly BudgetState[]> {
  const keys = limits.map((limit) => windowKeys(limit, at));
  const counts = await counters.read(keys.flat());
  let next = 0;
  const asked = limits.map((limit, position) => {
    const parts = keys[position] ?? [];
    return stateOf(records, limit, at, parts, counts.slice(next, (next += parts.length)));
  });
  return Promise.all(asked);
}

async function stateOf(records: Records, limit: Limit, at: number, keys: readonly string[], counts: readonly CounterState[]) {
  const { key, scope, who, measure, most, window } = limit;
  const [raised = 0, { granted, forgiven }] = await Promise.all([raisedLimit(records, key), windowChange(records, keys)]);
  const { resetsAt } = limit.at(at);
  const told = (amount: number) => amountIn(measure, amount);
  return {
    id: key,
    scope,
    who: shownWho(who),
    measure,
    limit: told(Math.max(most, raised) + granted),
    spent: told(Math.max(0, sumOf(counts, "used") - forgiven)),
    reserved: told(sumOf(counts, "held")),
    ...(resetsAt === undefined ? {} : { resetsAt }),
    window: windowIn(window) ?? {},
  };
}

export const sumOf = <Field extends string>(items: readonly Readonly<Record<Field, number>>[], field: Field): number =>
  items.reduce((sum, item) => sum + item[field], 0);
