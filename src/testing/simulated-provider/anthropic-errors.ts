// How Anthropic spells what went wrong. Invariant: data only.
import { errorText, type WireError, type WireErrorKind, type WireRequest } from "./wire.ts";

interface Spelling {
  readonly status: number;
  readonly type: string;
  readonly message?: string;
}

const spellings: Readonly<Record<WireErrorKind, Spelling>> = {
  "rate-limit": { status: 429, type: "rate_limit_error" },
  quota: { status: 402, type: "billing_error" },
  "server-error": { status: 500, type: "api_error" },
  unavailable: { status: 503, type: "api_error" },
  overloaded: { status: 529, type: "overloaded_error" },
  "too-large": { status: 413, type: "request_too_large" },
  "bad-request": { status: 400, type: "invalid_request_error" },
  // There is no code for it: a client has to know it by its text.
  "context-too-long": {
    status: 400,
    type: "invalid_request_error",
    message: `prompt is too long: 204800 tokens > 200000 maximum; ${errorText}`,
  },
  unauthorized: { status: 401, type: "authentication_error" },
};

export function anthropicError(kind: WireErrorKind, { index }: WireRequest): WireError {
  const { status, type, message = errorText } = spellings[kind];
  return { status, body: { type: "error", error: { type, message }, request_id: `req_${index}` } };
}
