// What went wrong at a provider, mapped to our codes in one table for every adapter.
import { AgentError, type ErrorCode } from "./errors.ts";
import { type HeaderLookup, retryAfterMs } from "./retry-after.ts";

export interface ProviderFailure {
  /** HTTP status; absent when no answer came or the failure arrived inside a stream. */
  readonly status?: number;
  /** The provider's own machine-readable code or type, e.g. `insufficient_quota`. */
  readonly reason?: string;
  readonly header?: HeaderLookup;
  readonly requestId?: string;
  /** It came in an answer that had begun well, status 200: what was used by then may be charged. */
  readonly inAnswer?: boolean;
  readonly cause?: unknown;
}

const byReason: Readonly<Record<string, ErrorCode>> = {
  insufficient_quota: "quota_exhausted",
  billing_error: "quota_exhausted",
  context_length_exceeded: "context_too_long",
  invalid_api_key: "authentication_failed",
  authentication_error: "authentication_failed",
  permission_error: "authentication_failed",
  invalid_request_error: "provider_rejected",
  not_found_error: "provider_rejected",
  rate_limit_error: "rate_limited",
  rate_limit_exceeded: "rate_limited",
  overloaded_error: "provider_unavailable",
  server_error: "provider_unavailable",
  api_error: "provider_unavailable",
  content_filter: "content_filtered",
  content_policy_violation: "content_filtered",
  image_content_policy_violation: "content_filtered",
  misalignment_policy_violation: "content_filtered",
  bio_policy: "content_filtered",
  invalid_prompt: "content_filtered",
};

/** The `AgentError` a provider's failure amounts to. The message is ours: a provider's text can quote the prompt. */
export function providerError(provider: string, failure: ProviderFailure, now: number): AgentError {
  const code = codeOf(failure);
  const wait = failure.header && retryAfterMs(failure.header, now);
  return new AgentError(code, messageOf(provider, failure), {
    cause: failure.cause,
    details: {
      provider,
      ...(failure.status === undefined ? {} : { status: failure.status }),
      ...(failure.reason && /^[\w.-]{1,64}$/.test(failure.reason) ? { reason: failure.reason } : {}),
      ...(failure.inAnswer ? { inAnswer: true } : {}),
      ...(failure.requestId ? { requestId: failure.requestId } : {}),
      ...(wait === undefined ? {} : { retryAfterMs: wait, retryAt: now + wait }),
    },
  });
}

function codeOf({ status, reason }: ProviderFailure): ErrorCode {
  if (reason && Object.hasOwn(byReason, reason)) return byReason[reason] ?? "provider_unavailable";
  if (status === undefined) return "provider_unavailable";
  if (status === 401 || status === 403) return "authentication_failed";
  if (status === 402) return "quota_exhausted";
  if (status === 413) return "context_too_long";
  if (status === 429) return "rate_limited";
  if (status === 408 || status === 409 || status >= 500) return "provider_unavailable";
  return "provider_rejected";
}

function messageOf(provider: string, { status, reason }: ProviderFailure): string {
  if (status !== undefined) return `${provider} answered with HTTP ${status}.`;
  return reason ? `${provider} reported an error while answering.` : `${provider} could not be reached or closed the connection.`;
}
