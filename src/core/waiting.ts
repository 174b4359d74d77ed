// The ways to wait: for a time, within a time, or until a signal. None leaves a timer or a listener behind.
import type { Clock } from "./clock.ts";
import { stopReason } from "./outcome.ts";

/** Calls `act` as soon as the signal is aborted, at once when it is already; the answer stops listening. */
export function whenAborted(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
  return () => signal.removeEventListener("abort", act);
}

/** Waits on `clock`; resolves false at once when `signal` is or becomes aborted. Leaves no timer and no listener behind. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const finish = (slept: boolean) => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      resolve(slept);
    };
    const onAbort = () => finish(false);
    const cancel = clock.after(ms, () => finish(true));
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * Does `work` with a signal of its own, and stops waiting for it after `ms` (0 = no limit) or when `signal` aborts: then the answer is
 * undefined, and what comes of the work later is dropped. Leaves no timer and no listener behind.
 */
export async function withinTime<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T | undefined> {
  const own = new AbortController();
  const given = Promise.withResolvers<undefined>();
  const stop = () => {
    own.abort(signal.reason);
    given.resolve(undefined);
  };
  const cancel = ms > 0 ? clock.after(ms, stop) : () => {};
  const release = whenAborted(signal, stop);
  try {
    return await Promise.race([work(own.signal), given.promise]);
  } finally {
    cancel();
    release();
  }
}

/** What `work` gives, or `stopReason(signal)` as soon as the signal is aborted, for work that takes no signal itself. Leaves no listener behind. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const release = whenAborted(signal, () => reject(stopReason(signal)));
    work.then(resolve, reject).finally(release);
  });
}
