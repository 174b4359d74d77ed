// The budgets of an agent, compiled: which limits cover a run, under which keys. Pure; where they stand is the ledger's to know.

import type { Measure } from "../../core/cost.ts";
import { AgentError } from "../../core/errors.ts";
import type { RunFacts } from "../../core/facts.ts";
import type { AmountCaps } from "../../core/journal.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { Limit } from "../../core/ledger.ts";
import { nanoCapOf } from "../../core/price.ts";
import { keyFor, keyPart } from "../keys.ts";
import { createWindows, type WindowOptions, type Windows } from "../windows.ts";
import {
  type AmountLimits,
  type BudgetLimit,
  type BudgetOptions,
  budgetDefaults,
  limitsIn,
  type SharedScope,
  sharedScopes,
} from "./budget-options.ts";

/** How budgets are kept, besides their limits. */
export interface BudgetTerms {
  readonly nearAt: number;
  readonly spacingMs: number;
  readonly maxOutputTokens: number;
  readonly minOutputTokens: number;
  readonly stopsAtUnknownUsage: boolean;
}

export interface Budgets {
  readonly terms: BudgetTerms;
  /** Caps of a run when it is not given others. */
  readonly run: AmountCaps | undefined;
  /** Something is counted in money, so that every model needs a price. */
  readonly countsMoney: boolean;
  /** Anything is limited, for every run. */
  readonly any: boolean;
  /** The lowest cap in money, in nano-dollars: no call can cost more; undefined when nothing limits it. */
  readonly smallestUsd: number | undefined;
  /** How much of a counter is reserved ahead; undefined = nothing. */
  sliceOf(key: string): number | undefined;
  /** Whether anything is reserved ahead. */
  readonly slices: boolean;
  /** Every limit of this agent's that covers the run. Throws `input_invalid` when one cannot be told whom it is about. */
  limitsOf(run: RunFacts, caps: AmountCaps | undefined): readonly Limit[];
}

/** One limit with the scope it is for, before it is known whom it is about. */
interface Rule {
  readonly scope: string;
  readonly windows: Windows;
  readonly window: Json;
  readonly amounts: AmountCaps;
  readonly slice: number;
  readonly whoOf: (run: RunFacts) => readonly string[] | undefined;
}

/** The options have been checked. Throws `configuration_invalid` for windows that are none. */
export function compileBudgets(options: BudgetOptions = {}): Budgets {
  const { run, near = {}, maxOutputTokens, minOutputTokens } = options;
  const rules = [...sharedScopes.flatMap((scope) => sharedRules(options, scope)), ...customRules(options)];
  const caps = run && amountCaps(run);
  const everyUsd = [caps, ...rules.map(({ amounts }) => amounts)].flatMap((amounts) => (amounts?.usd === undefined ? [] : [amounts.usd]));
  return {
    terms: {
      nearAt: near.at ?? budgetDefaults.near.at,
      spacingMs: near.spacingMs ?? 0,
      maxOutputTokens: maxOutputTokens ?? budgetDefaults.maxOutputTokens,
      stopsAtUnknownUsage: options.onUnknownUsage === "stop",
      minOutputTokens: minOutputTokens ?? budgetDefaults.minOutputTokens,
    },
    run: caps,
    countsMoney: everyUsd.length > 0,
    any: caps !== undefined || rules.length > 0,
    slices: rules.some(({ slice }) => slice > 0),
    sliceOf: (key) => sliceOf(rules, key),
    smallestUsd: everyUsd.length > 0 ? Math.min(...everyUsd) : undefined,
    limitsOf: (facts, runCaps) => [...(runCaps ? runLimits(facts, runCaps) : []), ...rules.flatMap((rule) => limitsOfRule(rule, facts))],
  };
}

/** Dollars become nano-dollars, rounded down: a cap is not passed by a rounding. */
export const amountCaps = ({ usd, tokens, calls }: AmountLimits): AmountCaps => ({
  ...(usd === undefined ? {} : { usd: nanoCapOf(usd) }),
  ...(tokens === undefined ? {} : { tokens }),
  ...(calls === undefined ? {} : { calls }),
});

function sharedRules(options: BudgetOptions, scope: SharedScope): readonly Rule[] {
  return limitsIn(options[scope]).map((limit) => ruleOf(scope, limit, (run) => whoOf(scope, run)));
}

function customRules({ custom = {} }: BudgetOptions): readonly Rule[] {
  return Object.entries(custom).map(([scope, { key, ...limit }]) => ruleOf(scope, limit, (run) => customWho(scope, key, run)));
}

const ruleOf = (scope: string, limit: BudgetLimit, who: Rule["whoOf"]): Rule => ({
  scope,
  windows: createWindows(windowOf(limit), "configuration_invalid", `budget.${scope}`),
  window: windowOf(limit),
  amounts: amountCaps(limit),
  slice: limit.slice ?? 0,
  whoOf: once(who),
});

/** A key of the user's is asked for once for a run as it is passed over: what it answered then covers all of it. */
function once(who: Rule["whoOf"]): Rule["whoOf"] {
  const known = new WeakMap<RunFacts, ReturnType<Rule["whoOf"]>>();
  return (run) => {
    if (known.has(run)) return known.get(run);
    const whom = who(run);
    known.set(run, whom);
    return whom;
  };
}

/** By the parts of the key that say which limit it is of: scope and what is said of windows; whose it is does not matter. */
function sliceOf(rules: readonly Rule[], key: string): number | undefined {
  const [measure, scope, ...rest] = key.split("/");
  const ofKey = ({ scope: name, windows }: Rule) => keyPart(name) === scope && keyPart(windows.label) === rest.at(-2);
  const counted = measures.find((one) => one === measure);
  const rule = counted && rules.find((one) => one.slice > 0 && one.amounts[counted] !== undefined && ofKey(one));
  return (rule && Math.floor((rule.amounts[counted] ?? 0) * rule.slice)) || undefined;
}

export const windowOf = ({ per, zone }: WindowOptions): WindowOptions & JsonObject => ({
  ...(per === undefined ? {} : { per: typeof per === "object" ? { rollingMs: per.rollingMs } : per }),
  ...(zone === undefined ? {} : { zone }),
});

/** Users and conversations of different tenants never meet, whatever their ids. */
export function whoOf(scope: SharedScope, { agent, user, conversationId }: RunFacts, what = "budget"): readonly string[] {
  const tenant = user?.tenant ?? "";
  const given = (id: string | undefined, option: string) => {
    if (id !== undefined) return id;
    throw new AgentError("input_invalid", `The agent has a ${what} for each ${scope}, and this run is of none; give it "${option}".`);
  };
  switch (scope) {
    case "conversation":
      return [tenant, given(conversationId, "conversationId")];
    case "user":
      return [tenant, given(user?.id, "user")];
    case "tenant":
      return [given(user?.tenant, "user.tenant")];
    case "agent":
      return [agent];
    case "global":
      return [];
  }
}

function customWho(scope: string, key: (run: RunFacts) => string | undefined, run: RunFacts): readonly string[] | undefined {
  const who: unknown = keyOf(scope, key, run);
  if (who === undefined) return undefined;
  if (typeof who === "string" && who !== "" && who.isWellFormed()) return [who];
  throw new AgentError("input_invalid", `The key of budget.custom.${scope} answered something else than a text or undefined.`);
}

function keyOf(scope: string, key: (run: RunFacts) => unknown, run: RunFacts): unknown {
  try {
    return key(run);
  } catch (cause) {
    throw new AgentError("input_invalid", `The key of budget.custom.${scope} threw.`, { cause });
  }
}

export const measures = ["usd", "tokens", "calls"] as const satisfies readonly Measure[];

function limitsOfRule({ scope, windows, window, amounts, whoOf: who }: Rule, run: RunFacts): readonly Limit[] {
  const whom = who(run);
  if (!whom) return [];
  return measures.flatMap((measure) => {
    const most = amounts[measure];
    if (most === undefined) return [];
    const key = keyFor([measure, scope, ...whom, windows.label]);
    return [
      {
        scope,
        who: whom,
        measure,
        key,
        window,
        most,
        at: (now: number) => windows.at(now),
      },
    ];
  });
}

const forEver = { name: "", also: [] };

function runLimits({ id }: RunFacts, caps: AmountCaps): readonly Limit[] {
  return measures.flatMap((measure) => {
    const most = caps[measure];
    return most === undefined
      ? []
      : [{ scope: "run", who: [id], measure, key: keyFor([measure, "run", id]), window: {}, most, run: id, at: () => forEver }];
  });
}
