// The contract between the runtime and a model, whoever serves it. An adapter does one attempt: no retries, no timers of its own.
import type { Json, JsonSchema } from "./json.ts";
import type { AssistantMessage, Message } from "./message.ts";
import type { Usage } from "./usage.ts";

/** A tool as the model sees it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
}

/** Sampling and size; what a provider does not have, its adapter refuses in `check`. Units: tokens. */
export interface ModelSettings {
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";
  readonly toolChoice?: "auto" | "none" | "required";
  readonly parallelToolCalls?: boolean;
}

/** What every request of one agent to one model has in common. */
export interface ModelOffer {
  readonly tools: readonly ToolSpec[];
  readonly settings: ModelSettings;
  /** The shape the answer has to have, when one is asked for. */
  readonly output?: { readonly name: string; readonly schema: JsonSchema };
}

export interface ModelRequest extends ModelOffer {
  /** The whole conversation, instructions first as system messages. Never mutated. */
  readonly messages: readonly Message[];
}

/** One allowance of a provider as its headers told it; `resetAt` is epoch ms, when all of it is there again. */
export interface RateLimit {
  readonly limit?: number;
  readonly remaining?: number;
  readonly resetAt?: number;
}

/** What is left of the allowances with a provider after an answer. */
export interface RateLimits {
  readonly requests?: RateLimit;
  /** Input and output together, where the provider counts them so. */
  readonly tokens?: RateLimit;
  readonly inputTokens?: RateLimit;
  readonly outputTokens?: RateLimit;
}

export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter" | "other";

export interface ModelResponse {
  readonly message: AssistantMessage;
  readonly finishReason: FinishReason;
  readonly usage?: Usage;
  /** Which model really answered, and the provider's ids for support requests. */
  readonly modelId?: string;
  readonly responseId?: string;
  readonly requestId?: string;
  readonly rateLimits?: RateLimits;
  readonly providerMetadata?: Json;
}

export interface ModelContext {
  /** Aborted on cancel, halt, deadline and time-out; the adapter must pass it on. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Milliseconds since the epoch on the run's clock. */
  readonly now: () => number;
  /** When given, the adapter streams and hands over visible text as it comes. The response is the same either way. */
  readonly onText?: (text: string) => void;
  /**
   * To be called while streaming for every piece of an answer that is not visible text: reasoning, arguments of a call. Not for keep-alives
   * and empty pieces: a stream that says nothing any more is given up.
   */
  readonly onProgress?: () => void;
  /** To be called with what is known of the usage so far, as soon as it is: it counts when the attempt fails later on. */
  readonly onUsage?: (usage: Usage) => void;
}

/** A model. `call` throws `AgentError` with a model code (see core/provider-error) and resolves only for a complete answer. */
export interface Model {
  /** Well-known provider name of the GenAI conventions, e.g. `openai`. */
  readonly provider: string;
  readonly id: string;
  /** What this model is always asked with; wins over the agent's settings. */
  readonly settings?: ModelSettings;
  /** The fewest output tokens a request may ask for, where a model thinks within them; a budget that affords fewer makes no call. */
  readonly minOutputTokens?: number;
  /** How many times what writing to a cache costs it costs here, where the cache is kept longer than prices are for; default 1. */
  readonly cacheWriteMultiple?: number;
  /** Called once by createAgent. Throws `configuration_invalid` for a tool, a setting or an output schema that the provider cannot take. */
  check?(offer: ModelOffer): void;
  call(request: ModelRequest, context: ModelContext): Promise<ModelResponse>;
}
