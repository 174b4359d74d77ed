// Time as a port: nothing in the runtime asks the machine directly, so tests decide what time it is.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once after `ms` (at once when `ms` <= 0); the returned function cancels it. */
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
