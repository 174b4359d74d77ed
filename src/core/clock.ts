// Time as a port: nothing in the runtime asks the machine directly, so tests decide what time it is.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once after `ms` (as soon as possible when `ms` <= 0, but never before `after` returns); the answer cancels it. */
  after(ms: number, run: () => void): () => void;
}
