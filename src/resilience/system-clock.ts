// The clock of the machine. A timer never fires early, however long it is, and lives only as long as somebody waits for it.
import type { Clock } from "../core/clock.ts";

/** The longest delay `setTimeout` can hold; with a longer one it fires at once. */
const longestMs = 2 ** 31 - 1;

/** Wall-clock time and real timers, of any length. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    if (!(ms > 0)) return timer(0, run);
    // Measured: one in sixty of Node's timers fires up to 1 ms early, and a server that asked for a pause would see that.
    return ms < longestMs ? timer(Math.ceil(ms) + 1, run) : longTimer(ms, run);
  },
};

function timer(ms: number, run: () => void): () => void {
  const handle = setTimeout(run, ms);
  return () => clearTimeout(handle);
}

/** The same for what nobody waits for: its timers keep no process alive. None is longer than a minute or so. */
export const backgroundClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const handle = setTimeout(run, Math.min(ms, longestMs));
    handle.unref();
    return () => clearTimeout(handle);
  },
};

/** A chain of timers, each but the last nearly as long as one can be. */
function longTimer(ms: number, run: () => void): () => void {
  const firstMs = longestMs - 1;
  let cancel = timer(firstMs, () => {
    cancel = systemClock.after(ms - firstMs, run);
  });
  return () => cancel();
}
