// Waiting that ends with the signal. Invariant: an abort is told as the error the runtime aborted with, never as a provider failure.
import { stopReason } from "../core/outcome.ts";

/** What `work` gives, or `stopReason(signal)` as soon as the signal is aborted, for work that takes no signal itself. Leaves no listener behind. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(stopReason(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
