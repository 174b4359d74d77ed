// The layers in their order: one owner of retries, an outage ends in 0 requests, and nothing is left behind.
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { AgentError } from "../../src/core/errors.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { onion, type StepContext } from "../../src/core/step.ts";
import { createCircuitBreakers } from "../../src/resilience/circuit-breaker.ts";
import { retried } from "../../src/resilience/retry.ts";
import { timed } from "../../src/resilience/timeout.ts";
import { createBench, fails, ok, stepOf } from "./step-builder.ts";

function createOutage(perform: (context: StepContext) => Promise<Outcome<string>>) {
  const bench = createBench();
  const { layer, states } = createCircuitBreakers({ failures: 5, withinMs: 60_000, resetMs: 30_000 }, bench.clock);
  const run = onion([retried, layer, timed]);
  let requests = 0;
  const counted = (context: StepContext) => {
    requests++;
    return perform(context);
  };
  const step = stepOf(counted, { attempts: 3, baseMs: 100, timeoutMs: 1_000, breaker: "model" });
  const call = async () => {
    const outcome = run(step, bench.context);
    await bench.clock.advance(10_000);
    return outcome;
  };
  const left = () => [bench.clock.pending, getEventListeners(bench.context.signal, "abort").length];
  return { bench, states, run, call, left, requests: () => requests };
}

test("an outage: 5 requests, then none until the target is tried once; a trial that succeeds ends it", async () => {
  let up = false;
  const { call, requests, states, bench, left } = createOutage(() => Promise.resolve(up ? ok : fails("provider_unavailable")));
  expect(await call()).toMatchObject({ error: { code: "provider_unavailable" } });
  expect(requests()).toBe(3);
  for (let index = 0; index < 3; index++) expect(await call()).toMatchObject({ error: { code: "circuit_open" } });
  expect(requests()).toBe(5);
  // The three attempts of the first call and the two of the second; a rejected attempt never began.
  expect(bench.entries.filter(({ type }) => type === "attempt.failed")).toHaveLength(5);

  await bench.clock.advance(30_000);
  expect(await call()).toMatchObject({ error: { code: "circuit_open" } });
  expect(requests()).toBe(6);

  await bench.clock.advance(30_000);
  up = true;
  expect(await call()).toBe(ok);
  expect(states()).toEqual([{ key: "model", state: "closed" }]);
  expect(requests()).toBe(7);
  expect(left()).toEqual([0, 0]);
});

test("a target that hangs and ignores its signal opens the breaker too, and a trial that hangs closes nothing for ever", async () => {
  let hangs = true;
  const { call, requests, states, bench, left } = createOutage(() => (hangs ? new Promise(() => {}) : Promise.resolve(ok)));
  for (let index = 0; index < 2; index++) await call();
  expect(requests()).toBe(5);
  expect(states()).toMatchObject([{ state: "open" }]);
  await bench.clock.advance(30_000);
  await call();
  expect(requests()).toBe(6);
  expect(states()).toMatchObject([{ state: "open" }]);
  await bench.clock.advance(30_000);
  hangs = false;
  expect(await call()).toBe(ok);
  expect(left()).toEqual([0, 0]);
});

test("runs that are cancelled neither open a breaker nor end a trial", async () => {
  const { bench, states, run } = createOutage(() => Promise.resolve(fails("provider_unavailable")));
  const interrupted = async () => {
    const own = createBench();
    const heeding = ({ signal }: StepContext) =>
      new Promise<Outcome<string>>((resolve) => {
        signal.addEventListener("abort", () => resolve(fails("provider_unavailable")));
      });
    const outcome = run(stepOf(heeding, { attempts: 3, timeoutMs: 1_000, breaker: "model" }), own.context);
    own.abort(new AgentError("cancelled", "Enough."));
    expect(await outcome).toMatchObject({ error: { code: "cancelled" } });
  };
  for (let index = 0; index < 20; index++) await interrupted();
  expect(states()).toEqual([{ key: "model", state: "closed" }]);

  const failing = stepOf(() => Promise.resolve(fails("provider_unavailable")), { breaker: "model" });
  for (let index = 0; index < 5; index++) await run(failing, bench.context);
  await bench.clock.advance(30_000);
  for (let index = 0; index < 3; index++) await interrupted();
  expect(states()).toMatchObject([{ state: "half-open" }]);
  await run(
    stepOf(() => Promise.resolve(ok), { breaker: "model" }),
    bench.context,
  );
  expect(states()).toMatchObject([{ state: "closed" }]);
});
