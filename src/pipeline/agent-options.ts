// What a user may say about an agent, a run and a resume, and what holds when nothing is said. Anything else is an error, never ignored.
import type { Clock } from "../core/clock.ts";
import { AgentError, type ErrorCode } from "../core/errors.ts";
import type { Principal } from "../core/facts.ts";
import type { Guardrail, Guardrails } from "../core/guardrail.ts";
import type { RunTerms } from "../core/journal.ts";
import { assertJson } from "../core/json.ts";
import { callsOf, type Message, type RunInput } from "../core/message.ts";
import type { Middleware } from "../core/middleware.ts";
import type { Model, ModelSettings } from "../core/model.ts";
import type { AnySchema } from "../core/schema.ts";
import { retryDefaults } from "../core/step.ts";
import type { Store } from "../core/store.ts";
import type { RetryOptions, Tool } from "../core/tool.ts";
import { limitDefaults } from "../policy/limits.ts";
import { type BreakerOptions, breakerDefaults } from "../resilience/circuit-breaker.ts";
import type { Instructions, Stages } from "./line.ts";

/** How much one run may do. The limit-th is allowed, the next is not. */
export interface LimitOptions {
  readonly turns?: number;
  /** A batch that does not fit is not started at all. */
  readonly toolCalls?: number;
  /** Calls of unknown tools, or with arguments that cannot be used. */
  readonly invalidCalls?: number;
  /** The same tool with the same arguments in a row: from `warnAt` on the model is told, the `stopAt`-th is not made. */
  readonly identicalCalls?: { readonly warnAt?: number; readonly stopAt?: number };
}

/** Milliseconds. */
export interface TimeoutOptions {
  /** The whole run, back-off included, waiting for people not. At its end the run is `partial`. */
  readonly totalMs?: number;
  /** One attempt of one model call. */
  readonly stepMs?: number;
}

export interface PolicyOptions {
  readonly limits?: LimitOptions;
  readonly timeouts?: TimeoutOptions;
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
  readonly model: Model;
  readonly instructions?: Instructions;
  /** What is listed is the allowlist; the key is the name the model calls it by. */
  readonly tools?: Readonly<Record<string, Tool>>;
  readonly guardrails?: Guardrails;
  /** The shape of the answer; `result.output` is typed by it, and the model is asked once more when it misses it. */
  readonly output?: Output;
  readonly settings?: ModelSettings;
  readonly policy?: PolicyOptions;
  readonly resilience?: ResilienceOptions;
  /** Your own code around stages, model calls and tool calls, first is outermost. */
  readonly use?: readonly Middleware[];
  /** Stages of your own in place of ours. */
  readonly stages?: Partial<Stages>;
  /** Where runs are kept; default `memoryStore()`. */
  readonly store?: Store;
  /** For tests; default the machine's. */
  readonly clock?: Clock;
}

/** Given with a resume: only what is live or raised; all else is in the journal. */
export interface ResumeOptions {
  /** Live objects for tools and instructions; never stored. */
  readonly context?: unknown;
  /** Aborting it cancels the run. */
  readonly signal?: AbortSignal;
  readonly limits?: LimitOptions;
  readonly timeouts?: Pick<TimeoutOptions, "totalMs">;
  /** What leaving the event stream early does to the run; default `cancel`. */
  readonly onBreak?: "cancel" | "continue";
}

export interface RunOptions extends ResumeOptions {
  /** Your id of this request. The same id again joins or answers the same run, never starts a second. Default: a new UUIDv7. */
  readonly runId?: string;
  readonly user?: Principal;
  readonly conversationId?: string;
}

/** Every default in one place; docs/defaults.md is tested against it. */
export const agentDefaults = {
  version: "0",
  limits: limitDefaults,
  timeouts: { totalMs: 30_000, stepMs: 30_000 },
  retry: retryDefaults,
  breaker: breakerDefaults,
} as const;

type Checker = (value: unknown) => boolean;

const isText: Checker = (value) => typeof value === "string" && value.trim() !== "" && value.length <= 512;
const isObject: Checker = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isFunction: Checker = (value) => typeof value === "function";
const isCount: Checker = (value) => Number.isInteger(value) && Number(value) >= 0;
const isTime: Checker = (value) => typeof value === "number" && value > 0 && value < Infinity;
const anything: Checker = () => true;

const limitChecks = { turns: isCount, toolCalls: isCount, invalidCalls: isCount, identicalCalls: isObject };
const resumeChecks = {
  context: anything,
  signal: (value: unknown) => value instanceof AbortSignal,
  limits: isObject,
  timeouts: isObject,
  onBreak: (value: unknown) => value === "cancel" || value === "continue",
};
const runChecks = { ...resumeChecks, runId: isText, user: isObject, conversationId: isText };
const agentChecks = {
  name: isText,
  version: isText,
  model: isObject,
  instructions: (value: unknown) => typeof value === "string" || isFunction(value),
  tools: isObject,
  guardrails: isObject,
  output: (value: unknown) => isObject(value) || isFunction(value),
  settings: isObject,
  policy: isObject,
  resilience: isObject,
  use: Array.isArray,
  stages: isObject,
  store: isObject,
  clock: isObject,
};

/** Throws `errorCode` for an option that is unknown or of the wrong kind. */
function check(errorCode: ErrorCode, where: string, given: object, checks: Readonly<Record<string, Checker>>) {
  for (const [name, value] of Object.entries(given)) {
    const holds = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!holds) throw new AgentError(errorCode, `${where} knows no option "${name}"; it takes ${Object.keys(checks).join(", ")}.`);
    if (value !== undefined && !holds(value)) throw new AgentError(errorCode, `${where} cannot use what was given as "${name}".`);
  }
}

export function checkAgentOptions(options: AgentOptions): void {
  const code = "configuration_invalid";
  if (!isObject(options)) throw new AgentError(code, "createAgent needs an object of options.");
  check(code, "createAgent", options, agentChecks);
  if (!options.name) throw new AgentError(code, "createAgent needs a name: it is in every journal and span.");
  if (typeof options.model?.call !== "function")
    throw new AgentError(code, "createAgent needs a model, e.g. openai(...) of airworthy/openai.");
  const { policy = {}, resilience = {}, guardrails = {}, stages = {}, use = [] } = options;
  check(code, "policy", policy, { limits: isObject, timeouts: isObject });
  checkTerms(code, policy, { totalMs: isTime, stepMs: isTime });
  check(code, "resilience", resilience, { retry: isObject, breaker: isObject });
  check(code, "retry", resilience.retry ?? {}, { attempts: (value) => isCount(value) && value !== 0, baseMs: isTime, maxMs: isTime });
  check(code, "guardrails", guardrails, pointChecks);
  for (const guardrail of Object.values({ ...guardrails }).flat()) checkGuardrail(guardrail);
  check(code, "stages", stages, stageChecks);
  for (const middleware of use) check(code, "use", middleware, { stage: isFunction, model: isFunction, tool: isFunction });
}

const pointChecks = { input: Array.isArray, toolInput: Array.isArray, toolOutput: Array.isArray, output: Array.isArray };
const stageChecks = {
  inputFilter: isFunction,
  context: isFunction,
  planner: isFunction,
  executor: isFunction,
  outputFilter: isFunction,
  responseBuilder: isFunction,
};

// Not for unknown properties: a guardrail may be an instance of a class with state of its own.
function checkGuardrail(guardrail: Guardrail | undefined) {
  const wrong = (what: string) => new AgentError("configuration_invalid", `A guardrail ${what}.`);
  if (typeof guardrail?.check !== "function") throw wrong("needs a check function");
  if (!isText(guardrail.name)) throw wrong("needs a name: results and spans say which one decided");
  const { timeoutMs = 1, onError = "refuse" } = guardrail;
  if (!isTime(timeoutMs)) throw wrong("needs a positive timeoutMs");
  if (onError !== "refuse" && onError !== "allow") throw wrong('has an onError that is neither "refuse" nor "allow"');
}

function checkTerms(code: ErrorCode, { limits = {}, timeouts = {} }: PolicyOptions, times: Readonly<Record<string, Checker>>) {
  check(code, "limits", limits, limitChecks);
  check(code, "identicalCalls", limits.identicalCalls ?? {}, { warnAt: isCount, stopAt: isCount });
  check(code, "timeouts", timeouts, times);
}

export function checkResumeOptions(options: ResumeOptions): void {
  check("input_invalid", "resume", options, resumeChecks);
  checkTerms("input_invalid", options, { totalMs: isTime });
}

/** Throws `input_invalid` before anything is written or spent. */
export function checkRunOptions(input: RunInput, options: RunOptions): void {
  check("input_invalid", "run", options, runChecks);
  checkTerms("input_invalid", options, { totalMs: isTime });
  const { user } = options;
  const roles: Checker = (value) => Array.isArray(value) && value.every(isText);
  if (user) check("input_invalid", "user", user, { id: isText, roles, tenant: isText });
  if (user && !user.id) throw new AgentError("input_invalid", "A user needs an id.");
  if (typeof input !== "string") checkConversation(input);
  else if (input.trim() === "") throw new AgentError("input_invalid", "The input is empty.");
}

/** A history a provider would refuse is refused here: it ends with the user, and every call is directly followed by its one result. */
function checkConversation(messages: readonly Message[]): void {
  const invalid = (what: string) => new AgentError("input_invalid", `The input ${what}.`);
  if (!Array.isArray(messages) || messages.length === 0) throw invalid("is neither a text nor a list of messages");
  assertJson(messages, "input");
  let open: string[] = [];
  for (const [position, message] of messages.entries()) {
    if (message.role === "tool") {
      if (!open.includes(message.callId)) throw invalid(`has a tool result without its call at message ${position}`);
      open.splice(open.indexOf(message.callId), 1);
      continue;
    }
    if (open.length > 0) throw invalid(`has a tool call without a result before message ${position}`);
    if (message.role === "assistant") open = callsOf(message).map(({ callId }) => callId);
    else if (message.role !== "user" && message.role !== "system") throw invalid(`has an unknown role at message ${position}`);
  }
  if (messages.at(-1)?.role !== "user") throw invalid("does not end with a user message");
}

/** The caps in force, from the agent's or from those a resume goes on with. */
export function termsOf({ limits = {}, timeouts = {} }: PolicyOptions, before: RunTerms): RunTerms {
  return {
    turns: limits.turns ?? before.turns,
    toolCalls: limits.toolCalls ?? before.toolCalls,
    invalidCalls: limits.invalidCalls ?? before.invalidCalls,
    identicalCallsWarn: limits.identicalCalls?.warnAt ?? before.identicalCallsWarn,
    identicalCallsStop: limits.identicalCalls?.stopAt ?? before.identicalCallsStop,
    totalMs: timeouts.totalMs ?? before.totalMs,
  };
}
