// An attempt has a time and a signal of its own; work that ignores both cannot hold the run, and what it does later changes nothing.
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { AgentError } from "../../src/core/errors.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Json } from "../../src/core/json.ts";
import { done, type Outcome, refused, suspended } from "../../src/core/outcome.ts";
import { onion, type StepContext } from "../../src/core/step.ts";
import { timed } from "../../src/resilience/timeout.ts";
import { type Bench, createBench, fails, ok, openWork, script, stepOf } from "./step-builder.ts";

const run = onion([timed]);
const listeners = ({ context }: Bench) => getEventListeners(context.signal, "abort").length;
const stop = new AgentError("cancelled", "Enough.");

function expectTidy(bench: Bench) {
  expect(bench.clock.pending).toBe(0);
  expect(listeners(bench)).toBe(0);
}

/** Work that ends `afterMs` after its signal is aborted, with `outcome`. */
const yielding =
  (afterMs: number, outcome: Outcome<string>) =>
  ({ signal, clock }: StepContext) =>
    new Promise<Outcome<string>>((resolve) => {
      signal.addEventListener("abort", () => clock.after(afterMs, () => resolve(outcome)));
    });

describe("an attempt that ends by itself", () => {
  test.each([
    ["done", ok],
    ["failed", fails("provider_unavailable")],
    ["refused", refused(new AgentError("guardrail_blocked", "No."))],
  ])("%s: its outcome is the answer", async (_, outcome) => {
    const bench = createBench();
    const { perform, performed } = script(outcome);
    expect(await run(stepOf(perform, { timeoutMs: 1_000 }), bench.context)).toBe(outcome);
    expect(performed).toHaveLength(1);
    expectTidy(bench);
  });

  test("is not stopped, nor its signal aborted, by what happens afterwards", async () => {
    const bench = createBench();
    let signal: AbortSignal | undefined;
    const perform = (context: StepContext) => {
      signal = context.signal;
      return Promise.resolve(ok);
    };
    await run(stepOf(perform, { timeoutMs: 1_000 }), bench.context);
    bench.abort(stop);
    await bench.clock.advance(5_000);
    expect(signal?.aborted).toBe(false);
    expect(bench.entries).toEqual([]);
  });

  test("leaves no timer and no listener; while it runs there is one of each", async () => {
    const bench = createBench();
    const { perform, finish } = openWork();
    const outcome = run(stepOf(perform, { timeoutMs: 1_000 }), bench.context);
    expect([bench.clock.pending, listeners(bench)]).toEqual([1, 1]);
    finish(ok);
    expect(await outcome).toEqual(ok);
    expectTidy(bench);
  });

  test("a thousand at once on one signal", async () => {
    const bench = createBench();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on("warning", onWarning);
    const { perform, finish } = openWork();
    const outcomes = Array.from({ length: 1_000 }, () => run(stepOf(perform, { timeoutMs: 1_000 }), bench.context));
    finish(ok);
    await Promise.all(outcomes);
    await bench.clock.advance(0);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
    expectTidy(bench);
  });

  test("a layer inside that throws is a bug of ours, not a crash", async () => {
    const bench = createBench();
    const broken = onion([timed, () => Promise.reject(new TypeError("x is undefined"))]);
    const outcome = await broken(stepOf(script(ok).perform, { timeoutMs: 1_000 }), bench.context);
    expect(outcome).toMatchObject({ status: "failed", error: { code: "internal_error" } });
    expectTidy(bench);
  });
});

describe("the time-out", () => {
  test.each([
    ["tool", "tool_timeout"],
    ["model", "step_timeout"],
    ["custom", "step_timeout"],
  ] as const)("of a %s step is a %s, and its signal says so", async (kind, code) => {
    const bench = createBench();
    let reason: unknown;
    const perform = ({ signal }: StepContext) =>
      new Promise<Outcome<string>>((resolve) => {
        signal.addEventListener("abort", () => {
          reason = signal.reason;
          resolve(fails("provider_unavailable"));
        });
      });
    let settled = false;
    const outcome = run(stepOf(perform, { timeoutMs: 1_500 }, { kind }), bench.context).finally(() => {
      settled = true;
    });
    await bench.clock.advance(1_499);
    expect(settled).toBe(false);
    await bench.clock.advance(1);
    expect(settled).toBe(true);
    const answer = await outcome;
    expect(answer).toMatchObject({ status: "failed", error: { code, retryable: true, details: { timeoutMs: 1_500 } } });
    expect(answer.status === "failed" && answer.error.message).toMatch(/findOrder.* 1500 ms/);
    expect(reason).toBe(answer.status === "failed" && answer.error);
    expect(bench.entries).toEqual([]);
    expectTidy(bench);
  });

  test("0 is none", async () => {
    const bench = createBench();
    const { perform, finish } = openWork();
    const outcome = run(stepOf(perform, { timeoutMs: 0 }), bench.context);
    expect(bench.clock.pending).toBe(0);
    await bench.clock.advance(3_000_000);
    finish(ok);
    expect(await outcome).toEqual(ok);
    expectTidy(bench);
  });

  test("stays the answer when the run is stopped in the grace", async () => {
    const bench = createBench();
    const outcome = run(stepOf(yielding(15, fails("provider_unavailable")), { timeoutMs: 100 }), bench.context);
    await bench.clock.advance(105);
    bench.abort(stop);
    await bench.clock.advance(10);
    expect(await outcome).toMatchObject({ error: { code: "tool_timeout" } });
    expectTidy(bench);
  });
});

describe("a stopped run", () => {
  const reasons: [string, unknown, object, object][] = [
    ["cancelled", stop, { status: "failed", error: stop }, stop],
    ["halted", new AgentError("halted", "Stop."), { status: "halted", error: { code: "halted" } }, { code: "halted" }],
    [
      "over its deadline",
      new AgentError("deadline_exceeded", "Late."),
      { status: "refused", error: { code: "deadline_exceeded" } },
      { code: "deadline_exceeded" },
    ],
    ["without a reason of ours", "bye", { status: "failed", error: { code: "cancelled", cause: "bye" } }, { code: "cancelled" }],
  ];

  test.each(reasons)("%s: the attempt hears of it, and so does the caller", async (_, reason, expected, heard) => {
    const bench = createBench();
    let inner: unknown;
    const perform = ({ signal }: StepContext) =>
      new Promise<Outcome<string>>((resolve) => {
        signal.addEventListener("abort", () => {
          inner = signal.reason;
          resolve(fails("provider_unavailable"));
        });
      });
    const outcome = run(stepOf(perform, { timeoutMs: 1_000 }), bench.context);
    bench.abort(reason);
    expect(await outcome).toMatchObject(expected);
    expect(inner).toMatchObject(heard);
    expect(AgentError.is(inner)).toBe(true);
    expect(bench.entries).toEqual([]);
    expectTidy(bench);
  });

  test.each(reasons)("%s before the attempt: nothing is performed", async (_, reason, expected) => {
    const bench = createBench();
    bench.abort(reason);
    const { perform, performed } = script(ok);
    expect(await run(stepOf(perform, { timeoutMs: 1_000 }), bench.context)).toMatchObject(expected);
    expect(performed).toEqual([]);
    expectTidy(bench);
  });
});

describe("the grace", () => {
  const cause: [string, (bench: Bench) => Promise<void> | void, string][] = [
    ["a time-out", ({ clock }) => clock.advance(100), "tool_timeout"],
    ["a stop", (bench) => bench.abort(stop), "cancelled"],
  ];

  test.each(cause)("after %s: what is done is done", async (_, abort) => {
    const bench = createBench();
    const outcome = run(stepOf(yielding(19, ok), { timeoutMs: 100 }), bench.context);
    await abort(bench);
    await bench.clock.advance(19);
    expect(await outcome).toBe(ok);
    expect(bench.entries).toEqual([]);
    expectTidy(bench);
  });

  test.each(cause)("after %s: anything else is what stopped it", async (_, abort, code) => {
    const others = [fails("provider_rejected"), refused(new AgentError("guardrail_blocked", "No.")), suspended([])];
    for (const other of others) {
      const bench = createBench();
      const outcome = run(stepOf(yielding(19, other), { timeoutMs: 100 }), bench.context);
      await abort(bench);
      await bench.clock.advance(19);
      expect(await outcome).toMatchObject({ status: "failed", error: { code } });
      expect(bench.entries).toEqual([]);
      expectTidy(bench);
    }
  });

  test.each(cause)("after %s: work that ignores it is left behind within 50 ms", async (_, abort, code) => {
    const bench = createBench();
    let settledAt = 0;
    const outcome = run(stepOf(openWork().perform, { timeoutMs: 100 }), bench.context).finally(() => {
      settledAt = bench.clock.now();
    });
    await abort(bench);
    const abortedAt = bench.clock.now();
    await bench.clock.advance(600);
    expect(await outcome).toMatchObject({ status: "failed", error: { code } });
    expect(settledAt - abortedAt).toBe(20);
    expect(bench.entries).toEqual([{ type: "note", at: settledAt, key: "turn-1/tool/0", note: "detached", detail: { tool: "findOrder" } }]);
    expectTidy(bench);
  });
});

describe("the late result of work that was left behind", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;

  test.each<[string, Outcome<unknown>, Json]>([
    ["a value", done({ order: 4711 }), { status: "done", value: { order: 4711 } }],
    ["null", done(null), { status: "done", value: null }],
    ["nothing", done(undefined), { status: "done" }],
    ["a value that is not JSON", done(new Map()), { status: "done" }],
    ["a cycle", done(cyclic), { status: "done" }],
    ["a failure", fails("provider_unavailable"), { status: "failed", code: "provider_unavailable" }],
    ["a refusal", refused(new AgentError("guardrail_blocked", "No.")), { status: "refused", code: "guardrail_blocked" }],
    ["a suspension", suspended([]), { status: "suspended" }],
  ])("becomes a note and nothing else: %s", async (_, late, detail) => {
    const bench = createBench();
    const { perform, finish } = openWork();
    const outcome = run(stepOf(perform, { timeoutMs: 100 }), bench.context);
    await bench.clock.advance(120);
    const answer = await outcome;
    await bench.clock.advance(480);
    finish(late);
    await bench.clock.advance(0);
    expect(bench.entries.slice(1)).toEqual([
      { type: "note", at: bench.start + 600, key: "turn-1/tool/0", note: "late-result", detail } satisfies Entry,
    ]);
    expect(answer).toMatchObject({ error: { code: "tool_timeout" } });
    expect(await outcome).toBe(answer);
    expectTidy(bench);
  });

  test("is no unhandled rejection when it throws", async () => {
    const bench = createBench();
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    const perform = async ({ clock }: StepContext): Promise<Outcome<string>> => {
      await new Promise<void>((resolve) => clock.after(600, resolve));
      throw new TypeError("too late");
    };
    const outcome = run(stepOf(perform, { timeoutMs: 100 }), bench.context);
    await bench.clock.advance(1_000);
    expect(await outcome).toMatchObject({ error: { code: "tool_timeout" } });
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
    expect(bench.entries).toMatchObject([
      { note: "detached" },
      { note: "late-result", detail: { status: "failed", code: "internal_error" } },
    ]);
  });

  test("of a model is noted as such", async () => {
    const bench = createBench();
    void run(stepOf(openWork().perform, { timeoutMs: 100 }, { kind: "model", name: "gpt-5-mini" }), bench.context);
    await bench.clock.advance(120);
    expect(bench.entries).toMatchObject([{ note: "detached", detail: { model: "gpt-5-mini" } }]);
  });
});
