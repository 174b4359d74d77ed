// How an adapter answers an aborted signal. Invariant: an abort is told as the error the runtime aborted with, never as a provider failure.
import { AgentError } from "../core/errors.ts";

/** The reason the signal was aborted for when it is ours (halt, deadline, cancel), else a `cancelled` error with the reason as cause. */
export function abortError(signal: AbortSignal): AgentError {
  const reason: unknown = signal.reason;
  return AgentError.is(reason) ? reason : new AgentError("cancelled", "The call was aborted.", { cause: reason });
}

/** What `work` gives, or `abortError(signal)` as soon as the signal is aborted, for work that takes no signal itself. Leaves no listener behind. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
