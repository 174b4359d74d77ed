// What comes over the wire from a Chat Completions endpoint. Invariant: nothing is believed before it has been looked at; gateways answer
// with HTML, with `{ error }` and with half a completion, all under status 200, and the SDK hands them on typed as completions.
import { isObject } from "../core/json.ts";

/** A completion, or one chunk of a streamed one. */
export interface WireCompletion {
  readonly id?: unknown;
  readonly model?: unknown;
  readonly choices?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
}

/** Of a completion `message` is filled, of a chunk `delta`; both have the same shape. */
export interface WireChoice {
  readonly index?: unknown;
  readonly message?: unknown;
  readonly delta?: unknown;
  readonly finish_reason?: unknown;
}

export interface WireMessage {
  readonly content?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: unknown;
  readonly function_call?: unknown;
}

/** Only chunks carry `index`; of a chunk any other field may be missing or cut into pieces. */
export interface WireToolCall {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly function?: unknown;
}

export interface WireFunction {
  readonly name?: unknown;
  readonly arguments?: unknown;
}

export interface WireUsage {
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  readonly prompt_tokens_details?: unknown;
  readonly completion_tokens_details?: unknown;
}

export interface WireTokenDetails {
  readonly cached_tokens?: unknown;
  readonly cache_write_tokens?: unknown;
  readonly reasoning_tokens?: unknown;
}

export interface WireError {
  readonly code?: unknown;
  readonly type?: unknown;
}

/** The value when it is an object, to be read as one of the shapes above; else an empty one. */
export function objectIn(value: unknown): { readonly [field: string]: unknown } {
  return isObject(value) ? value : {};
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is a string that says something. */
export function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The value when it is a number of tokens or an index: finite and not negative. */
export function countIn(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
