// Owns the silence of one attempt: how long it may take to its first sign of progress, and how long between two. Costs no timer per token.
import type { Clock } from "../core/clock.ts";
import type { Terms } from "../core/step.ts";

/** What to call a stream that has stalled. */
export type StallCode = "first_token_timeout" | "idle_timeout";

export interface StallWatch {
  /** The attempt has got further. */
  readonly progress: () => void;
  /** It is over; nothing is left behind. */
  readonly stop: () => void;
}

const unwatched: StallWatch = { progress: () => {}, stop: () => {} };

/** Calls `onStall`, once, when nothing has come for `firstTokenMs`, or nothing more for `idleMs`. */
export function watchForStall(clock: Clock, { firstTokenMs = 0, idleMs = 0 }: Terms, onStall: (code: StallCode) => void): StallWatch {
  if (firstTokenMs <= 0 && idleMs <= 0) return unwatched;
  let latest: number | undefined;
  let cancel = firstTokenMs > 0 ? clock.after(firstTokenMs, () => onStall("first_token_timeout")) : () => {};
  // A timer that fires looks how long the silence really was, and waits for the rest of it.
  const look = () => {
    const left = (latest ?? 0) + idleMs - clock.now();
    if (left <= 0) onStall("idle_timeout");
    else cancel = clock.after(left, look);
  };
  return {
    progress: () => {
      const isFirst = latest === undefined;
      latest = clock.now();
      if (!isFirst) return;
      cancel();
      cancel = idleMs > 0 ? clock.after(idleMs, look) : () => {};
    },
    stop: () => cancel(),
  };
}
