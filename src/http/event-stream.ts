// A run as server-sent events. Pulled, never pushed: a slow reader slows nothing but itself, and one that leaves leaves no timer behind.
import type { Clock } from "../core/clock.ts";
import type { RunEvent } from "../core/events.ts";
import { withinTime } from "../core/waiting.ts";

export interface RunEvents {
  readonly first: RunEvent;
  /** What comes after the first. */
  readonly rest: AsyncIterator<RunEvent>;
  /** The data of the event that follows the last of the run, as JSON. */
  readonly result: () => Promise<string>;
  /** The reader left before the end. */
  readonly onLeft: () => void;
  /** Nothing more will be read, whichever way. */
  readonly onOver: () => void;
}

/** Comments in between, which readers skip, keep proxies from taking a silent connection for a dead one. */
export interface KeepAlive {
  readonly clock: Clock;
  /** So much silence, then a comment. */
  readonly keepAliveMs: number;
}

export const eventStreamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/** Every event of the run as `event: <type>`, `data: <json>`, numbered from 1; then one event `result`. */
export function eventStream(source: RunEvents, { clock, keepAliveMs }: KeepAlive): ReadableStream<Uint8Array> {
  const { rest, result, onLeft, onOver } = source;
  const encoder = new TextEncoder();
  const left = new AbortController();
  let id = 0;
  let arrived: IteratorResult<RunEvent> | undefined = { done: false, value: source.first };
  let coming = Promise.resolve();
  const ask = async () => {
    arrived = await rest.next();
  };

  /** Undefined after a time of silence, and when the reader has left. */
  const next = async () => {
    // What is there needs no timer.
    if (!arrived) await withinTime(clock, keepAliveMs, left.signal, () => coming);
    const event = arrived;
    if (event && !event.done) {
      arrived = undefined;
      coming = ask();
    }
    return event;
  };
  const frame = (type: string, json: string) => encoder.encode(`id: ${++id}\nevent: ${type}\ndata: ${json}\n\n`);

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const event = await next();
        if (left.signal.aborted) return;
        if (!event) return controller.enqueue(encoder.encode(":\n\n"));
        if (!event.done) return controller.enqueue(frame(event.value.type, JSON.stringify(event.value)));
        controller.enqueue(frame("result", await result()));
        controller.close();
        onOver();
      },
      cancel() {
        left.abort();
        onLeft();
        onOver();
      },
    },
    // Nothing is made before it is asked for.
    { highWaterMark: 0 },
  );
}
