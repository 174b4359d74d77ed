// What an SDK throws, as our errors. Invariant: no provider text gets into a message.
import { AgentError } from "../core/errors.ts";
import { providerError } from "../core/provider-error.ts";
import { notAnAnswer } from "./exchange.ts";

/** An error that came in place of an answer; one without a status came inside a stream. */
export interface SdkFailure {
  readonly status: number | undefined;
  readonly error: unknown;
  readonly headers: Headers | undefined;
  readonly requestID: string | null | undefined;
}

/** An SDK's module, as far as errors are told apart by it; it is loaded late, so nothing here imports it. */
export interface SdkErrors<Failure extends SdkFailure> {
  readonly APIError: abstract new (...given: never) => Failure;
  readonly APIConnectionError: abstract new (...given: never) => object;
}

/**
 * The `AgentError` for anything a request or a stream of an SDK rejected with. `read` finds the provider's own reason in an error that came
 * in place of an answer, or makes the error itself.
 */
export function sdkError<Failure extends SdkFailure>(
  provider: string,
  { APIError, APIConnectionError }: SdkErrors<Failure>,
  { thrown, now, read }: { thrown: unknown; now: number; read: (failure: Failure) => string | AgentError | undefined },
): AgentError {
  if (thrown instanceof SyntaxError) return notAnAnswer(provider, "its JSON is broken", thrown);
  // Beside the SDK's own classes: undici's bare TypeError "terminated" when a socket dies while a body is being read.
  if (!(thrown instanceof APIError) || thrown instanceof APIConnectionError) return providerError(provider, { cause: thrown }, now);
  const reason = read(thrown);
  if (AgentError.is(reason)) return reason;
  const { status, headers, requestID } = thrown;
  return providerError(
    provider,
    {
      ...(status === undefined ? {} : { status }),
      ...(reason ? { reason } : {}),
      header: (name) => headers?.get(name),
      ...(requestID ? { requestId: requestID } : {}),
      cause: thrown,
    },
    now,
  );
}
