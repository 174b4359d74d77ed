// Finds limits in a store: those that were ever used, as they were written down, and those of a run, as its journal says them.
import { AgentError } from "../core/errors.ts";
import type { RunCaps } from "../core/journal.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import type { Limit } from "../core/ledger.ts";
import type { Journal, Records, Versioned } from "../core/store.ts";
import { decode } from "../journal/codec.ts";
import { budgetKinds } from "../policy/budgets/budget-records.ts";
import { compileBudgets, measures } from "../policy/budgets/budgets.ts";
import { createWindows, type WindowOptions } from "../policy/windows.ts";
import { type BudgetAddress, type BudgetDescription, describedKey, keptWho, keyBeginning, runInKey } from "./budget-address.ts";

const pageSize = 100;

/** Documents one after the other, read a page at a time. */
export async function* recordsAfter(records: Records, kind: string, after: string | undefined): AsyncGenerator<Versioned> {
  let last = after;
  for (;;) {
    const page = await records.list(kind, { limit: pageSize, ...(last === undefined ? {} : { after: last }) });
    yield* page;
    last = page.at(-1)?.id;
    if (page.length < pageSize) return;
  }
}

/** By key, from after `after` on: the limits whose keys begin with one of `beginnings`, which are in order. */
export async function* knownLimits(records: Records, beginnings: readonly string[], after = ""): AsyncGenerator<Limit> {
  for (const beginning of beginnings) {
    const from = after > beginning ? after : beginning;
    for await (const { id, value } of recordsAfter(records, budgetKinds.known, from)) {
      if (!id.startsWith(beginning)) break;
      const limit = limitIn(value);
      if (limit) yield limit;
    }
  }
}

/** Throws `budget_not_found`, `run_not_found`, or `input_invalid` for a description that several limits answer to. */
export async function findLimit({ journal, records }: { journal: Journal; records: Records }, address: BudgetAddress): Promise<Limit> {
  const ofRun = typeof address === "string" ? runInKey(address) : address.scope === "run" ? address : undefined;
  if (ofRun) return limitOfRun(journal, ofRun);
  const limit =
    typeof address === "string" || address.per !== undefined
      ? limitIn((await records.get(budgetKinds.known, typeof address === "string" ? address : describedKey(address)))?.value ?? null)
      : await onlyLimit(records, address);
  if (limit) return limit;
  throw notFound(typeof address === "string" ? "of this id" : `of ${address.scope} in ${address.measure}, of this name and window,`);
}

async function onlyLimit(records: Records, { scope, who = [], measure }: BudgetDescription): Promise<Limit | undefined> {
  const found: Limit[] = [];
  for await (const limit of knownLimits(records, [keyBeginning(measure, scope, keptWho(scope, who))])) found.push(limit);
  if (found.length < 2) return found[0];
  throw new AgentError(
    "input_invalid",
    `There are ${found.length} budgets of ${scope} in ${measure} with this name; say which by "per", or by its id.`,
  );
}

/** As the latest pass over the run was told. */
async function limitOfRun(journal: Journal, { who = [], measure }: BudgetDescription): Promise<Limit> {
  const [runId = ""] = keptWho("run", who);
  const lines = await journal.load(runId);
  if (!lines) throw new AgentError("run_not_found", `There is no run ${runId} in this store.`, { details: { runId } });
  let caps: RunCaps | undefined;
  for (const entry of lines.map(decode)) {
    if (entry.type === "run.ended") throw notFound(`of the run ${runId}: it has ended, so none`);
    if (entry.type === "run.started" || entry.type === "run.resumed") caps = entry.caps;
  }
  const limits = compileBudgets().limitsOf({ id: runId, agent: "", agentVersion: "", context: undefined }, caps?.budget);
  const limit = limits.find((one) => one.measure === measure);
  if (limit) return limit;
  throw notFound(`of the run ${runId} in ${measure}`);
}

const notFound = (what: string) => new AgentError("budget_not_found", `The store knows no budget ${what}.`);

/** What this release cannot read, since a newer one has written it, is left out. */
function limitIn(value: Json): Limit | undefined {
  if (!isJsonObject(value)) return undefined;
  const { key, scope, who, measure, most, window = null } = value;
  const measured = measures.find((one) => one === measure);
  const whom = Array.isArray(who) ? who.filter((name): name is string => typeof name === "string") : undefined;
  const windows = windowsIn(window);
  if (typeof key !== "string" || typeof scope !== "string" || typeof most !== "number" || !whom || !measured || !windows) return undefined;
  return { key, scope, who: whom, measure: measured, most, window, at: (now) => windows.at(now) };
}

function windowsIn(window: Json) {
  try {
    const options = windowIn(window);
    return options && createWindows(options, "journal_corrupt", "budget");
  } catch {
    return undefined;
  }
}

/** What was said about windows when it was written down. */
export function windowIn(window: Json): WindowOptions | undefined {
  const { per, zone } = isJsonObject(window) ? window : {};
  const inZone = typeof zone === "string" ? { zone } : {};
  if (per === undefined) return inZone;
  if (per === "hour" || per === "day" || per === "month") return { per, ...inZone };
  const rollingMs = isJsonObject(per) ? per["rollingMs"] : undefined;
  return typeof rollingMs === "number" ? { per: { rollingMs }, ...inZone } : undefined;
}
