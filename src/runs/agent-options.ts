// What a user may say about an agent, a run and a resume, and what holds when nothing is said.
import type { Clock } from "../core/clock.ts";
import type { Principal } from "../core/facts.ts";
import type { Guardrails } from "../core/guardrail.ts";
import type { Origin, RunCaps } from "../core/journal.ts";
import type { RunInput } from "../core/message.ts";
import type { Middleware } from "../core/middleware.ts";
import type { ModelSettings } from "../core/model.ts";
import type { ModelChoice } from "../core/model-choice.ts";
import type { ModelPrice } from "../core/price.ts";
import type { AnySchema } from "../core/schema.ts";
import { retryDefaults } from "../core/step.ts";
import type { Store } from "../core/store.ts";
import type { RetryOptions, Tool } from "../core/tool.ts";
import type { Instructions, Stages } from "../pipeline/line.ts";
import { type AmountLimits, type BudgetOptions, budgetDefaults } from "../policy/budgets/budget-options.ts";
import { amountCaps } from "../policy/budgets/budgets.ts";
import type { EffectLimits } from "../policy/effects/effect-options.ts";
import { limitDefaults } from "../policy/limits.ts";
import { type BreakerOptions, breakerDefaults } from "../resilience/circuit-breaker.ts";

/** How much one run may do. The limit-th is allowed, the next is not. */
export interface LimitOptions {
  readonly turns?: number;
  /** A batch that does not fit is not started at all. */
  readonly toolCalls?: number;
  /** Calls of unknown tools, or with arguments that cannot be used. */
  readonly invalidCalls?: number;
  /** The same tool with the same arguments in a row: from `warnAt` on the model is told, the `stopAt`-th is not made. */
  readonly identicalCalls?: { readonly warnAt?: number; readonly stopAt?: number };
  /** So many calls that failed stop the run, once the others of their batch are done: after retries and fallbacks, and not by a rule's no. */
  readonly failures?: number;
  /** So many of them one after the other, with none in between that went well. */
  readonly failuresInARow?: number;
}

/** With what only an agent can have. */
export interface AgentLimitOptions extends LimitOptions {
  /** How often tools may act, and for how much, over many runs. */
  readonly effects?: EffectLimits;
}

/** Milliseconds. */
export interface TimeoutOptions {
  /** The whole run, back-off included, waiting for people not. At its end the run is `partial`. */
  readonly totalMs?: number;
  /** One attempt of one model call. */
  readonly stepMs?: number;
  /** Of a streamed one: from its beginning to the first token. */
  readonly firstTokenMs?: number;
  /** Of a streamed one: between two tokens. Keep-alives are none. */
  readonly idleMs?: number;
}

export interface PolicyOptions {
  readonly limits?: AgentLimitOptions;
  readonly timeouts?: TimeoutOptions;
  /** What runs may cost. */
  readonly budget?: BudgetOptions;
}

export interface ResilienceOptions {
  /** Retries of model calls; a tool has its own. */
  readonly retry?: RetryOptions;
  /** When the breaker of a tool or model opens, and for how long. */
  readonly breaker?: Partial<BreakerOptions>;
}

export interface AgentOptions<Output extends AnySchema = AnySchema> {
  readonly name: string;
  /** Recorded with every run; change it when the agent changes. Default "0". */
  readonly version?: string;
  /** A model, `fallback([...])` or `route({ ... })`. */
  readonly model: ModelChoice;
  readonly instructions?: Instructions;
  /** What is listed is the allowlist; the key is the name the model calls it by. */
  readonly tools?: Readonly<Record<string, Tool>>;
  readonly guardrails?: Guardrails;
  /** The shape of the answer; `result.output` is typed by it, and the model is asked once more when it misses it. */
  readonly output?: Output;
  readonly settings?: ModelSettings;
  /** What models cost, by their id or `provider/id`, in place of what is known of them. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  readonly policy?: PolicyOptions;
  readonly resilience?: ResilienceOptions;
  /** Your own code around stages, model calls and tool calls, first is outermost. */
  readonly use?: readonly Middleware[];
  /** Stages of your own in place of ours. */
  readonly stages?: Partial<Stages>;
  /** Where runs are kept; default `memoryStore()`. */
  readonly store?: Store;
  /** How long a run belongs to this process after its last sign of life, in milliseconds; then another may go on with it. Default 30,000. */
  readonly leaseMs?: number;
  /** For tests; default the machine's. */
  readonly clock?: Clock;
}

/** Given with a resume: only what is live or raised; all else is in the journal. */
export interface ResumeOptions {
  /** Live objects for tools and instructions; never stored. */
  readonly context?: unknown;
  /** Only this user's run is resumed, or started. Without it whoever calls `resume` is trusted. */
  readonly user?: Principal;
  /** Aborting it cancels the run. */
  readonly signal?: AbortSignal;
  readonly limits?: LimitOptions;
  readonly timeouts?: Pick<TimeoutOptions, "totalMs">;
  /** What this run may cost, in place of what the agent's policy or the run so far says. */
  readonly budget?: AmountLimits;
  /** What leaving the event stream early does to the run; default `cancel`. */
  readonly onBreak?: "cancel" | "continue";
  /**
   * What becomes of a streamed answer that breaks off after part of it has been shown: `fail` (default) ends the run with
   * `stream_interrupted`; `restart` tries again as before the first token, and tells the consumer by `attempt.restarted` to forget it.
   */
  readonly onInterrupted?: "fail" | "restart";
}

export interface RunOptions extends ResumeOptions {
  /** Your id of this request. The same id again joins or answers the same run, never starts a second. Default: a new UUIDv7. */
  readonly runId?: string;
  readonly conversationId?: string;
}

export interface ReplayOptions {
  /** Live objects for stages of yours; never stored. */
  readonly context?: unknown;
}

/** Parts of the agent that a fork may have in place of its own. */
export type ForkChanges = Partial<Pick<AgentOptions, "model" | "instructions" | "tools">>;

export interface ForkOptions extends ResumeOptions, ForkChanges {
  /** The last turn both have in common (`turn-2`), which must be finished; or `start` for none. */
  readonly at: string;
  /**
   * What becomes of calls of tools that are no reads. `simulate`: they are answered without being executed, and the model is told so.
   * `allow`: they are executed, also those that the original has executed after this turn.
   */
  readonly effects: Origin["effects"];
  /** Your id of the fork, as of any run. Default: a new UUIDv7. */
  readonly runId?: string;
  /** Asked in place of what the original was asked; only with `start`. */
  readonly input?: RunInput;
}

/** Every default in one place; docs/defaults.md is tested against it. */
export const agentDefaults = {
  version: "0",
  limits: limitDefaults,
  timeouts: { totalMs: 30_000, stepMs: 15_000, firstTokenMs: 10_000, idleMs: 10_000 },
  retry: retryDefaults,
  breaker: breakerDefaults,
  leaseMs: 30_000,
  budget: budgetDefaults,
} as const;

/** The caps in force, from the agent's or from those a resume goes on with. */
export function capsOf({ limits = {}, timeouts = {} }: PolicyOptions, before: RunCaps, budget?: AmountLimits): RunCaps {
  const amounts = budget ? { ...before.budget, ...amountCaps(budget) } : before.budget;
  return {
    turns: limits.turns ?? before.turns,
    toolCalls: limits.toolCalls ?? before.toolCalls,
    invalidCalls: limits.invalidCalls ?? before.invalidCalls,
    identicalCallsWarn: limits.identicalCalls?.warnAt ?? before.identicalCallsWarn,
    identicalCallsStop: limits.identicalCalls?.stopAt ?? before.identicalCallsStop,
    totalMs: timeouts.totalMs ?? before.totalMs,
    ...failureCaps(limits, before),
    ...(amounts ? { budget: amounts } : {}),
  };
}

/** A journal of before there were such limits has none, until somebody says one. */
function failureCaps(limits: LimitOptions, before: RunCaps): Pick<RunCaps, "failures" | "failuresInARow"> {
  const failures = limits.failures ?? before.failures;
  const failuresInARow = limits.failuresInARow ?? before.failuresInARow;
  return { ...(failures === undefined ? {} : { failures }), ...(failuresInARow === undefined ? {} : { failuresInARow }) };
}

/** The caps of a run as its start, a resume or a fork says; what is not said stays. */
export const raisedBy =
  ({ limits, timeouts, budget }: ResumeOptions) =>
  (before: RunCaps): RunCaps =>
    capsOf({ ...(limits ? { limits } : {}), ...(timeouts ? { timeouts } : {}) }, before, budget);
