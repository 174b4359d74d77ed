// What a handler has begun and not finished: runs, whether anybody still listens or not, and answers on their way. So it can close in order.
import type { Clock } from "../core/clock.ts";
import { AgentError } from "../core/errors.ts";
import { withinTime } from "../core/waiting.ts";

export interface OpenWork {
  readonly closing: boolean;
  /** A run and its answer. Aborting `stop` stops the run; it is aborted when the time to close is over. */
  begin(): Piece;
  /** Begins nothing more; resolves when all is over, after `withinMs` by stopping what still runs. Leaves no timer behind. */
  close(withinMs: number): Promise<void>;
}

export interface Piece {
  readonly stop: AbortController;
  /** The run is over. */
  ran(): void;
  /** Its answer was taken in full, or nobody wants it any more. */
  told(): void;
}

export function createOpenWork(clock: Clock): OpenWork {
  const running = new Map<AbortController, Promise<void>>();
  const telling = new Set<Promise<void>>();
  let closed: Promise<void> | undefined;

  const close = async (withinMs: number) => {
    const all = Promise.all([...running.values(), ...telling]);
    if (withinMs > 0) await withinTime(clock, withinMs, new AbortController().signal, () => all);
    // A stop, not a cancel, which would be an end: with a store that lasts, another process can go on.
    const reason = new AgentError("deadline_exceeded", "The service was shutting down.", { hint: "Resume the run when it is back." });
    for (const stop of running.keys()) stop.abort(reason);
    await Promise.all(running.values());
  };

  return {
    get closing() {
      return closed !== undefined;
    },
    begin() {
      const stop = new AbortController();
      const ran = Promise.withResolvers<void>();
      const told = Promise.withResolvers<void>();
      running.set(stop, ran.promise);
      telling.add(told.promise);
      return {
        stop,
        ran: () => {
          running.delete(stop);
          ran.resolve();
        },
        told: () => {
          telling.delete(told.promise);
          told.resolve();
        },
      };
    },
    close: (withinMs) => (closed ??= close(withinMs)),
  };
}
