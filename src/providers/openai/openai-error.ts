// What the SDK throws and what a provider reports under status 200, as our errors. Invariant: no provider text gets into a message.
import type { OpenAI } from "openai";
import { AgentError } from "../../core/errors.ts";
import { providerError } from "../../core/provider-error.ts";
import { notAnAnswer } from "../exchange.ts";
import { sdkError } from "../sdk-error.ts";
import { objectIn, textIn } from "../wire.ts";
import type { WireError } from "./chat-wire.ts";

/** The SDK's module, as far as errors are told apart by it. */
export type Sdk = Pick<typeof OpenAI, "APIError" | "APIConnectionError">;

/** The `AgentError` for anything a request or a stream of the SDK rejected with. */
export function openaiError(sdk: Sdk, thrown: unknown, now: number): AgentError {
  return sdkError("openai", sdk, {
    thrown,
    now,
    read: (failure) =>
      failure.status === undefined ? reportedError(failure.error, now, failure) : (textIn(failure.code) ?? textIn(failure.type)),
  });
}

/** The error for `{ error }` where a completion was due: in a body with status 200 or as an event of a stream. */
export function reportedError(error: unknown, now: number, cause?: unknown): AgentError {
  const { code, type }: WireError = objectIn(error);
  const reason = textIn(code) ?? textIn(type);
  // Gateways in front of several providers put the HTTP status they got into `code`.
  const status = typeof code === "number" && code >= 400 && code < 600 ? code : undefined;
  if (reason === undefined && status === undefined) return notAnAnswer("openai", "it is an error without a code", cause);
  const failure = providerError(
    "openai",
    { ...(reason ? { reason } : {}), ...(status === undefined ? {} : { status }), inAnswer: true, cause },
    now,
  );
  return status === undefined && aboutRequest.test(reason ?? "") ? rejected(failure) : failure;
}

/** Codes of a response that failed because of what was sent; to try again would not help. */
const aboutRequest = /^(invalid|unsupported|empty|data_residency)_|image/;

const rejected = ({ code, message, cause, details }: AgentError) =>
  code === "provider_unavailable"
    ? new AgentError("provider_rejected", message, { cause, details })
    : new AgentError(code, message, { cause, details });
