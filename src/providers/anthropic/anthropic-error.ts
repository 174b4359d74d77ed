// What the SDK throws and what the provider reports inside an answer, as our errors. Invariant: no provider text gets into a message.
import type { Anthropic } from "@anthropic-ai/sdk";
import type { AgentError } from "../../core/errors.ts";
import { providerError } from "../../core/provider-error.ts";
import { notAnAnswer } from "../exchange.ts";
import { sdkError } from "../sdk-error.ts";
import { objectIn, textIn } from "../wire.ts";
import type { WireError } from "./messages-wire.ts";

/** The SDK's module, as far as errors are told apart by it. */
export type Sdk = Pick<typeof Anthropic, "APIError" | "APIConnectionError">;

/** The `AgentError` for anything a request or a stream of the SDK rejected with. */
export function anthropicError(sdk: Sdk, thrown: unknown, now: number): AgentError {
  return sdkError("anthropic", sdk, {
    thrown,
    now,
    read(failure) {
      const { error } = objectIn(failure.error);
      const reason = reasonIn(error);
      return failure.status === undefined && !reason ? reportedError(error, now, failure) : reason;
    },
  });
}

/** The error for `{ error }` where an answer was due: in a body with status 200 or as an event of a stream. */
export function reportedError(error: unknown, now: number, cause?: unknown): AgentError {
  const reason = reasonIn(error);
  return reason ? providerError("anthropic", { reason, cause }, now) : notAnAnswer("anthropic", "it is an error without a type", cause);
}

/**
 * What the API says in words only, by how its sentence begins: further on it may quote whatever was sent. The reasons are those of
 * core/provider-error.
 */
const inWordsOnly: readonly { readonly words: RegExp; readonly reason: string }[] = [
  { words: /^prompt is too long/i, reason: "context_length_exceeded" },
  { words: /^input length and `?max_tokens`? exceed context limit/i, reason: "context_length_exceeded" },
  { words: /^your credit balance is too low/i, reason: "billing_error" },
  { words: /^you have reached your specified api usage limits/i, reason: "billing_error" },
];

function reasonIn(error: unknown): string | undefined {
  const { type, message }: WireError = objectIn(error);
  const reason = textIn(type);
  if (reason !== "invalid_request_error") return reason;
  const text = textIn(message) ?? "";
  return inWordsOnly.find(({ words }) => words.test(text))?.reason ?? reason;
}
