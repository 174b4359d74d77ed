// How people name a limit: by its id, or by whose it is. Pure; whether there is such a limit is not known here.
import type { Measure } from "../core/cost.ts";
import { AgentError } from "../core/errors.ts";
import { type Check, type Checks, checkOptions, isRecord, isText, oneOf } from "../core/options.ts";
import { measures } from "../policy/budgets/budgets.ts";
import { keyFor } from "../policy/keys.ts";
import { createWindows, type WindowOptions } from "../policy/windows.ts";

/** Whose limit, of what. With `per` (and `zone`) it is the one of that window; without, the only one there is. */
export interface BudgetDescription extends WindowOptions {
  /** `run`, `conversation`, `user`, `tenant`, `agent`, `global`, or a name of your own. */
  readonly scope: string;
  /** The id; of a user or a conversation of a tenant, tenant and id. Nothing for `global`. */
  readonly who?: readonly string[];
  readonly measure: Measure;
}

/** An id as `list` and `changes` show it, or a description. */
export type BudgetAddress = string | BudgetDescription;

/** How many names tell whose it is, as a limit keeps them. */
const names: Readonly<Record<string, number>> = { conversation: 2, user: 2, global: 0 };

/** As a limit keeps it: what may belong to a tenant always names one, be it none. Throws `input_invalid`. */
export function keptWho(scope: string, who: readonly string[]): readonly string[] {
  const wanted = names[scope] ?? 1;
  const kept = wanted === 2 && who.length === 1 ? ["", ...who] : who;
  if (kept.length === wanted) return kept;
  const what = wanted === 0 ? "nothing: it is everybody's" : wanted === 1 ? "one name" : "an id, or a tenant and an id";
  throw new AgentError("input_invalid", `Of a budget of ${scope}, "who" has to be ${what}.`);
}

/** As people see it: no tenant is not shown. */
export const shownWho = (who: readonly string[]): readonly string[] => (who.length === 2 && who[0] === "" ? who.slice(1) : who);

export const sameWho = (one: readonly string[], other: readonly string[]): boolean =>
  JSON.stringify(shownWho(one)) === JSON.stringify(shownWho(other));

/** What the keys of its limits begin with, whatever they say about time. */
export const keyBeginning = (measure: Measure, scope: string, who: readonly string[]): string => `${keyFor([measure, scope, ...who])}/`;

/** The key of a limit that is described in full. */
export function describedKey({ scope, who = [], measure, per, zone }: BudgetDescription): string {
  const label = createWindows({ ...(per ? { per } : {}), ...(zone ? { zone } : {}) }, "input_invalid", "budget").label;
  return keyFor([measure, scope, ...keptWho(scope, who), label]);
}

/** The run a limit belongs to, from its id; undefined when it is of no run. A scope of the user's cannot be called so. */
export function runInKey(id: string): BudgetDescription | undefined {
  const [first, scope, run, ...rest] = id.split("/");
  const measure = measures.find((one) => one === first);
  return measure && scope === "run" && run && rest.length === 0 ? { scope, who: [decoded(run)], measure } : undefined;
}

/** What is no key of ours names no run that there is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const isName: Check = (value) => typeof value === "string" && value.isWellFormed();
const isWho: Check = (value) => Array.isArray(value) && value.every(isName);

/** For whatever names a limit, or some of them. */
export const addressChecks = {
  scope: (value) => isText(value) && isName(value),
  who: { holds: isWho, wanted: 'a list of texts, such as ["u1"], or ["acme", "u1"] of a tenant' },
  measure: oneOf(...measures),
} satisfies Checks;

/** Throws `input_invalid`. */
export function checkAddress(where: string, address: BudgetAddress): void {
  if (typeof address === "string") return;
  const isWindow: Check = (value) => typeof value === "string" || isRecord(value);
  checkOptions("input_invalid", where, address, { ...addressChecks, per: isWindow, zone: isWindow });
  for (const name of ["scope", "measure"] as const)
    if (address[name] === undefined) throw new AgentError("input_invalid", `${where} needs "${name}", or the id of a budget.`);
}
