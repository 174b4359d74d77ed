// How much one run may do, with the runs within it: a pure count over what models ask for, rebuilt on every pass. The limit-th is allowed, the
// next is not.
import { AgentError } from "../core/errors.ts";
import type { RunCaps } from "../core/journal.ts";
import { canonicalJson, type Json } from "../core/json.ts";
import type { Taken, Tried } from "../core/result.ts";
import { type CallResult, createFailures } from "./failures.ts";

/** A call as the limits see it; `sameAs` undefined = never counted as a repetition. */
export interface CountedCall {
  readonly tool: string;
  readonly sameAs: Json | undefined;
}

export interface CallLimits {
  /** The error that stops the run before this turn (1-based), or undefined. */
  turn(number: number): AgentError | undefined;
  /** Counts a batch as a whole: either every call of it may start, or none. Answers which of them repeat often enough to warn about. */
  batch(calls: readonly CountedCall[]): AgentError | { readonly warned: ReadonlySet<number> };
  /** Counts calls that could not be executed as asked. */
  invalid(number: number): AgentError | undefined;
  /** Counts a batch that is complete: what failed of it, in the order of the calls. */
  results(calls: readonly CallResult[]): AgentError | undefined;
  /** What has failed so far, by tool and code. */
  tried(): readonly Tried[];
  /** Counts what a run within is about to have taken in all, here and above; when that would pass a limit it counts nothing. */
  within(runId: string, taken: Taken): AgentError | undefined;
  /** Counts what a run within took in an earlier pass. */
  recall(runId: string, taken: Taken): void;
}

/** Asked with all that a run is about to have taken; answers the error of the run above whose limit that would pass. */
export type CountAbove = (taken: Taken) => AgentError | undefined;

export const limitDefaults = {
  turns: 20,
  toolCalls: 40,
  invalidCalls: 3,
  identicalCallsWarn: 3,
  identicalCallsStop: 5,
  failures: 20,
  failuresInARow: 5,
} as const;

export function createCallLimits(caps: RunCaps, above: CountAbove = () => undefined): CallLimits {
  const parts = createParts();
  const failures = createFailures(caps);
  let turns = 0;
  let calls = 0;
  let invalidCalls = 0;
  let streaks = new Map<string, number>();
  return {
    turn: (number) => {
      const all = plus({ turns: number, toolCalls: calls }, parts.sum);
      const stop = all.turns > caps.turns ? turnLimit(caps) : above(all);
      if (!stop) turns = number;
      return stop;
    },
    batch: (asked) => {
      const all = plus({ turns, toolCalls: calls + asked.length }, parts.sum);
      if (all.toolCalls > caps.toolCalls) {
        const left = Math.max(0, caps.toolCalls - calls - parts.sum.toolCalls);
        return limit(
          "tool_call_limit",
          `The model asked for ${asked.length} tool calls with ${left} of ${caps.toolCalls} left.`,
          caps.toolCalls,
        );
      }
      const next = new Map<string, number>();
      const warned = new Set<number>();
      for (const [position, call] of asked.entries()) {
        if (call.sameAs === undefined) continue;
        const signature = `${call.tool} ${canonicalJson(call.sameAs)}`;
        const streak = (next.get(signature) ?? streaks.get(signature) ?? 0) + 1;
        next.set(signature, streak);
        if (streak >= caps.identicalCallsStop) return looping(call.tool, streak, caps.identicalCallsStop);
        if (streak >= caps.identicalCallsWarn) warned.add(position);
      }
      const stop = above(all);
      if (stop) return stop;
      streaks = next;
      calls += asked.length;
      return { warned };
    },
    invalid: (number) => {
      invalidCalls += number;
      if (invalidCalls <= caps.invalidCalls) return undefined;
      return limit("invalid_call_limit", `The model made ${invalidCalls} calls that could not be executed.`, caps.invalidCalls);
    },
    results: (batch) => failures.count(batch),
    tried: () => failures.tried(),
    within: (runId, taken) => {
      const all = plus({ turns, toolCalls: calls }, parts.sumWith(runId, taken));
      const stop = passed(all, caps) ?? above(all);
      if (!stop) parts.set(runId, taken);
      return stop;
    },
    recall: (runId, taken) => parts.set(runId, taken),
  };
}

/** What the runs within have taken. One that is passed over again counts itself again: the most it has come to is what it took. */
function createParts() {
  const parts = new Map<string, Taken>();
  let sum = nothing;
  const most = (runId: string, { turns, toolCalls }: Taken): Taken => {
    const before = parts.get(runId) ?? nothing;
    return { turns: Math.max(before.turns, turns), toolCalls: Math.max(before.toolCalls, toolCalls) };
  };
  const sumWith = (runId: string, taken: Taken): Taken => {
    const [before, now] = [parts.get(runId) ?? nothing, most(runId, taken)];
    return { turns: sum.turns - before.turns + now.turns, toolCalls: sum.toolCalls - before.toolCalls + now.toolCalls };
  };
  return {
    get sum() {
      return sum;
    },
    sumWith,
    set: (runId: string, taken: Taken) => {
      sum = sumWith(runId, taken);
      parts.set(runId, most(runId, taken));
    },
  };
}

const nothing: Taken = { turns: 0, toolCalls: 0 };

const plus = (one: Taken, other: Taken): Taken => ({ turns: one.turns + other.turns, toolCalls: one.toolCalls + other.toolCalls });

const turnLimit = ({ turns }: RunCaps) => limit("turn_limit", `The run has taken its ${turns} turns.`, turns);

const passed = ({ turns, toolCalls }: Taken, caps: RunCaps) => {
  if (turns > caps.turns) return turnLimit(caps);
  if (toolCalls <= caps.toolCalls) return undefined;
  return limit("tool_call_limit", `The runs within asked for more than the ${caps.toolCalls} tool calls of this one.`, caps.toolCalls);
};

const limit = (code: "turn_limit" | "tool_call_limit" | "invalid_call_limit", message: string, allowed: number) =>
  new AgentError(code, message, { details: { limit: allowed } });

const looping = (tool: string, times: number, allowed: number) =>
  new AgentError("loop_detected", `The model called ${tool} with the same arguments ${times} times in a row.`, {
    details: { tool, limit: allowed },
  });
