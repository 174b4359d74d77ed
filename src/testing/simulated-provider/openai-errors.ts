// How OpenAI spells what went wrong, in Chat Completions and in Responses alike. Invariant: data only.
import { errorText, type WireError, type WireErrorKind } from "./wire.ts";

const spellings: Readonly<Record<WireErrorKind, { readonly status: number; readonly type: string; readonly code: string | null }>> = {
  "rate-limit": { status: 429, type: "requests", code: "rate_limit_exceeded" },
  quota: { status: 429, type: "insufficient_quota", code: "insufficient_quota" },
  "server-error": { status: 500, type: "server_error", code: null },
  unavailable: { status: 503, type: "server_error", code: null },
  overloaded: { status: 529, type: "server_error", code: "server_is_overloaded" },
  "too-large": { status: 413, type: "invalid_request_error", code: "request_too_large" },
  "bad-request": { status: 400, type: "invalid_request_error", code: "unsupported_value" },
  "context-too-long": { status: 400, type: "invalid_request_error", code: "context_length_exceeded" },
  unauthorized: { status: 401, type: "invalid_request_error", code: "invalid_api_key" },
};

export function openaiError(kind: WireErrorKind): WireError {
  const { status, type, code } = spellings[kind];
  return { status, body: { error: { message: errorText, type, param: null, code } } };
}

/** What an `error` event of Responses says, all of it at the top. */
export function openaiEventError(kind: WireErrorKind): object {
  const { type, code } = spellings[kind];
  return { code: code ?? type, message: errorText, param: null };
}
