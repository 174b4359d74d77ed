// The breaker against a model of it that fits on a screen: whatever happens in whatever order, both let the same calls through.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
import { onion } from "../../src/core/step.ts";
import { type BreakerOptions, createCircuitBreakers } from "../../src/resilience/circuit-breaker.ts";
import { createBench, fails, ok, stepOf } from "./step-builder.ts";

type Word = "success" | "failure" | "neutral";
const outcomes: Record<Word, Outcome<string>> = { success: ok, failure: fails("step_timeout"), neutral: fails("cancelled") };

interface Model {
  state: "closed" | "open";
  /** When the present state began: a breaker is made with the first call. */
  since: number;
  results: { readonly at: number; readonly word: Word }[];
}

/** Whether a call at `now` that would end as `word` is let through; moves the model on. */
function admits(model: Model, options: BreakerOptions, now: number, word: Word): boolean {
  if (model.state === "open") {
    if (now < model.since + options.resetMs) return false;
    if (word === "neutral") return true;
    Object.assign(model, { state: word === "success" ? "closed" : "open", since: now, results: [] });
    return true;
  }
  if (word === "neutral") return true;
  model.results.push({ at: now, word });
  const bucketOf = (at: number) => Math.floor((at - model.since) / (options.withinMs / 10));
  const counted = model.results.filter(({ at }) => bucketOf(at) > bucketOf(now) - 10);
  const failures = counted.filter((result) => result.word === "failure").length;
  const { of } = options;
  const trips =
    of === undefined ? failures >= options.failures : counted.length >= of && failures / counted.length >= options.failures / of;
  if (trips) Object.assign(model, { state: "open", since: now, results: [] });
  return true;
}

const options = fc
  .record({
    failures: fc.integer({ min: 1, max: 5 }),
    more: fc.option(fc.nat(5), { nil: undefined }),
    resetMs: fc.constantFrom(500, 3_000),
  })
  .map(({ failures, more, resetMs }) => ({
    failures,
    ...(more === undefined ? {} : { of: failures + more }),
    withinMs: 1_000,
    resetMs,
  }));

const history = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.constantFrom(0, 1, 99, 100, 499, 500, 999, 1_000, 3_000), fc.nat(1_500)),
    word: fc.constantFrom<Word[]>("success", "failure", "failure", "neutral"),
  }),
  { maxLength: 60 },
);

test("the breaker lets through what its model lets through", async () => {
  await fc.assert(
    fc.asyncProperty(options, history, async (rule, calls) => {
      const bench = createBench();
      let now = bench.start;
      const { layer, states } = createCircuitBreakers(rule, { now: () => now, after: () => () => {} });
      const run = onion([layer]);
      const model: Model = { state: "closed", since: now + (calls[0]?.waitMs ?? 0), results: [] };
      for (const { waitMs, word } of calls) {
        now += waitMs;
        const outcome = await run(
          stepOf(() => Promise.resolve(outcomes[word]), { breaker: "model" }),
          bench.context,
        );
        expect(outcome === outcomes[word]).toBe(admits(model, rule, now, word));
        expect(states()[0]?.openedAt).toBe(model.state === "open" ? model.since : undefined);
      }
    }),
    { numRuns: 300 },
  );
});
