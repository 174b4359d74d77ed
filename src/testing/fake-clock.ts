// Time that a test decides. Invariant: timers fire one by one in the order of their times, and `now()` never goes back.
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { AgentError } from "../core/errors.ts";

export interface FakeClock extends Clock {
  /**
   * Moves time on by `ms` and fires what falls due on the way, each timer at its own time. After each one, promises and other work that
   * is ready get to run, so a timer that is set by a fired timer and falls due within the window fires too. Resolves when all has settled.
   */
  advance(ms: number): Promise<void>;
  /** How many timers are waiting. */
  readonly pending: number;
}

export interface AutoClockOptions {
  /** Milliseconds since the epoch. */
  readonly start?: number;
  /** The longest delay, in milliseconds, of a timer that fires by itself; default 8_000. */
  readonly autoMaxMs?: number;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
  readonly firesItself: boolean;
}

const defaultStart = Date.UTC(2026, 0, 1);

/**
 * A clock that stands still until `advance()` is called; `start` is in milliseconds since the epoch. A timer of 0 ms needs no
 * `advance()`: it fires once the work that is ready has run.
 */
export function fakeClock(start = defaultStart): FakeClock {
  return createClock(start, 0);
}

/**
 * A clock on which waiting takes no real time: as soon as no other work is ready, time jumps to the next timer and fires it. For tests
 * of retries and back-off.
 *
 * Whether a step is still waiting for real I/O cannot be seen from here, so a deadline might fire while a loopback server is about to
 * answer. Therefore only timers of at most `autoMaxMs` fire by themselves. Longer ones fire when `advance()` reaches them, or when jumps
 * to shorter timers pass their time. Set deadlines that are to hold above `autoMaxMs`, back-off below.
 */
export function autoClock({ start = defaultStart, autoMaxMs = 8_000 }: AutoClockOptions = {}): FakeClock {
  return createClock(start, autoMaxMs);
}

function createClock(start: number, autoMaxMs: number): FakeClock {
  let time = start;
  let running = false;
  const timers = new Set<Timer>();

  /** Fires the earliest timer; false when there is none that is due by `until`. */
  const fireNext = (until: number): boolean => {
    const next = earliest(timers);
    if (!next || next.at > until) return false;
    timers.delete(next);
    time = Math.max(time, next.at);
    next.run();
    return true;
  };

  const runByItself = async () => {
    if (running) return;
    running = true;
    try {
      for (;;) {
        await settled();
        const next = earliest(timers, (timer) => timer.firesItself);
        if (!next) return;
        fireNext(next.at);
      }
    } finally {
      running = false;
    }
  };

  return {
    now: () => time,
    after(ms, run) {
      const delay = ms > 0 ? ms : 0;
      const timer: Timer = { at: time + delay, run, firesItself: delay <= autoMaxMs };
      timers.add(timer);
      if (timer.firesItself) void runByItself();
      return () => {
        timers.delete(timer);
      };
    },
    async advance(ms) {
      if (!(ms >= 0)) throw new AgentError("input_invalid", "advance() takes a number of milliseconds that is not negative.");
      const until = time + ms;
      await settled();
      while (fireNext(until)) await settled();
      time = Math.max(time, until);
    },
    get pending() {
      return timers.size;
    },
  };
}

function earliest(timers: Iterable<Timer>, counts: (timer: Timer) => boolean = () => true): Timer | undefined {
  let first: Timer | undefined;
  for (const timer of timers) if (counts(timer) && (!first || timer.at < first.at)) first = timer;
  return first;
}

/** Lets promise jobs run, and what they have put off to the next turns of the event loop. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}
