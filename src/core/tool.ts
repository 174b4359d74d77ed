// A tool: an existing function with a schema and the facts the runtime needs to call it safely. Checked and frozen once, when it is made.
import type { ChildAgent } from "./child.ts";
import { AgentError, type ErrorCode } from "./errors.ts";
import type { RunFacts } from "./facts.ts";
import type { JsonSchema } from "./json.ts";
import { type Check, type Checks, checkOptions, isAmount, isFunction, isNumber, isPositiveCount, isRecord, oneOf } from "./options.ts";
import { type AnySchema, type CompiledSchema, compileSchema, describesObject, type InferSchema } from "./schema.ts";
import { type Repeat, retryDefaults } from "./step.ts";

/** What a tool does to the world: `read` nothing; the others change it, and the further right the harder to take back. */
export type Effect = "read" | "write" | "send" | "pay" | "destroy";
export type Risk = "low" | "medium" | "high";

/** Handed to `execute`, `fallback` and `reconcile`. */
export interface ToolContext<Context = unknown> {
  /** The model's id of this call, for your own logs; not unique. */
  readonly callId: string;
  /** The same for every attempt, retry and resume of this call, different for any other: pass it to the service you call. */
  readonly idempotencyKey: string;
  /** Aborted on time-out, cancel, halt and deadline: pass it on. A tool that ignores it is left behind. */
  readonly signal: AbortSignal;
  readonly attempt: number;
  /** The `context` given to the run. */
  readonly context: Context;
  readonly run: RunFacts;
}

export interface RetryOptions {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** First back-off, doubled each time; the wait is random between 0 and that. Milliseconds. */
  readonly baseMs?: number;
  /** Longest back-off. Milliseconds. */
  readonly maxMs?: number;
}

/** What a person or a look-up says about an act of unknown outcome. */
export type ActOutcome<Output> =
  | { readonly status: "done"; readonly output: Output }
  | { readonly status: "not-done" }
  | { readonly status: "unknown" };

export interface ToolOptions<Schema extends AnySchema = AnySchema, Output = unknown> {
  /** For the model: what it does and when to use it. */
  readonly description: string;
  /** Must describe an object. */
  readonly inputSchema: Schema;
  /** Needed only for a schema that cannot describe itself. */
  readonly inputJsonSchema?: JsonSchema;
  /** Checked on what `execute` returns; a mismatch is `tool_output_invalid`. */
  readonly outputSchema?: AnySchema;
  /** Default `write`: say `read` when it changes nothing. */
  readonly effect?: Effect;
  /** Default `freely` for reads, else `never`. */
  readonly repeat?: Repeat;
  /** Default low for reads, medium for writes, else high. */
  readonly risk?: Risk;
  /** Per attempt; default 15,000; 5,000 to 30,000 advised. */
  readonly timeoutMs?: number;
  /** Default 3 attempts unless `repeat` is `never`, which allows 1 only. */
  readonly retry?: RetryOptions;
  /**
   * What one attempt costs, set aside before it is made: a call that a budget in US dollars or calls cannot afford is not made. Absent =
   * nothing.
   */
  readonly cost?: ToolCost<InferSchema<Schema>, Output>;
  /** Longest result the model is shown, in UTF-8 bytes; default 65,536. The rest is cut off with a mark. */
  readonly maxResultBytes?: number;
  /**
   * Used when the tool failed after its retries or its breaker is open: another tool, or a function of the same input. It gets the same
   * `idempotencyKey`: after a time-out the tool may have done its work after all. Not used for a no said by `toolError`.
   */
  readonly fallback?: Tool | Execute<InferSchema<Schema>, unknown>;
  /**
   * Calls with an equal value count as identical; default all arguments, `false` for tools that are meant to be polled. Given the
   * arguments as the model sent them, before they are validated.
   */
  readonly loopKey?: false | ((input: object) => unknown);
  /** Looks up whether an act that ended in silence happened. A read: it may be asked more than once. */
  readonly reconcile?: Execute<InferSchema<Schema>, ActOutcome<Output>>;
  /** The work. Throw `toolError(...)` for a message the model may read; any other error reaches it only as a code. */
  readonly execute: Execute<InferSchema<Schema>, Output>;
}

/** US dollars: a sum, a sum by the arguments, or the most it can be with what it was by the answer. */
export type ToolCost<Input = unknown, Output = unknown> =
  | number
  | ((this: void, input: Input) => number)
  | { readonly atMost: number | ((this: void, input: Input) => number); readonly of: (this: void, output: Output) => number };

/** The shape of a function that does a tool's work. */
export type Execute<Input, Output> = (input: Input, context: ToolContext) => Output | Promise<Output>;

const brand = Symbol.for("airworthy.tool");

/** A checked tool. `Input` and `Output` are for your own use; the runtime passes what the schema made of the arguments. */
export interface Tool<Input = unknown, Output = unknown> {
  readonly [brand]: true;
  readonly description: string;
  readonly input: CompiledSchema;
  readonly output: CompiledSchema | undefined;
  readonly effect: Effect;
  readonly repeat: Repeat;
  readonly risk: Risk;
  readonly timeoutMs: number;
  readonly retry: Required<RetryOptions>;
  /** It has declared what it costs. */
  readonly isPaid: boolean;
  /** US dollars, one attempt. */
  costAtMost(input: Input): number;
  /** Undefined when it cost what it may cost at most. */
  costOf(output: Output): number | undefined;
  readonly maxResultBytes: number;
  readonly fallback: Tool | undefined;
  /** Name of the fallback for results and events, once the fallback is known by one. */
  readonly label: string | undefined;
  loopKey(input: object): unknown;
  readonly polled: boolean;
  readonly canReconcile: boolean;
  reconcile(input: Input, context: ToolContext): ActOutcome<Output> | Promise<ActOutcome<Output>>;
  execute(input: Input, context: ToolContext): Output | Promise<Output>;
  /** Set when the tool is an agent: its work is a run, and `execute` is never asked. */
  readonly child?: ChildAgent<Input, Output>;
}

/** What the model is told when a call did not work. Never a stack, a path or what the tool threw. */
export interface ToolFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint: string;
}

/** The one result of one call, as recorded and as the model reads it. */
export interface ToolResult {
  readonly content: string;
  readonly error?: ToolFailure;
  /** Set when the content was cut: how many bytes there were. */
  readonly cutFromBytes?: number;
  /** The arguments were broken JSON and were mended before the call. */
  readonly repaired?: boolean;
  /** A no on purpose, of the tool by `toolError` or of a rule: the fallback is not asked. */
  readonly deliberate?: boolean;
  /** An act that was not executed, in a fork that simulates. */
  readonly simulated?: boolean;
}

export const toolDefaults = {
  effect: "write",
  timeoutMs: 15_000,
  retry: retryDefaults,
  maxResultBytes: 65_536,
} as const;

export const retryChecks: Checks = { attempts: isPositiveCount, baseMs: isAmount, maxMs: isAmount };

const isSchema: Check = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

const isUsd: Check = (value) => isFunction(value) || (isNumber(value) && Number(value) >= 0 && Number(value) <= mostUsd);

/** More for one attempt is a mistake. */
const mostUsd = 10_000;

const isCost: Check = (value) => isUsd(value) || (isRecord(value) && isUsd(Object(value).atMost) && isFunction(Object(value).of));

const checks: Checks = {
  description: (value) => typeof value === "string" && value.trim() !== "",
  inputSchema: isSchema,
  inputJsonSchema: isRecord,
  outputSchema: isSchema,
  effect: oneOf("read", "write", "send", "pay", "destroy"),
  repeat: oneOf("freely", "with-same-key", "never"),
  risk: oneOf("low", "medium", "high"),
  timeoutMs: isAmount,
  retry: isRecord,
  cost: { holds: isCost, wanted: "US dollars from 0, a function that answers them, or { atMost, of }" },
  maxResultBytes: isAmount,
  fallback: (value) => isTool(value) || isFunction(value),
  loopKey: (value) => value === false || isFunction(value),
  reconcile: isFunction,
  execute: isFunction,
};

/** Wraps an existing function as a tool. Throws `configuration_invalid` naming what is wrong. */
export function tool<Schema extends AnySchema, Output>(options: ToolOptions<Schema, Output>): Tool<InferSchema<Schema>, Output> {
  const { effect, repeat, retry } = checkedFacts(options);
  const input = compileSchema(options.inputSchema, "inputSchema", options.inputJsonSchema);
  if (!describesObject(input.jsonSchema)) throw invalid('needs an inputSchema of type "object": models send arguments by name');
  const { loopKey, fallback } = options;
  return Object.freeze({
    [brand]: true as const,
    description: options.description,
    input,
    output: options.outputSchema && compileSchema(options.outputSchema, "outputSchema", {}),
    effect,
    repeat,
    risk: options.risk ?? (effect === "read" ? "low" : effect === "write" ? "medium" : "high"),
    timeoutMs: options.timeoutMs ?? toolDefaults.timeoutMs,
    retry,
    isPaid: options.cost !== undefined,
    ...costsOf<InferSchema<Schema>, Output>(options.cost ?? 0),
    maxResultBytes: options.maxResultBytes ?? toolDefaults.maxResultBytes,
    fallback: fallbackOf(fallback, options),
    label: nameOf(options.execute),
    polled: loopKey === false,
    loopKey: (value: object) => (loopKey ? loopKey(value) : value),
    canReconcile: options.reconcile !== undefined,
    reconcile: (value: InferSchema<Schema>, context: ToolContext) => options.reconcile?.(value, context) ?? { status: "unknown" as const },
    execute: (value: InferSchema<Schema>, context: ToolContext) => options.execute(value, context),
  });
}

function costsOf<Input, Output>(cost: ToolCost<Input, Output>) {
  const most = typeof cost === "object" ? cost.atMost : cost;
  return {
    costAtMost: (input: Input) => (typeof most === "function" ? most(input) : most),
    costOf: (output: Output) => (typeof cost === "object" ? cost.of(output) : undefined),
  };
}

// A function written in place is named after the option it was given as, which tells nobody anything.
const nameOf = ({ name }: { readonly name: string }) => (["", "execute", "fallback"].includes(name) ? undefined : name);

/** True for what `tool()` made, also by another copy of the package. */
export const isTool = (value: unknown): value is Tool => typeof value === "object" && value !== null && brand in value;

/** An error of a tool whose message the model may read: what went wrong, and nothing secret. Throw it from `execute`. */
export function toolError(message: string, options: { retryable?: boolean; hint?: string; cause?: unknown } = {}): AgentError {
  return new AgentError("tool_failed", message, {
    retryable: options.retryable ?? false,
    hint: options.hint ?? "",
    details: { told: true },
    ...("cause" in options ? { cause: options.cause } : {}),
  });
}

// A plain function takes over the tool's own facts; only one try, since the tool itself has already been retried.
function fallbackOf<Schema extends AnySchema, Output>(
  fallback: ToolOptions<Schema>["fallback"],
  options: ToolOptions<Schema, Output>,
): Tool | undefined {
  if (fallback === undefined || isTool(fallback)) return fallback;
  const { fallback: _, reconcile: __, loopKey: ___, cost, ...rest } = options;
  // What its answer costs nobody has said: as much as the tool's may.
  const most = typeof cost === "object" ? cost.atMost : cost;
  return tool({ ...rest, ...(most === undefined ? {} : { cost: most }), retry: { attempts: 1 }, execute: fallback });
}

type Facts = Partial<Pick<ToolOptions, "description" | "inputSchema" | "effect" | "repeat" | "retry"> & { readonly execute: unknown }>;

function checkedFacts(options: Facts): Pick<Tool, "effect" | "repeat" | "retry"> {
  checkOptions("configuration_invalid", "A tool", options, checks);
  if (options.description === undefined) throw invalid("needs a description: it is all the model knows of it");
  if (options.inputSchema === undefined) throw invalid("needs an inputSchema");
  if (options.execute === undefined) throw invalid("needs an execute function");
  const effect = options.effect ?? toolDefaults.effect;
  const repeat = options.repeat ?? (effect === "read" ? "freely" : "never");
  return { effect, repeat, retry: retryOf(options.retry ?? {}, repeat) };
}

function retryOf(given: Partial<RetryOptions>, repeat: Repeat): Required<RetryOptions> {
  checkOptions("configuration_invalid", "A tool's retry", given, retryChecks);
  const attempts = given.attempts ?? (repeat === "never" ? 1 : toolDefaults.retry.attempts);
  if (attempts > 1 && repeat === "never") {
    throw invalid(
      'asks for retries of an act that must not be repeated; set repeat: "with-same-key" and use idempotencyKey, or attempts: 1',
    );
  }
  return { attempts, baseMs: given.baseMs ?? toolDefaults.retry.baseMs, maxMs: given.maxMs ?? toolDefaults.retry.maxMs };
}

const invalid = (what: string) => new AgentError("configuration_invalid", `A tool ${what}.`);
