// The clock of the machine. A timer never fires early, however long it is, and lives only as long as somebody waits for it.
import type { Clock } from "../core/clock.ts";

/** The longest delay `setTimeout` can hold; with a longer one it fires at once. */
const longestMs = 2 ** 31 - 1;

/** Wall-clock time and real timers, of any length. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    // Node may fire a fraction of a millisecond early, and earlier than asked is too early.
    if (!(ms > 0)) return timer(0, run);
    return ms < longestMs ? timer(Math.ceil(ms) + 1, run) : longTimer(ms, run);
  },
};

function timer(ms: number, run: () => void): () => void {
  const handle = setTimeout(run, ms);
  return () => clearTimeout(handle);
}

/** A chain of timers, each as long as one can be. */
function longTimer(ms: number, run: () => void): () => void {
  let cancel = timer(longestMs, () => {
    cancel = systemClock.after(ms - longestMs, run);
  });
  return () => cancel();
}
