// Usage as Messages report it, put together from the events that tell parts of it. Invariant: what is not reported stays absent.
import type { Usage } from "../../core/usage.ts";
import { usageOf } from "../usage.ts";
import { countIn, objectIn } from "../wire.ts";
import type { WireOutputDetails, WireUsage } from "./messages-wire.ts";

interface Counts {
  readonly input?: number | undefined;
  readonly read?: number | undefined;
  readonly written?: number | undefined;
  readonly output?: number | undefined;
  readonly thinking?: number | undefined;
}

/** Each report is of the answer as a whole, so a later number takes the place of an earlier one. */
export function createUsageCount() {
  let counts: Counts = {};
  let usage: Usage | undefined;
  return {
    get usage() {
      return usage;
    },
    add(report: unknown) {
      const next = countsIn(report);
      if (Object.values(next).every((count) => count === undefined)) return;
      counts = {
        input: next.input ?? counts.input,
        read: next.read ?? counts.read,
        written: next.written ?? counts.written,
        output: next.output ?? counts.output,
        thinking: next.thinking ?? counts.thinking,
      };
      usage = withCached(counts);
    },
  };
}

function countsIn(report: unknown): Counts {
  const wire: WireUsage = objectIn(report);
  const { thinking_tokens }: WireOutputDetails = objectIn(wire.output_tokens_details);
  return {
    input: countIn(wire.input_tokens),
    read: countIn(wire.cache_read_input_tokens),
    written: countIn(wire.cache_creation_input_tokens),
    output: countIn(wire.output_tokens),
    thinking: countIn(thinking_tokens),
  };
}

// Ours counts all input; theirs leaves out what was read from the cache and what was written to it.
const withCached = ({ input, read, written, output, thinking }: Counts): Usage | undefined =>
  usageOf({
    input: input === undefined ? undefined : input + (read ?? 0) + (written ?? 0),
    cacheRead: read,
    cacheWrite: written,
    output,
    reasoning: thinking,
  });
