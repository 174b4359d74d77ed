// How much one run may do: a pure count over what the model asks for, rebuilt the same way on every pass. The limit-th is allowed, the next is not.
import { AgentError } from "../core/errors.ts";
import type { RunCaps } from "../core/journal.ts";
import { canonicalJson, type Json } from "../core/json.ts";

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
}

export const limitDefaults = {
  turns: 20,
  toolCalls: 40,
  invalidCalls: 3,
  identicalCallsWarn: 3,
  identicalCallsStop: 5,
} as const;

export function createCallLimits(caps: RunCaps): CallLimits {
  let calls = 0;
  let invalidCalls = 0;
  let streaks = new Map<string, number>();
  return {
    turn: (number) => (number > caps.turns ? limit("turn_limit", `The run has taken its ${caps.turns} turns.`, caps.turns) : undefined),
    batch: (asked) => {
      if (calls + asked.length > caps.toolCalls) {
        const left = caps.toolCalls - calls;
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
      streaks = next;
      calls += asked.length;
      return { warned };
    },
    invalid: (number) => {
      invalidCalls += number;
      if (invalidCalls <= caps.invalidCalls) return undefined;
      return limit("invalid_call_limit", `The model made ${invalidCalls} calls that could not be executed.`, caps.invalidCalls);
    },
  };
}

const limit = (code: "turn_limit" | "tool_call_limit" | "invalid_call_limit", message: string, allowed: number) =>
  new AgentError(code, message, { details: { limit: allowed } });

const looping = (tool: string, times: number, allowed: number) =>
  new AgentError("loop_detected", `The model called ${tool} with the same arguments ${times} times in a row.`, {
    details: { tool, limit: allowed },
  });
