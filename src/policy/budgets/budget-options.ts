// What may be said about what runs cost, and the checks of it. Invariant: what is wrong is an error before anything is spent.
import { AgentError, type ErrorCode } from "../../core/errors.ts";
import type { RunFacts } from "../../core/facts.ts";
import type { Model } from "../../core/model.ts";
import {
  type Check,
  type Checks,
  checkOptions,
  isAmount,
  isCount,
  isFunction,
  isNumber,
  isPositiveCount,
  isRecord,
  isText,
  oneOf,
  severalOf,
} from "../../core/options.ts";
import { nanoOf } from "../../core/price.ts";
import { type WindowOptions, windowChecks } from "../windows.ts";

/** Caps of an amount; each that is given holds, and 0 admits nothing. */
export interface AmountLimits {
  /** US dollars. */
  readonly usd?: number;
  /** Input and output together. */
  readonly tokens?: number;
  /** Attempts at model calls, and at tools that cost something. */
  readonly calls?: number;
}

/** Caps of whatever shares a key: a user, a tenant, everybody. Without `per` they hold for ever. */
export interface BudgetLimit extends AmountLimits, WindowOptions {
  /**
   * The share of the cap that a process reserves ahead, above 0 to 0.5, so that many calls a second need not wait for one row of the store.
   * A process that dies takes at most this share with it.
   */
  readonly slice?: number;
}

/** One limit, or several that all hold. */
export type BudgetLimits = BudgetLimit | readonly BudgetLimit[];

/** Caps under a key of your own. */
export interface CustomBudget extends BudgetLimit {
  /** Who shares the cap in this run; undefined: it does not concern the run. One that throws fails the run's start. */
  readonly key: (run: RunFacts) => string | undefined;
}

/** What happens when a cap is nearly used up. */
export interface NearOptions {
  /** From which share of a cap on; default 0.8. */
  readonly at?: number;
  /** A cheaper model that is asked from then on. */
  readonly downgradeTo?: Model;
  /** How long every turn waits from then on before it asks its model, in milliseconds. */
  readonly spacingMs?: number;
}

/** The answer a run that cannot go on is wrapped up with. */
export interface WrapUpOptions {
  /** How long it may be; default 400. */
  readonly maxOutputTokens?: number;
}

/** Caps of what runs cost. All that cover a run hold: what one of them cannot afford is not done. */
export interface BudgetOptions {
  /** One run, with the runs within it. */
  readonly run?: AmountLimits;
  /** All runs of one conversation, user, tenant, this agent, or all that share the store: each in a window of its own, if any. */
  readonly conversation?: BudgetLimits;
  readonly user?: BudgetLimits;
  readonly tenant?: BudgetLimits;
  readonly agent?: BudgetLimits;
  readonly global?: BudgetLimits;
  /** By a name of yours, which results and errors show as the scope. */
  readonly custom?: Readonly<Record<string, CustomBudget>>;
  readonly near?: NearOptions;
  /** Money for it is kept back from `run`; `false`: none is kept and no such answer asked for. */
  readonly wrapUp?: WrapUpOptions | false;
  /**
   * What becomes of a run whose model does not say what an answer used: `charge` (default) counts the most it can be and goes on, `stop`
   * makes the next paid step `usage_unknown`.
   */
  readonly onUnknownUsage?: "charge" | "stop";
  /** What an answer may be as long as when the agent's settings do not say; default 4,096. */
  readonly maxOutputTokens?: number;
  /** The shortest answer that is worth paying for; default 256. A call that can afford less is not made. */
  readonly minOutputTokens?: number;
  /** Counts the tokens of a text before it is sent; default an estimate that is rather too high. */
  readonly countTokens?: (text: string) => number;
}

/** What holds when nothing is said; docs/defaults.md is tested against it. */
export const budgetDefaults = {
  near: { at: 0.8 },
  wrapUp: { maxOutputTokens: 400 },
  onUnknownUsage: "charge",
  maxOutputTokens: 4_096,
  minOutputTokens: 256,
} as const;

export const sharedScopes = ["conversation", "user", "tenant", "agent", "global"] as const;
export type SharedScope = (typeof sharedScopes)[number];

/** What can be counted exactly: whole nano-dollars within the safe integers. */
const isUsd: Check = (value) => isNumber(value) && Number(value) >= 0 && Number.isSafeInteger(nanoOf(Number(value)));
const isShare: Check = (value) => isAmount(value) && Number(value) <= 1;

const usdWanted = { holds: isUsd, wanted: "US dollars from 0 to 9,000,000" };
const amountChecks: Checks = {
  usd: usdWanted,
  tokens: { holds: isCount, wanted: "a whole number from 0" },
  calls: { holds: isCount, wanted: "a whole number from 0" },
};
const limitChecks: Checks = {
  ...amountChecks,
  ...windowChecks,
  slice: { holds: (value) => isAmount(value) && Number(value) <= 0.5, wanted: "a share above 0, at most 0.5" },
};
const isLimits: Check = (value) => isRecord(value) || Array.isArray(value);
const budgetChecks: Checks = {
  run: isRecord,
  conversation: isLimits,
  user: isLimits,
  tenant: isLimits,
  agent: isLimits,
  global: isLimits,
  custom: isRecord,
  near: isRecord,
  wrapUp: (value) => value === false || isRecord(value),
  onUnknownUsage: oneOf("charge", "stop"),
  maxOutputTokens: isPositiveCount,
  minOutputTokens: isPositiveCount,
  countTokens: isFunction,
};

/** Throws `errorCode`. */
export function checkBudget(errorCode: ErrorCode, budget: BudgetOptions): void {
  checkOptions(errorCode, "budget", budget, budgetChecks);
  const { run, custom = {}, near = {}, wrapUp } = budget;
  if (run) checkAmounts(errorCode, "budget.run", run);
  for (const scope of sharedScopes) for (const limit of limitsIn(budget[scope])) checkLimit(errorCode, `budget.${scope}`, limit);
  for (const [name, { key, ...limit }] of Object.entries(custom)) {
    if (name === "run" || sharedScopes.some((scope) => scope === name))
      throw new AgentError(errorCode, `budget.custom cannot have a scope "${name}": that is the name of one of ours.`);
    if (!isText(name)) throw new AgentError(errorCode, "budget.custom needs names of 1 to 512 characters for its scopes.");
    if (!isFunction(key))
      throw new AgentError(errorCode, `budget.custom.${name} needs "key": a function of the run that names who shares it.`);
    checkLimit(errorCode, `budget.custom.${name}`, limit);
  }
  checkOptions(errorCode, "budget.near", near, {
    at: { holds: isShare, wanted: "a share above 0, at most 1" },
    downgradeTo: isRecord,
    spacingMs: isAmount,
  });
  if (wrapUp) checkOptions(errorCode, "budget.wrapUp", wrapUp, { maxOutputTokens: isPositiveCount });
}

/** Throws `errorCode`; for the budget of a single run too. */
export function checkAmounts(errorCode: ErrorCode, where: string, amounts: AmountLimits): void {
  checkOptions(errorCode, where, amounts, amountChecks);
}

function checkLimit(errorCode: ErrorCode, where: string, limit: BudgetLimit) {
  checkOptions(errorCode, where, limit, limitChecks);
  if (limit.usd === undefined && limit.tokens === undefined && limit.calls === undefined)
    throw new AgentError(errorCode, `${where} limits nothing; give it usd, tokens or calls.`);
}

export const limitsIn = (limits: BudgetLimits | undefined): readonly BudgetLimit[] => (limits === undefined ? [] : severalOf(limits));
