// Promise 8, one owner of retries: n attempts are n performs, never earlier than asked, never past the deadline.
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { AgentError, type ErrorCode } from "../../src/core/errors.ts";
import { done, type Outcome, refused, suspended } from "../../src/core/outcome.ts";
import { randomAt } from "../../src/core/print.ts";
import { onion, type Step } from "../../src/core/step.ts";
import { retried } from "../../src/resilience/retry.ts";
import { type Bench, createBench, fails, ok, script, stepOf } from "./step-builder.ts";

const run = onion([retried]);

/** Runs the step to its end, however long that takes. */
async function finish<T>(bench: Bench, step: Step<T>): Promise<Outcome<T>> {
  const outcome = run(step, bench.context);
  await bench.clock.advance(3_600_000);
  return outcome;
}

const kept = ({ entries }: Bench) => entries.flatMap((entry) => (entry.type === "attempt.failed" ? [entry] : []));
const retryEvents = ({ events }: Bench) => events.filter(({ name }) => name === "airworthy.retry").map(({ attributes }) => attributes);

describe("attempts", () => {
  test.each([1, 2, 3, 7])("%i attempts are as many performs", async (attempts) => {
    const bench = createBench();
    const { perform, performed } = script(fails("provider_unavailable"));
    const outcome = await finish(bench, stepOf(perform, { attempts }));
    const numbers = Array.from({ length: attempts }, (_, index) => index + 1);
    expect(outcome).toMatchObject({ status: "failed", error: { code: "provider_unavailable" } });
    expect(performed.map(({ attempt }) => attempt)).toEqual(numbers);
    expect(kept(bench).map(({ attempt, key }) => [key, attempt])).toEqual(numbers.map((attempt) => ["turn-1/tool/0", attempt]));
    expect(retryEvents(bench).map(({ attempt }) => attempt)).toEqual(numbers.slice(0, -1));
    expect(bench.clock.pending).toBe(0);
  });

  test("stop at the first that goes well", async () => {
    const bench = createBench();
    const { perform, performed } = script(fails("rate_limited"), fails("step_timeout"), ok);
    expect(await finish(bench, stepOf(perform, { attempts: 5 }))).toEqual(ok);
    expect(performed).toHaveLength(3);
    expect(kept(bench).map(({ error }) => error.code)).toEqual(["rate_limited", "step_timeout"]);
  });

  test("are numbered on from where an earlier pass stopped", async () => {
    const bench = createBench({ attempt: 4 });
    const { perform, performed } = script(fails("provider_unavailable"));
    await finish(bench, stepOf(perform, { attempts: 2 }));
    expect(performed.map(({ attempt }) => attempt)).toEqual([4, 5]);
    expect(kept(bench).map(({ attempt }) => attempt)).toEqual([4, 5]);
  });

  test("an act that must not be repeated is tried once, whatever its terms say", async () => {
    const bench = createBench();
    const { perform, performed } = script(fails("tool_timeout"));
    expect(await finish(bench, stepOf(perform, { attempts: 5 }, { repeat: "never" }))).toMatchObject({ error: { code: "tool_timeout" } });
    expect(performed).toHaveLength(1);
    expect(kept(bench)).toHaveLength(1);
  });

  test("an act that carries its key is repeated", async () => {
    const { perform, performed } = script(fails("tool_timeout"));
    await finish(createBench(), stepOf(perform, { attempts: 3 }, { repeat: "with-same-key" }));
    expect(performed).toHaveLength(3);
  });
});

describe("what is not tried again", () => {
  const finalCodes: ErrorCode[] = ["provider_rejected", "authentication_failed", "quota_exhausted", "context_too_long", "tool_failed"];
  const neverBegan: ErrorCode[] = ["circuit_open", "journal_unavailable", "journal_conflict"];
  const cases: [string, Outcome<string>, entries: number][] = [
    ...finalCodes.map((code): [string, Outcome<string>, number] => [code, fails(code), 1]),
    ["an error that says it may not", fails("provider_unavailable", { retryable: false }), 1],
    ...neverBegan.map((code): [string, Outcome<string>, number] => [code, fails(code), 0]),
    ["an open circuit that claims it may", fails("circuit_open", { retryable: true }), 0],
    ["a cancel that claims it may", fails("cancelled", { retryable: true }), 0],
    ["a refusal", refused(new AgentError("guardrail_blocked", "No.", { retryable: true })), 0],
    ["a suspension", suspended([{ kind: "in-doubt", key: "turn-1/tool/0", tool: "refund" }]), 0],
    ["a halt", { status: "halted", error: new AgentError("halted", "Stop.", { retryable: true }) }, 0],
  ];

  test.each(cases)("%s", async (_, outcome, entries) => {
    for (const attempts of [1, 3]) {
      const bench = createBench();
      const { perform, performed } = script(outcome);
      expect(await finish(bench, stepOf(perform, { attempts }))).toBe(outcome);
      expect(performed).toHaveLength(1);
      expect(kept(bench)).toHaveLength(entries);
      expect(retryEvents(bench)).toEqual([]);
    }
  });

  test("a tool's own error is tried again when it says so", async () => {
    const { perform, performed } = script(fails("tool_failed", { retryable: true }), ok);
    expect(await finish(createBench(), stepOf(perform, { attempts: 3 }))).toEqual(ok);
    expect(performed).toHaveLength(2);
  });

  test.each([["TypeError", new TypeError("x is undefined")] as const, ["anything else", "broken"] as const])(
    "a layer inside that throws %s, which is a bug",
    async (_, thrown) => {
      const bench = createBench();
      let calls = 0;
      const broken = onion([
        retried,
        () => {
          calls++;
          throw thrown;
        },
      ]);
      const outcome = await broken(stepOf(script(ok).perform, { attempts: 3 }), bench.context);
      expect(outcome).toMatchObject({ status: "failed", error: { code: "internal_error" } });
      expect(calls).toBe(1);
    },
  );
});

describe("back-off", () => {
  test("is random between 0 and a doubling limit, and the same on every pass", async () => {
    const waits: number[][] = [];
    for (let pass = 0; pass < 2; pass++) {
      const { perform, performed } = script(fails("provider_unavailable"));
      await finish(createBench(), stepOf(perform, { attempts: 7, baseMs: 1_000, maxMs: 8_000 }));
      waits.push(performed.slice(1).map(({ at }, index) => at - (performed[index]?.at ?? 0)));
    }
    const expected = [1_000, 2_000, 4_000, 8_000, 8_000, 8_000].map((limit, index) =>
      Math.floor(randomAt(`run-1/turn-1/tool/0/${index + 1}`) * limit),
    );
    expect(waits).toEqual([expected, expected]);
    expect(new Set(expected).size).toBe(6);
  });

  test("differs from run to run, from 0 to the limit", async () => {
    const firsts: number[] = [];
    for (let index = 0; index < 200; index++) {
      const bench = createBench({ runId: `run-${index}` });
      const { perform, performed } = script(fails("provider_unavailable"), ok);
      await finish(bench, stepOf(perform, { attempts: 2, baseMs: 1_000 }));
      firsts.push((performed[1]?.at ?? 0) - bench.start);
    }
    expect(Math.min(...firsts)).toBeLessThan(50);
    expect(Math.max(...firsts)).toBeGreaterThan(950);
    expect(Math.max(...firsts)).toBeLessThan(1_000);
  });

  test("has limits also for steps that set none", async () => {
    const { perform, performed } = script(fails("provider_unavailable"));
    await finish(createBench(), stepOf(perform, { attempts: 40 }));
    const waits = performed.slice(1).map(({ at }, index) => at - (performed[index]?.at ?? 0));
    expect(waits[0]).toBeLessThan(500);
    expect(Math.max(...waits)).toBeLessThan(8_000);
    expect(Math.max(...waits)).toBeGreaterThan(4_000);
  });

  test("is announced: the entry says when the next attempt comes", async () => {
    const bench = createBench();
    const { perform, performed } = script(fails("rate_limited", { details: { status: 429 } }), ok);
    await finish(bench, stepOf(perform, { attempts: 3 }));
    const retryAt = performed[1]?.at ?? 0;
    expect(bench.entries).toEqual([
      {
        type: "attempt.failed",
        at: bench.start,
        key: "turn-1/tool/0",
        kind: "tool",
        name: "findOrder",
        attempt: 1,
        error: { code: "rate_limited", message: "It is rate_limited.", details: { status: 429 } },
        retryAt,
      },
    ]);
    expect(retryEvents(bench)).toEqual([{ attempt: 1, delay_ms: retryAt - bench.start, reason: "rate_limited" }]);
  });

  test("that would not end before the deadline is not begun", async () => {
    for (let index = 0; index < 20; index++) {
      const bench = createBench({ runId: `run-${index}`, deadlineAt: createBench().start + 1 });
      const outcome = fails("provider_unavailable");
      const { perform, performed } = script(outcome);
      const answer = run(stepOf(perform, { attempts: 3, baseMs: 1_000_000, maxMs: 1_000_000 }), bench.context);
      expect(await answer).toEqual(outcome);
      expect(performed).toHaveLength(1);
      expect(retryEvents(bench)).toEqual([]);
      expect(kept(bench)[0]?.error.details).toBeUndefined();
    }
  });
});

describe("a wait that was asked for", () => {
  const { start } = createBench();
  const asking = (details: Record<string, number | string>) => fails("rate_limited", { details });

  test.each([
    ["retryAfterMs", { retryAfterMs: 2_000 }, 2_000],
    ["retryAt", { retryAt: start + 2_000 }, 2_000],
    ["both, the later counts", { retryAfterMs: 2_000, retryAt: start + 1_000 }, 2_000],
    ["longer than the longest back-off", { retryAfterMs: 900_000 }, 900_000],
  ])("%s: never earlier, and at most a tenth later", async (_, details, asked) => {
    for (let index = 0; index < 10; index++) {
      const bench = createBench({ runId: `run-${index}` });
      const { perform, performed } = script(asking(details), ok);
      expect(await finish(bench, stepOf(perform, { attempts: 2, maxMs: 8_000 }))).toEqual(ok);
      const waited = (performed[1]?.at ?? 0) - bench.start;
      expect(waited).toBeGreaterThanOrEqual(asked);
      expect(waited).toBeLessThan(asked * 1.1);
    }
  });

  test("is kept to the millisecond where the deadline leaves no room for more", async () => {
    const bench = createBench({ deadlineAt: start + 2_001 });
    const { perform, performed } = script(asking({ retryAfterMs: 1_999.2 }), ok);
    await finish(bench, stepOf(perform, { attempts: 2 }));
    expect(performed.map(({ at }) => at)).toEqual([start, start + 2_000]);
  });

  test("comes at different times to those who were told the same", async () => {
    const times = new Set<number>();
    for (let index = 0; index < 50; index++) {
      const { perform, performed } = script(asking({ retryAfterMs: 10_000 }), ok);
      await finish(createBench({ runId: `run-${index}` }), stepOf(perform, { attempts: 2 }));
      times.add(performed[1]?.at ?? 0);
    }
    expect(times.size).toBeGreaterThan(40);
  });

  test.each([
    ["in the past", { retryAt: start - 1 }],
    ["now", { retryAt: start }],
    ["negative", { retryAfterMs: -5 }],
    ["NaN", { retryAfterMs: Number.NaN }],
    ["infinite", { retryAfterMs: Infinity }],
    ["text", { retryAfterMs: "soon" }],
  ])("%s: counts as none", async (_, details) => {
    const { perform, performed } = script(asking(details), ok);
    expect(await finish(createBench(), stepOf(perform, { attempts: 2, baseMs: 1_000 }))).toEqual(ok);
    expect((performed[1]?.at ?? 0) - start).toBe(Math.floor(randomAt("run-1/turn-1/tool/0/1") * 1_000));
  });

  test.each([
    ["after the deadline", 1_999],
    ["at the deadline", 2_000],
  ])("%s: the step fails at once and says when to come back", async (_, left) => {
    const bench = createBench({ deadlineAt: start + left });
    const cause = new TypeError("from the SDK");
    const { perform, performed } = script(
      fails("rate_limited", { cause, hint: "Wait.", details: { retryAfterMs: 2_000, provider: "openai" } }),
    );
    const outcome = await run(stepOf(perform, { attempts: 3 }), bench.context);
    expect(outcome).toMatchObject({
      status: "failed",
      error: {
        code: "rate_limited",
        message: "It is rate_limited.",
        cause,
        hint: "Wait.",
        retryable: true,
        details: { provider: "openai", retryAfterMs: 2_000, retryAt: start + 2_000 },
      },
    });
    expect(performed).toHaveLength(1);
    expect(bench.clock.pending).toBe(0);
    expect(kept(bench)).toHaveLength(1);
    expect(retryEvents(bench)).toEqual([]);
  });
});

describe("an abort", () => {
  test.each([
    ["cancelled", new AgentError("cancelled", "Enough."), { status: "failed", error: { code: "cancelled" } }],
    ["halted", new AgentError("halted", "Stop."), { status: "halted", error: { code: "halted" } }],
    ["the deadline", new AgentError("deadline_exceeded", "Late."), { status: "refused", error: { code: "deadline_exceeded" } }],
    ["a reason that is not ours", new DOMException("Gone", "AbortError"), { status: "failed", error: { code: "cancelled" } }],
    ["no reason", undefined, { status: "failed", error: { code: "cancelled" } }],
  ])("during the wait ends it at once: %s", async (_, reason, expected) => {
    const bench = createBench();
    const { perform, performed } = script(fails("rate_limited", { details: { retryAfterMs: 60_000 } }));
    const outcome = run(stepOf(perform, { attempts: 3 }), bench.context);
    await bench.clock.advance(1_000);
    expect(bench.clock.pending).toBe(1);
    bench.abort(reason);
    expect(await outcome).toMatchObject(expected);
    expect(bench.clock.now()).toBe(bench.start + 1_000);
    expect(bench.clock.pending).toBe(0);
    expect(getEventListeners(bench.context.signal, "abort")).toHaveLength(0);
    expect(performed).toHaveLength(1);
    expect(kept(bench)).toHaveLength(1);
  });

  test("during an attempt that fails is not followed by another one", async () => {
    const bench = createBench();
    let performs = 0;
    const perform = () => {
      performs++;
      bench.abort(new AgentError("halted", "Stop."));
      return Promise.resolve(fails("provider_unavailable"));
    };
    expect(await run(stepOf(perform, { attempts: 3 }), bench.context)).toMatchObject({ status: "halted" });
    expect(performs).toBe(1);
    expect(kept(bench)[0]?.error.details).toBeUndefined();
    expect(retryEvents(bench)).toEqual([]);
  });

  test("in the very moment the wait is over is not followed by another attempt", async () => {
    const bench = createBench();
    const after = (ms: number, due: () => void) =>
      bench.clock.after(ms, () => {
        due();
        bench.abort(new AgentError("cancelled", "Enough."));
      });
    const { perform, performed } = script(fails("rate_limited", { details: { retryAfterMs: 1_000 } }));
    const outcome = run(stepOf(perform, { attempts: 3 }), { ...bench.context, clock: { ...bench.clock, after } });
    await bench.clock.advance(1_100);
    expect(await outcome).toMatchObject({ error: { code: "cancelled" } });
    expect(performed).toHaveLength(1);
  });

  test("does not take away a result that was paid for", async () => {
    const bench = createBench();
    const perform = () => {
      bench.abort(new AgentError("cancelled", "Enough."));
      return Promise.resolve(done("paid"));
    };
    expect(await run(stepOf(perform, { attempts: 3 }), bench.context)).toEqual(done("paid"));
  });
});
