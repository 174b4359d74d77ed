// The contract between the runtime and a model, whoever serves it. An adapter does one attempt: no retries, no timers of its own.
import type { Json, JsonSchema } from "./json.ts";
import type { AssistantMessage, Message } from "./message.ts";

/** A tool as the model sees it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
}

/** Sampling and size; what a provider does not have, its adapter leaves out. Units: tokens. */
export interface ModelSettings {
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high";
  readonly toolChoice?: "auto" | "none" | "required";
  readonly parallelToolCalls?: boolean;
}

export interface ModelRequest {
  /** The whole conversation, instructions first as system messages. Never mutated. */
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly settings: ModelSettings;
  /** The shape the answer has to have, when one is asked for. */
  readonly output?: { readonly name: string; readonly schema: JsonSchema };
}

/** Tokens as the provider reports them; what it does not report is absent, never 0 and never NaN. */
export interface Usage {
  /** All input, cached input included. */
  readonly inputTokens?: number;
  readonly inputTokenDetails?: { readonly cacheReadTokens?: number; readonly cacheWriteTokens?: number };
  /** All output, reasoning included. */
  readonly outputTokens?: number;
  readonly outputTokenDetails?: { readonly reasoningTokens?: number };
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
}

/** A model. `call` throws `AgentError` with a model code (see core/provider-error) and resolves only for a complete answer. */
export interface Model {
  /** Well-known provider name of the GenAI conventions, e.g. `openai`. */
  readonly provider: string;
  readonly id: string;
  call(request: ModelRequest, context: ModelContext): Promise<ModelResponse>;
}

/** What of a report can be counted: whole or not, but finite and not negative. Undefined when nothing can. */
export function knownUsage(usage: Usage | undefined): Usage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const { inputTokens, inputTokenDetails, outputTokens, outputTokenDetails } = usage;
  const known = {
    ...counted({ inputTokens, outputTokens }),
    ...within("inputTokenDetails", counted({ ...inputTokenDetails })),
    ...within("outputTokenDetails", counted({ ...outputTokenDetails })),
  };
  return Object.keys(known).length > 0 ? known : undefined;
}

const counted = (counts: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => typeof count === "number" && Number.isFinite(count) && count >= 0));

const within = (name: string, counts: object) => (Object.keys(counts).length > 0 ? { [name]: counts } : {});
