// What every adapter makes of what every provider can do wrong, as one row each. What only one of them does stands in its own test.
import type { ErrorCode } from "../../src/core/errors.ts";
import type { SimulatedReply } from "../../src/testing/index.ts";

export interface Failure {
  readonly reply: SimulatedReply;
  readonly code: ErrorCode;
  /** When it is streamed; as `code` when absent. */
  readonly streamed?: ErrorCode;
  readonly retryable: boolean;
}

export const failures: readonly Failure[] = [
  { reply: { fault: "rate-limit" }, code: "rate_limited", retryable: true },
  { reply: { fault: "quota" }, code: "quota_exhausted", retryable: false },
  { reply: { fault: "server-error" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "bad-gateway-html" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "unavailable" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "overloaded" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "too-large" }, code: "context_too_long", retryable: false },
  { reply: { fault: "bad-request" }, code: "provider_rejected", retryable: false },
  { reply: { fault: "context-too-long" }, code: "context_too_long", retryable: false },
  { reply: { fault: "unauthorized" }, code: "authentication_failed", retryable: false },
  { reply: { fault: "reset" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "html-200" }, code: "model_response_invalid", retryable: true },
  { reply: { fault: "empty-200" }, code: "model_response_invalid", retryable: true },
  { reply: { fault: "error-200" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "garbled" }, code: "model_response_invalid", retryable: true },
  { reply: { fault: "cut", text: "Half an answer" }, code: "model_response_invalid", streamed: "provider_unavailable", retryable: true },
  { reply: { fault: "reset-mid-body", text: "Half an answer" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "error-mid-body", text: "Half an answer" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "error-mid-body", text: "Half an answer", error: "overloaded" }, code: "provider_unavailable", retryable: true },
  { reply: { fault: "error-mid-body", text: "Half an answer", error: "rate-limit" }, code: "rate_limited", retryable: true },
];
