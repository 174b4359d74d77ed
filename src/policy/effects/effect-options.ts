// What may be said about how often tools may act, and for how much; and the checks of it, made before anything is spent.
import { AgentError, type ErrorCode } from "../../core/errors.ts";
import { type Check, type Checks, checkOptions, isCount, isNumber, isRecord, isText, severalOf } from "../../core/options.ts";
import { sharedScopes } from "../budgets/budget-options.ts";
import { type WindowOptions, windowChecks } from "../windows.ts";

/**
 * How many calls of a tool are made, for each scope that is named: the limit-th is made, the next is not. `Infinity`: as many as there
 * are, for a scope in which only `sum` counts. Without `per` a limit holds for ever.
 */
export interface EffectLimit extends WindowOptions {
  readonly run?: number;
  readonly conversation?: number;
  readonly user?: number;
  readonly tenant?: number;
  /** All runs of this agent. */
  readonly agent?: number;
  /** All runs of all agents that share the store. */
  readonly global?: number;
  /** An argument of the tool whose values add up in each of these scopes. A call in which it is no number from 0 is not made. */
  readonly sum?: string;
  /** What they may come to. */
  readonly max?: number;
}

/** By the name of the tool: one limit, or several that all hold. */
export type EffectLimits = Readonly<Record<string, EffectLimit | readonly EffectLimit[]>>;

export const effectScopes = ["run", ...sharedScopes] as const;
export type EffectScope = (typeof effectScopes)[number];

/** Sums are counted in these parts of one: 0.1 and 0.2 are 0.3. */
const partsOfOne = 1_000_000;

/** Rounded up, but not for what binary fractions add to a decimal number. */
export const partsIn = (amount: number): number => Math.ceil(Number((amount * partsOfOne).toPrecision(15)));

/** Of a limit: rounded down. */
export const partsUpTo = (max: number): number => Math.floor(Number((max * partsOfOne).toPrecision(15)));

export const wholeOf = (parts: number): number => parts / partsOfOne;

const isLimit: Check = (value) => isCount(value) || value === Number.POSITIVE_INFINITY;
const isMax: Check = (value) => isNumber(value) && Number(value) >= 0 && Number.isSafeInteger(partsUpTo(Number(value)) + 1);

const limitChecks: Checks = {
  ...Object.fromEntries(effectScopes.map((scope) => [scope, { holds: isLimit, wanted: "a whole number from 0, or Infinity" }])),
  ...windowChecks,
  sum: { holds: isText, wanted: "the name of an argument" },
  max: { holds: isMax, wanted: "a number from 0 to 9,000,000,000" },
};

/** Throws `errorCode`. */
export function checkEffects(errorCode: ErrorCode, effects: EffectLimits): void {
  for (const [tool, limits] of Object.entries(effects)) {
    const given: unknown = limits;
    if (!isRecord(given) && !Array.isArray(given))
      throw new AgentError(errorCode, `limits.effects.${tool} has to be a limit, or a list of limits.`);
    for (const limit of effectLimitsIn(limits)) checkLimit(errorCode, `limits.effects.${tool}`, limit);
  }
}

/** Throws `errorCode` for a name that no tool has: what is misspelt would limit nothing. */
export function checkEffectTools(errorCode: ErrorCode, effects: EffectLimits, tools: ReadonlyMap<string, unknown>): void {
  const unknown = Object.keys(effects).find((name) => !tools.has(name));
  if (unknown === undefined) return;
  const names = tools.size > 0 ? `its tools are ${[...tools.keys()].join(", ")}` : "it has no tools";
  throw new AgentError(errorCode, `limits.effects names "${unknown}", which is no tool of the agent; ${names}.`);
}

function checkLimit(errorCode: ErrorCode, where: string, limit: EffectLimit) {
  checkOptions(errorCode, where, limit, limitChecks);
  const { sum, max } = limit;
  if ((sum === undefined) !== (max === undefined))
    throw new AgentError(errorCode, `${where} needs "sum" and "max" together: which argument adds up, and to what at most.`);
  const counts = effectScopes.flatMap((scope) => limit[scope] ?? []);
  if (counts.length === 0) throw new AgentError(errorCode, `${where} limits nothing; give it ${effectScopes.join(", ")}.`);
  if (sum === undefined && !counts.some(Number.isFinite))
    throw new AgentError(errorCode, `${where} limits nothing: Infinity is for scopes in which only a sum counts.`);
}

export const effectLimitsIn = (limits: EffectLimits[string]): readonly EffectLimit[] => severalOf(limits);
