// The limits of effects of an agent, compiled: which of them a call is under, and what it holds of each. Pure; where they stand is known elsewhere.
import type { Act } from "../../core/act.ts";
import { AgentError } from "../../core/errors.ts";
import type { RunFacts } from "../../core/facts.ts";
import type { Window } from "../../core/ledger.ts";
import type { CounterState, Hold } from "../../core/store.ts";
import { whoOf, windowOf } from "../budgets/budgets.ts";
import { keyFor } from "../keys.ts";
import { type ByStore, holdIn } from "../window-hold.ts";
import { createWindows, type Windows } from "../windows.ts";
import {
  type EffectLimit,
  type EffectLimits,
  type EffectScope,
  effectLimitsIn,
  effectScopes,
  partsIn,
  partsUpTo,
  wholeOf,
} from "./effect-options.ts";

/** One limit, and whom it is about. */
export interface EffectRule {
  readonly tool: string;
  readonly scope: EffectScope;
  /** The argument that adds up; undefined: calls are counted. */
  readonly sum: string | undefined;
  /** The same in all its windows. */
  readonly key: string;
  /** In calls, or in parts of what adds up. */
  readonly most: number;
  /** The run it belongs to, when it is one of a run. */
  readonly run: string | undefined;
  at(now: number): Window;
}

export interface Effects {
  readonly any: boolean;
  /** Something is counted for each run. */
  readonly perRun: boolean;
  /** By the name of the tool. Throws `input_invalid` when a limit cannot be told whom it is about. */
  limitsOf(run: RunFacts): ReadonlyMap<string, readonly EffectRule[]>;
}

/** The options have been checked. Throws `configuration_invalid` for windows that are none. */
export function compileEffects(options: EffectLimits = {}): Effects {
  const compiled = Object.entries(options).flatMap(([tool, limits]) =>
    effectLimitsIn(limits).map((limit) => ({
      tool,
      limit: { ...limit },
      windows: createWindows(windowOf(limit), "configuration_invalid", `limits.effects.${tool}`),
    })),
  );
  return {
    any: compiled.length > 0,
    perRun: compiled.some(({ limit }) => limit.run !== undefined),
    limitsOf: (run) => {
      const rules = compiled.flatMap(({ tool, limit, windows }) => rulesOf(tool, limit, windows, run));
      return Map.groupBy(rules, ({ tool }) => tool);
    },
  };
}

function rulesOf(tool: string, limit: EffectLimit, windows: Windows, run: RunFacts): readonly EffectRule[] {
  return effectScopes.flatMap((scope) => {
    const count = limit[scope];
    if (count === undefined) return [];
    const who = scope === "run" ? [run.id] : whoOf(scope, run, "limit");
    const rule = (sum: string | undefined, most: number): EffectRule => ({
      tool,
      scope,
      sum,
      // Budgets begin with what they measure, which is never this.
      key: keyFor(["effect", tool, ...(sum === undefined ? ["count"] : ["sum", sum]), scope, ...who, windows.label]),
      most,
      run: scope === "run" ? run.id : undefined,
      at: (now) => windows.at(now),
    });
    const { sum, max } = limit;
    return [
      ...(Number.isFinite(count) ? [rule(undefined, count)] : []),
      ...(sum === undefined || max === undefined ? [] : [rule(sum, partsUpTo(max))]),
    ];
  });
}

/** A hold, with the limit it is under. */
export interface AskedPlace {
  readonly hold: Hold;
  readonly rule: EffectRule;
}

/** By the key of the counter; an error for arguments of which nobody can say what they come to. */
export function placesOf(
  rules: readonly EffectRule[],
  act: Act,
  now: number,
  byStore: ByStore,
): ReadonlyMap<string, AskedPlace> | AgentError {
  const places = new Map<string, AskedPlace>();
  for (const rule of rules) {
    const amount = amountOf(rule, act);
    if (amount instanceof AgentError) return amount;
    const hold = holdIn(rule, { amount, limit: rule.most }, now, byStore);
    const said = places.get(hold.key);
    // Said twice of the same calls, the tighter limit holds.
    if (!said || rule.most < said.hold.limit) places.set(hold.key, { hold, rule });
  }
  return places;
}

/** What is too much in any case is no more than that: counters count exactly. */
function amountOf({ sum, tool, most }: EffectRule, { input }: Act): number | AgentError {
  if (sum === undefined) return 1;
  const value: unknown = typeof input === "object" && input !== null ? Reflect.get(input, sum) : undefined;
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return Math.min(partsIn(value), most + 1);
  return new AgentError(
    "tool_input_invalid",
    `${sum} of ${tool} has to be a number from 0, for what it comes to is limited; it was not executed.`,
  );
}

const whose: Readonly<Record<EffectScope, string>> = {
  run: "in this run",
  conversation: "in this conversation",
  user: "for this user",
  tenant: "for this tenant",
  agent: "by this agent",
  global: "by all",
};

/** Numbers in `details` are calls, or what the argument counts; `resetsAt` is epoch ms, and absent when the limit holds for ever. */
export function overLimit({ rule, hold }: AskedPlace, { used, held }: CounterState, now: number): AgentError {
  const { tool, scope, sum } = rule;
  const told = (amount: number) => (sum === undefined ? amount : wholeOf(amount));
  const { resetsAt } = rule.at(now);
  const most = told(hold.limit);
  const what =
    sum === undefined
      ? `${tool} may be called ${most} times ${whose[scope]}, and has been`
      : `${sum} of ${tool} may come to ${most} ${whose[scope]}, of which ${told(Math.max(0, hold.limit - used - held))} are left`;
  const again = resetsAt === undefined ? "" : ` There may be more from ${new Date(resetsAt).toISOString()} on.`;
  return new AgentError("effect_limit", `${what}; this call was not executed.${again}`, {
    details: {
      tool,
      scope,
      limit: most,
      used: told(used + held),
      ...(sum === undefined ? {} : { sum }),
      ...(resetsAt === undefined ? {} : { resetsAt }),
    },
  });
}
