// Raises, grants and resets, as ledgers read them from the records: each for one limit, all but a raise for its current window.
import type { Measure } from "../core/cost.ts";
import { AgentError } from "../core/errors.ts";
import type { Limit } from "../core/ledger.ts";
import { nanoCapOf } from "../core/price.ts";
import type { CounterState, Counters, Records } from "../core/store.ts";
import { budgetKinds, changeIn, raisedIn, raisedLimit } from "../policy/budgets/budget-records.ts";
import { amountIn } from "../policy/budgets/exceeded.ts";
import { windowKeys } from "../policy/keys.ts";
import { type BudgetChange, type ChangeFacts, changeRecorded, record, rewrite } from "./budget-changes.ts";
import { sumOf } from "./budget-standing.ts";

interface Sources {
  readonly counters: Counters;
  readonly records: Records;
  readonly now: () => number;
}

type Said = Pick<BudgetChange, "by" | "why">;

export function raise({ records, now }: Sources, limit: Limit, { to, by, why }: Said & { readonly to: number }): Promise<BudgetChange> {
  const most = countOf(limit.measure, to, "to");
  if (most < limit.most) {
    const inCode = amountIn(limit.measure, limit.most);
    throw new AgentError(
      "input_invalid",
      `budgets.raise can only raise, and code says ${inCode} ${limit.measure}; to lower that, change the code.`,
    );
  }
  const facts: ChangeFacts = { limit, at: now(), by, why, what: "raise" };
  return changeRecorded(records, facts, { kind: budgetKinds.raised, id: limit.key }, (value) => ({
    from: Math.max(limit.most, raisedIn(value) ?? 0),
    to: most,
    value: { most },
  }));
}

export async function grant(
  { records, now }: Sources,
  limit: Limit,
  { amount, by, why }: Said & { readonly amount: number },
): Promise<BudgetChange> {
  const more = countOf(limit.measure, amount, "amount");
  if (more === 0) throw new AgentError("input_invalid", "budgets.grant cannot use an amount of nothing.");
  const at = now();
  const [id = limit.key] = windowKeys(limit, at);
  const most = Math.max(limit.most, (await raisedLimit(records, limit.key)) ?? 0);
  return changeRecorded(records, factsOf(limit, at, "grant", { by, why }), { kind: budgetKinds.window, id }, (value) => {
    const { granted, forgiven } = changeIn(value);
    if (!Number.isSafeInteger(most + forgiven + granted + more)) throw tooMuch("amount");
    return { from: granted, to: granted + more, value: { granted: granted + more, forgiven } };
  });
}

/**
 * Of a window that rolls, part by part: what is forgiven in one goes with it. A crash in the middle leaves some of them as they were, and a
 * second reset does the rest.
 */
export async function reset({ counters, records, now }: Sources, limit: Limit, { by, why }: Said): Promise<BudgetChange> {
  const at = now();
  const keys = windowKeys(limit, at);
  const [counts, before] = await Promise.all([settledCounts(counters, keys), Promise.all(keys.map((key) => forgivenIn(records, key)))]);
  const from = sumOf(counts, "used") - before.reduce((sum, forgiven) => sum + forgiven, 0);
  const left = counts.reduce((sum, { used, settled }, position) => sum + used - Math.max(settled, before[position] ?? 0), 0);
  const change = await record(records, factsOf(limit, at, "reset", { by, why }), { from: Math.max(0, from), to: Math.max(0, left) });
  for (const [position, { settled }] of counts.entries()) {
    if (settled <= (before[position] ?? 0)) continue;
    await rewrite(records, budgetKinds.window, keys[position] ?? limit.key, (value) => {
      const { granted, forgiven } = changeIn(value);
      return { granted, forgiven: Math.max(forgiven, settled) };
    });
  }
  return change;
}

const forgivenIn = async (records: Records, id: string): Promise<number> =>
  changeIn((await records.get(budgetKinds.window, id))?.value ?? {}).forgiven;

function factsOf(limit: Limit, at: number, what: ChangeFacts["what"], said: Said): ChangeFacts {
  const { name } = limit.at(at);
  return { limit, at, what, ...said, ...(name === "" ? {} : { window: name }) };
}

interface Settled extends CounterState {
  /** What was used for certain. */
  readonly settled: number;
}

/** So often the counters may have moved while they were looked at. */
const mostLooks = 5;

/**
 * What has run out counts as used until somebody says what it really was, which may be less. Forgiving it would leave room for more than the
 * limit then, so it is told apart: it is what is open and not held.
 */
async function settledCounts(counters: Counters, keys: readonly string[]): Promise<readonly Settled[]> {
  for (let looks = 1; ; looks++) {
    const before = await counters.read(keys);
    const open = Map.groupBy(await counters.open(""), ({ key }) => key);
    const after = await counters.read(keys);
    const moving = JSON.stringify(before) !== JSON.stringify(after);
    if (moving && looks < mostLooks) continue;
    return after.map((count, position) => {
      const unsettled = sumOf(open.get(keys[position] ?? "") ?? [], "amount");
      // Of counters that never stand still everything open is taken for run out: rather too little is forgiven than too much.
      const runOut = moving ? unsettled : Math.max(0, unsettled - count.held);
      return { ...count, settled: Math.max(0, count.used - runOut) };
    });
  }
}

/** In nano-dollars, tokens or calls. */
function countOf(measure: Measure, amount: number, name: string): number {
  const count = measure === "usd" ? nanoCapOf(amount) : amount;
  if (Number.isSafeInteger(count)) return count;
  if (measure !== "usd" && !Number.isInteger(amount))
    throw new AgentError("input_invalid", `"${name}" has to be a whole number of ${measure}.`);
  throw tooMuch(name);
}

const tooMuch = (name: string) => new AgentError("input_invalid", `With this as "${name}" the budget would be more than can be counted.`);
