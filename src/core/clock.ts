// Time as a port: nothing in the runtime asks the machine directly, so tests decide what time it is.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once after `ms` (as soon as possible when `ms` <= 0, but never before `after` returns); the answer cancels it. */
  after(ms: number, run: () => void): () => void;
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
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work(own.signal), given.promise]);
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
  }
}
