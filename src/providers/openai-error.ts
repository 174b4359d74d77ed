// What the SDK throws and what a provider reports under status 200, as our errors. Invariant: no provider text gets into a message.
import { APIConnectionError, APIError } from "openai";
import { AgentError } from "../core/errors.ts";
import { providerError } from "../core/provider-error.ts";
import { objectIn, textIn, type WireError } from "./openai-wire.ts";

/** The `AgentError` for anything a request or a stream of the SDK rejected with. */
export function openaiError(thrown: unknown, now: number): AgentError {
  if (thrown instanceof SyntaxError) return notACompletion("its JSON is broken", thrown);
  // Beside the SDK's own classes: undici's bare TypeError "terminated" when a socket dies while a body is being read.
  if (!(thrown instanceof APIError) || thrown instanceof APIConnectionError) return providerError("openai", { cause: thrown }, now);
  if (thrown.status === undefined) return reportedError(thrown.error, now, thrown);
  const reason = textIn(thrown.code) ?? textIn(thrown.type);
  return providerError(
    "openai",
    {
      status: thrown.status,
      ...(reason ? { reason } : {}),
      header: (name) => thrown.headers?.get(name),
      ...(thrown.requestID ? { requestId: thrown.requestID } : {}),
      cause: thrown,
    },
    now,
  );
}

/** The error for `{ error }` where a completion was due: in a body with status 200 or as an event of a stream. */
export function reportedError(error: unknown, now: number, cause?: unknown): AgentError {
  const { code, type }: WireError = objectIn(error);
  const reason = textIn(code) ?? textIn(type);
  // Gateways in front of several providers put the HTTP status they got into `code`.
  const status = typeof code === "number" && code >= 400 && code < 600 ? code : undefined;
  if (reason === undefined && status === undefined) return notACompletion("it is an error without a code", cause);
  return providerError("openai", { ...(reason ? { reason } : {}), ...(status === undefined ? {} : { status }), cause }, now);
}

/** The provider answered under status 200, but not with a completion; `what` says what is wrong with it. */
export function notACompletion(what: string, cause?: unknown): AgentError {
  return new AgentError("model_response_invalid", `The answer of openai is no completion: ${what}.`, {
    details: { provider: "openai" },
    cause,
  });
}

/** The stream ended in good order, but before the model had finished: the SDK reports nothing in that case. */
export function brokenOff(): AgentError {
  return new AgentError("provider_unavailable", "openai broke off its answer.", { details: { provider: "openai" } });
}
