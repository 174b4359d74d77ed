// A run as its consumer holds it: the events so far, kept until the stream is let go, and the result as a value.
import { AgentError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import type { RunResult } from "../core/result.ts";

/**
 * Iterating gives every event from the first, also to a second consumer, and ends after `run.finished`. It never throws for how a run
 * ended; `result` never rejects. Leaving an iteration early (`break`) cancels the run, unless it was started with `onBreak: "continue"`.
 */
export interface RunStream<Output = string> extends AsyncIterable<RunEvent> {
  readonly runId: string;
  readonly result: Promise<RunResult<Output>>;
  /** The visible text as it comes. Throws the run's error at the end when there is no answer, and `stream_interrupted` when one begins anew. */
  readonly textStream: AsyncIterable<string>;
}

/** Where events go; absent when nobody will iterate. */
export type Emit = (event: RunEvent) => void;

export interface StreamSource<Output> {
  readonly runId: string;
  /** Starts the run at once; resolves when it has ended or stopped, and does not reject. */
  readonly drive: (emit: Emit | undefined) => Promise<RunResult<Output>>;
  /** What leaving early does. */
  readonly leave: () => void;
  /** False when nobody will iterate: then no event is kept. */
  readonly keep: boolean;
}

export function openStream<Output>({ runId, drive, leave, keep }: StreamSource<Output>): OpenStream<Output> {
  const events: RunEvent[] = [];
  const waiting = new Set<() => void>();
  let over = false;
  const wake = () => {
    for (const resume of waiting) resume();
    waiting.clear();
  };
  const emit = (event: RunEvent) => {
    events.push(event);
    wake();
  };
  const result = drive(keep ? emit : undefined).finally(() => {
    over = true;
    wake();
  });

  const read = (left: () => void): AsyncIterator<RunEvent> => {
    let position = 0;
    let gone = false;
    const next = async (): Promise<IteratorResult<RunEvent>> => {
      for (;;) {
        const event = gone ? undefined : events[position];
        if (event) {
          position += 1;
          return { done: false, value: event };
        }
        if (over || gone) return { done: true, value: undefined };
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    };
    const stop = (): Promise<IteratorResult<RunEvent>> => {
      gone = true;
      wake();
      if (!over) left();
      return Promise.resolve({ done: true, value: undefined });
    };
    return { next, return: stop };
  };

  const held = (left: () => void): RunStream<Output> => {
    const stream: AsyncIterable<RunEvent> = { [Symbol.asyncIterator]: () => read(left) };
    return { runId, result, ...stream, textStream: { [Symbol.asyncIterator]: () => readText(stream, result) } };
  };
  return { own: held(leave), join: () => held(() => {}) };
}

/** A started run: held by whoever started it, and by those who asked for the same run while it was going on; these cannot cancel it. */
export interface OpenStream<Output> {
  readonly own: RunStream<Output>;
  join(): RunStream<Output>;
}

// By hand and not as a generator: one that is left before it was started would not tell the stream.
function readText<Output>(stream: AsyncIterable<RunEvent>, result: Promise<RunResult<Output>>): AsyncIterator<string> {
  const events = stream[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<string>> => {
    for (;;) {
      const { done, value } = await events.next();
      if (done) return finish(await result);
      if (value.type === "text.delta") return { done: false, value: value.text };
      if (value.type === "attempt.restarted") throw begunAnew();
    }
  };
  let left = false;
  return {
    next: () => (left ? Promise.resolve({ done: true, value: undefined }) : next()),
    return: async () => {
      left = true;
      await events.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** What was handed out cannot be taken back, and attempts are never glued. */
const begunAnew = () =>
  new AgentError("stream_interrupted", "The answer broke off and begins anew; a stream of text cannot say so.", {
    hint: "Read the events of the stream and heed attempt.restarted.",
  });

function finish<Output>(end: RunResult<Output>): IteratorResult<string> {
  if (end.status === "completed") return { done: true, value: undefined };
  if (end.status !== "suspended") throw end.error;
  const waits = end.waitingFor.map(({ tool }) => tool).join(", ");
  throw new AgentError("tool_in_doubt", `The run waits until it is known whether this happened: ${waits}.`);
}
