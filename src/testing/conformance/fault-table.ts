// What every adapter has to make of every fault: the one table that conformance, its tests and docs/fault-table.md are held to.
import type { ErrorCode } from "../../core/errors.ts";
import type { RunStatus } from "../../core/result.ts";
import type { SimulatedReply } from "../simulated-provider/reply.ts";
import type { SimulatedApi } from "../simulated-provider/request.ts";
import { conformanceTool } from "./one-call.ts";

/** What an agent that tries a model twice makes of a provider that always fails the same. */
export interface FaultEnd {
  /** HTTP requests the provider has got. */
  readonly requests: number;
  /** Of the failed attempt, or of the call that could not be made; absent when nothing failed. */
  readonly code?: ErrorCode;
  readonly retryable: boolean;
  readonly status: RunStatus;
  /** Of the run. */
  readonly error?: ErrorCode;
}

export interface Fault {
  readonly name: string;
  readonly reply: SimulatedReply;
  /** The fault is silence: it is over when a time-out says so. `after text`: after part of the answer has come. */
  readonly silent?: "at once" | "after text";
  readonly whole: FaultEnd;
  /** When it is streamed; as `whole` when absent. */
  readonly streamed?: FaultEnd;
  /** A code that says as much: SDKs differ in whether they pass over half an event or take it for broken JSON. */
  readonly alsoFine?: ErrorCode;
  /** Where it is a fault; in every API when absent. */
  readonly only?: SimulatedApi;
}

const again = (code: ErrorCode): FaultEnd => ({ requests: 2, code, retryable: true, status: "failed", error: code });
const final = (code: ErrorCode): FaultEnd => ({ requests: 1, code, retryable: false, status: "failed", error: code });
const fine = (requests = 1): FaultEnd => ({ requests, retryable: false, status: "completed" });
/** The call is answered with an error, and the model asked again. */
const told = (code: ErrorCode): FaultEnd => ({ requests: 2, code, retryable: false, status: "completed" });
/** Text had been shown, so there is no second attempt. */
const interrupted = (code: ErrorCode): FaultEnd => ({
  requests: 1,
  code,
  retryable: true,
  status: "failed",
  error: "stream_interrupted",
});

const text = "Half an answer is no answer at all.";
const call = { name: conformanceTool, arguments: { id: "4711" } };
const unavailable = again("provider_unavailable");
const invalid = again("model_response_invalid");

/** Every fault the simulated provider knows, in the order of docs/fault-table.md. */
export const faultTable: readonly Fault[] = [
  { name: "429 without Retry-After", reply: { fault: "rate-limit" }, whole: again("rate_limited") },
  { name: "429, Retry-After in seconds", reply: { fault: "rate-limit", retryAfter: "0.05" }, whole: again("rate_limited") },
  { name: "429, Retry-After-Ms", reply: { fault: "rate-limit", retryAfterMs: "50" }, whole: again("rate_limited") },
  {
    name: "429, Retry-After as a date after the deadline",
    reply: { fault: "rate-limit", retryAfter: "Thu, 01 Jan 2099 00:00:00 GMT" },
    whole: { ...again("rate_limited"), requests: 1 },
  },
  { name: "quota exhausted", reply: { fault: "quota" }, whole: final("quota_exhausted") },
  { name: "500", reply: { fault: "server-error" }, whole: unavailable },
  { name: "502 with a page", reply: { fault: "bad-gateway-html" }, whole: unavailable },
  { name: "503", reply: { fault: "unavailable" }, whole: unavailable },
  { name: "529 overloaded", reply: { fault: "overloaded" }, whole: unavailable },
  { name: "413", reply: { fault: "too-large" }, whole: final("context_too_long") },
  { name: "400", reply: { fault: "bad-request" }, whole: final("provider_rejected") },
  { name: "400, context too long", reply: { fault: "context-too-long" }, whole: final("context_too_long") },
  { name: "401", reply: { fault: "unauthorized" }, whole: final("authentication_failed") },
  { name: "200 with a page", reply: { fault: "html-200" }, whole: invalid },
  { name: "200 with an error", reply: { fault: "error-200" }, whole: unavailable },
  { name: "200 with nothing", reply: { fault: "empty-200" }, whole: invalid },
  { name: "JSON that does not parse", reply: { fault: "garbled" }, whole: invalid },
  { name: "no choices", reply: { fault: "empty-choices", text }, whole: invalid, only: "chat" },
  { name: "reset before an answer", reply: { fault: "reset" }, whole: unavailable },
  {
    name: "reset in the body",
    reply: { fault: "reset-mid-body", text },
    whole: unavailable,
    streamed: interrupted("provider_unavailable"),
  },
  { name: "reset in the body, before any text", reply: { fault: "reset-mid-body", text, afterChunks: 1 }, whole: unavailable },
  { name: "cut off", reply: { fault: "cut", text }, whole: invalid, streamed: interrupted("provider_unavailable") },
  { name: "cut off before any text", reply: { fault: "cut", text, afterChunks: 1 }, whole: invalid, streamed: unavailable },
  {
    name: "cut off in a call",
    reply: { fault: "cut", calls: [call], chunkSize: 3, afterChunks: 3 },
    whole: invalid,
    streamed: unavailable,
  },
  {
    name: "half an event, then the end",
    reply: { fault: "half-event", text },
    whole: invalid,
    streamed: interrupted("provider_unavailable"),
    alsoFine: "model_response_invalid",
  },
  {
    name: "garbled after text",
    reply: { fault: "garbled", text, afterChunks: 2 },
    whole: invalid,
    streamed: interrupted("model_response_invalid"),
  },
  {
    name: "error event after text",
    reply: { fault: "error-mid-body", text },
    whole: unavailable,
    streamed: interrupted("provider_unavailable"),
  },
  {
    name: "overloaded, before any text",
    reply: { fault: "error-mid-body", error: "overloaded", text, afterChunks: 1 },
    whole: unavailable,
  },
  {
    name: "rate limit, before any text",
    reply: { fault: "error-mid-body", error: "rate-limit", text, afterChunks: 1 },
    whole: again("rate_limited"),
  },
  {
    name: "no answer at all",
    reply: { fault: "hang" },
    silent: "at once",
    whole: again("step_timeout"),
    streamed: again("first_token_timeout"),
  },
  {
    name: "headers, then silence",
    reply: { fault: "headers-then-silence" },
    silent: "at once",
    whole: again("step_timeout"),
    streamed: again("first_token_timeout"),
  },
  {
    name: "the body stalls before any text",
    reply: { fault: "stall", text, afterChunks: 1 },
    silent: "at once",
    whole: again("step_timeout"),
    streamed: again("first_token_timeout"),
  },
  {
    name: "one piece of text, then silence",
    reply: { fault: "stall", text },
    silent: "after text",
    whole: again("step_timeout"),
    streamed: interrupted("idle_timeout"),
  },
  {
    name: "one piece of text, then keep-alives",
    reply: { fault: "keep-alive", text, intervalMs: 1 },
    silent: "after text",
    whole: again("step_timeout"),
    streamed: interrupted("idle_timeout"),
  },
  {
    name: "keep-alives only",
    reply: { fault: "keep-alive", text, afterChunks: 1, intervalMs: 1 },
    silent: "at once",
    whole: again("step_timeout"),
    streamed: again("first_token_timeout"),
  },
  { name: "arguments that are no JSON", reply: { fault: "malformed-arguments", name: conformanceTool }, whole: told("tool_input_invalid") },
  {
    name: "arguments cut off by length",
    reply: { fault: "truncated-arguments", name: conformanceTool },
    whole: told("tool_input_truncated"),
  },
  {
    name: "calls with one id",
    reply: { fault: "duplicate-call-ids", calls: [call, { ...call, arguments: { id: "4712" } }] },
    whole: fine(2),
  },
  { name: "calls without ids", reply: { calls: [{ ...call, callId: null }] }, whole: fine(2) },
  { name: "no usage", reply: { text, usage: null }, whole: fine() },
  { name: "no role", reply: { fault: "missing-role", text }, whole: fine() },
  { name: "slow tokens", reply: { fault: "slow-tokens", text, delayMs: 1 }, whole: fine() },
  { name: "JSON where a stream was asked for", reply: { fault: "stream-ignored", text }, whole: fine() },
];
