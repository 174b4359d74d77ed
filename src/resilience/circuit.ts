// One circuit: opossum's state and rolling window, turned by our clock instead of its timers. All that is particular to opossum is in here.
import { EventEmitter } from "node:events";
import CircuitBreaker from "opossum";
import type { AgentError } from "../core/errors.ts";

/** A closed or half-open circuit; what follows an open one is a new one, so that late results cannot reach it. */
export interface Circuit {
  /** Counts one result: a failure, or undefined for a success. */
  count(failure: AgentError | undefined, now: number): void;
  /** What is in the window. */
  tally(): { readonly failures: number; readonly successes: number };
  /** A half-open circuit closes with a success. */
  readonly closed: boolean;
  /** Ends it, with whatever opossum listens to. */
  shutdown(): void;
}

const buckets = 10;

/** `state` is missing in the types of opossum 10. */
type Options = CircuitBreaker.Options & { readonly state: { readonly closed: boolean; readonly halfOpen: boolean } };

export function createCircuit(name: string, withinMs: number, now: number, state: "closed" | "half-open"): Circuit {
  const turner = new EventEmitter();
  // A fresh object each time: opossum keeps and changes it.
  const options: Options = {
    name,
    state: { closed: state === "closed", halfOpen: state === "half-open" },
    timeout: false,
    // Never opens a closed circuit by a rule of its own: that one opens on the first failure and counts rejected calls.
    volumeThreshold: Number.MAX_SAFE_INTEGER,
    rollingCountTimeout: withinMs,
    rollingCountBuckets: buckets,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    rotateBucketController: turner,
  };
  const opossum = new CircuitBreaker(nothing, options);
  const bucketMs = withinMs / buckets;
  let turnedAt = now;
  return {
    count(failure, at) {
      // Fewer than none when the machine's clock was set back: then the window goes on from there.
      const turns = Math.floor((at - turnedAt) / bucketMs);
      for (let turn = 0; turn < Math.min(turns, buckets); turn++) turner.emit("rotate");
      turnedAt += turns * bucketMs;
      // The events by which opossum tells itself how its work ended: it counts on them, and a half-open circuit closes on a success. To fire
      // it would come to the same, several turns of the promise queue later.
      opossum.emit(failure ? "failure" : "success", failure, 0);
      // Kept by opossum for percentiles nobody asks for: one number per result, without end.
      const [bucket] = opossum.status.window;
      if (bucket) bucket.latencyTimes.length = 0;
    },
    tally() {
      let failures = 0;
      let successes = 0;
      for (const bucket of opossum.status.window) {
        failures += bucket.failures;
        successes += bucket.successes;
      }
      return { failures, successes };
    },
    get closed() {
      return opossum.closed;
    },
    shutdown: () => opossum.shutdown(),
  };
}

/** What opossum takes for the work. It is never asked to do it: by the time it is told, the work is over. */
const nothing = () => Promise.resolve();
