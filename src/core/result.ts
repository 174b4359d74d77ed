// What a run came to: one union over its status, and the facts every result carries.
import type { AgentError, ErrorCode } from "./errors.ts";
import type { VerdictRecord } from "./guardrail.ts";
import type { Message } from "./message.ts";
import type { FinishReason } from "./model.ts";
import type { Waiting } from "./outcome.ts";
import type { Usage } from "./usage.ts";

export type RunStatus =
  // Ends: once.
  | "completed"
  | "refused"
  | "escalated"
  | "cancelled"
  // An end, or, when what failed is worth trying again, a stop: `resumable` says which.
  | "failed"
  // Stops: `agent.resume` can go on.
  | "partial"
  | "suspended"
  | "halted";

/**
 * Tokens and calls so far. A count no provider reported is absent; `unreported` counts the attempts at model calls that reported nothing,
 * failed ones included: what they used is not known. Calls count once, however often they were tried.
 */
export interface Spent extends Usage {
  readonly totalTokens?: number;
  readonly modelCalls: number;
  readonly toolCalls: number;
  readonly unreported: number;
}

/** What a run has used with all runs that are parts of it, each counted once. Without such runs, `own` and `byAgent` are absent. */
export interface RunUsage extends Spent {
  /** What this run has used itself. */
  readonly own?: Spent;
  /** By the name of the agent; adds up to the whole. */
  readonly byAgent?: Readonly<Record<string, Spent>>;
}

/**
 * What a run has cost in US dollars, with all runs that are parts of it. The cuts are of the same money: calls of an agent that is a tool
 * count by their tool and by the models that were asked in them. What costs nothing is in none.
 */
export interface RunCost {
  readonly usd: number;
  /** Of it, what counts as the most it can have been: nobody has said what was used. */
  readonly unconfirmedUsd: number;
  /** Calls that used something nobody knows a price of; they are in no sum. */
  readonly unpriced: number;
  readonly byModel: Readonly<Record<string, number>>;
  readonly byTool: Readonly<Record<string, number>>;
  readonly byAgent: Readonly<Record<string, number>>;
  readonly byStage: Readonly<Record<string, number>>;
}

/** What a run that a step started has used so far, over all its passes. */
export interface ChildUsage {
  readonly runId: string;
  readonly agent: string;
  readonly usage: RunUsage;
  /** Absent when it cost nothing, and everything in it had a price. */
  readonly cost?: RunCost;
  /** What of it counts against the limits of the runs above. */
  readonly taken?: Taken;
}

/** What a run has taken of what limits bound, together with the runs within it. */
export interface Taken {
  readonly turns: number;
  readonly toolCalls: number;
}

/** Milliseconds on the run's clock. Times of parallel calls add up, so the parts may exceed the total. */
export interface Timings {
  readonly totalMs: number;
  readonly modelMs: number;
  readonly toolMs: number;
}

/** Something the caller asked for and did not get. `what`: a tool, or `answer`. */
export interface Missing {
  readonly what: string;
  readonly why: ErrorCode;
}

/** Calls of a tool that failed, also after retries and fallbacks. */
export interface Tried {
  readonly tool: string;
  readonly code: ErrorCode;
  readonly times: number;
}

/** What there is when a run is wrapped up early. */
export interface PartialAnswer {
  /** Text that had passed the output guardrails by then. */
  readonly text?: string;
  /** Tools that had given a result. */
  readonly finished: readonly string[];
  readonly missing: readonly Missing[];
  /** What failed; absent when nothing did. */
  readonly tried?: readonly Tried[];
  /** In plain words for the end user: what was done, what is missing and why. */
  readonly explanation: string;
}

/** A tool call answered by its fallback, or a turn answered by another model than the first choice. `by`: who answered, in the step `key`. */
export type Degraded = { readonly by: string; readonly key: string } & (
  | { readonly tool: string; readonly model?: never }
  | { readonly model: string; readonly tool?: never }
);

/** A call of an act that was answered and not executed. */
export interface Simulated {
  readonly tool: string;
  readonly key: string;
}

export interface Refusal {
  /** The guardrail or policy that refused. */
  readonly by: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Carried by every result. Equal when the same journal is passed over again. */
export interface ResultFacts {
  readonly runId: string;
  readonly usage: RunUsage;
  readonly cost: RunCost;
  readonly timings: Timings;
  /** What the guardrails decided, in order. */
  readonly findings: readonly VerdictRecord[];
  readonly degraded: readonly Degraded[];
  /** Only of a fork that simulates: the acts it has not executed. */
  readonly simulated?: readonly Simulated[];
  /** The transcript: what was given and what came of it. Every tool call in it has exactly one result. */
  readonly messages: readonly Message[];
  /** `agent.resume` can go on; of a run that failed, when what failed is worth trying again. */
  readonly resumable: boolean;
  readonly traceId?: string;
}

/**
 * How a run ended or stopped; `Output` is what the agent's `output` schema says, else text. An answer whose `finishReason` is `length`
 * was cut off by the provider.
 */
export type RunEnd<Output = string> =
  | { readonly status: "completed"; readonly output: Output; readonly text: string; readonly finishReason: FinishReason }
  | { readonly status: "refused"; readonly refusal: Refusal; readonly error: AgentError }
  | { readonly status: "escalated"; readonly handoff: Refusal; readonly error: AgentError }
  | { readonly status: "cancelled"; readonly error: AgentError }
  /** `text`: what had been shown of an answer that broke off. */
  | { readonly status: "failed"; readonly error: AgentError; readonly text?: string }
  | ({ readonly status: "partial"; readonly error: AgentError } & PartialAnswer)
  | { readonly status: "suspended"; readonly waitingFor: readonly Waiting[] }
  | { readonly status: "halted"; readonly error: AgentError };

export type RunResult<Output = string> = ResultFacts & RunEnd<Output>;
