// A breaker opens on what says something about its target, lets nothing through while open, and one trial at a time decides.
import CircuitBreaker from "opossum";
import { afterEach, describe, expect, test, vi } from "vitest";
import { AgentError, type ErrorCode, errorCodes } from "../../src/core/errors.ts";
import { type Outcome, refused, suspended } from "../../src/core/outcome.ts";
import { type Next, onion } from "../../src/core/step.ts";
import { type BreakerOptions, breakerDefaults, createCircuitBreakers, verdictOf } from "../../src/resilience/circuit-breaker.ts";
import { type Bench, createBench, fails, ok, openWork, script, stepOf } from "./step-builder.ts";

const bad = fails("provider_unavailable");
const neutral = fails("provider_rejected");
const threeOfFour: BreakerOptions = { failures: 3, of: 4, withinMs: 60_000, resetMs: 30_000 };
const threeInAMinute: BreakerOptions = { failures: 3, withinMs: 60_000, resetMs: 30_000 };

function createSetup(options: BreakerOptions = threeOfFour) {
  const bench = createBench();
  const breakers = createCircuitBreakers(options, bench.clock);
  const run: Next = onion([breakers.layer]);
  let performs = 0;
  const call = (outcome: Outcome<unknown>, breaker = "model") => {
    const perform = () => {
      performs++;
      return Promise.resolve(outcome);
    };
    return run(stepOf<unknown>(perform, { breaker }), bench.context);
  };
  return {
    bench,
    breakers,
    run,
    call,
    performs: () => performs,
    all: async (...outcomes: readonly Outcome<unknown>[]) => {
      for (const outcome of outcomes) await call(outcome);
    },
    state: (key = "model") => breakers.states().find((breaker) => breaker.key === key)?.state,
    /** Work under the breaker that ends when the test says. */
    begin: (timeoutMs = 0) => {
      const { perform, finish } = openWork();
      const outcome = run(stepOf(perform, { breaker: "model", timeoutMs }), bench.context);
      return { outcome, finish: (late: Outcome<unknown>) => (finish(late), outcome) };
    },
  };
}

/** A breaker that has just opened. */
async function createOpen(options: BreakerOptions = threeInAMinute) {
  const setup = createSetup(options);
  await setup.all(bad, bad, bad);
  expect(setup.state()).toBe("open");
  return { ...setup, openedAt: setup.bench.clock.now() };
}

/** A breaker whose next call is a trial. */
async function createDue() {
  const setup = await createOpen();
  await setup.bench.clock.advance(30_000);
  expect(setup.state()).toBe("half-open");
  return setup;
}

const times = (count: number, outcome: Outcome<unknown>) => Array.from({ length: count }, () => outcome);
const breakerEvents = ({ events }: Bench) => events.map(({ name, attributes }) => [name, attributes["name"], attributes["state"]]);

describe("what counts", () => {
  const failures: ErrorCode[] = [
    "provider_unavailable",
    "step_timeout",
    "first_token_timeout",
    "idle_timeout",
    "tool_timeout",
    "model_response_invalid",
    "tool_failed",
    "stream_interrupted",
  ];

  const isCode = (name: string): name is ErrorCode => Object.hasOwn(errorCodes, name);
  test.each(Object.keys(errorCodes).filter(isCode))("%s", (code) => {
    expect(verdictOf(fails(code))).toBe(failures.includes(code) ? "failure" : "neutral");
  });

  const told = { details: { told: true } };
  test.each<[string, Outcome<unknown>, ReturnType<typeof verdictOf>]>([
    ["a result", ok, "success"],
    ["what a tool says on purpose", fails("tool_failed", told), "neutral"],
    ["what a tool says on purpose, to be tried again", fails("tool_failed", { ...told, retryable: true }), "failure"],
    ["a refusal", refused(new AgentError("guardrail_blocked", "No.")), "neutral"],
    ["a suspension", suspended([]), "neutral"],
    ["a halt", { status: "halted", error: new AgentError("halted", "Stop.") }, "neutral"],
  ])("%s", (_, outcome, verdict) => {
    expect(verdictOf(outcome)).toBe(verdict);
  });
});

describe("a closed breaker opens", () => {
  const cases: [string, BreakerOptions, Outcome<unknown>[], "open" | "closed"][] = [
    ["at 3 of 4", threeOfFour, [bad, ok, bad, bad], "open"],
    ["not at 2 of 4", threeOfFour, [bad, ok, bad, ok], "closed"],
    ["not before 4 are in", threeOfFour, [bad, bad, bad], "closed"],
    ["with whatever completes the count", threeOfFour, [bad, bad, bad, ok], "open"],
    ["at the same rate of more", threeOfFour, [bad, ok, bad, ok, bad, bad, bad, bad], "open"],
    ["not at a lower rate of more", threeOfFour, [bad, ok, bad, ok, bad, bad, ok], "closed"],
    ["at 3 in a minute, whatever went well", threeInAMinute, [...times(50, ok), bad, bad, ...times(50, ok), bad], "open"],
    ["not at 2 in a minute", threeInAMinute, [bad, bad, ...times(50, ok)], "closed"],
    ["by default at 5 of 10", breakerDefaults, [...times(5, bad), ...times(5, ok)], "open"],
    ["by default not at 4 of 10", breakerDefaults, [...times(4, bad), ...times(6, ok)], "closed"],
    ["by default not at 9 of 9", breakerDefaults, times(9, bad), "closed"],
    ["not on neutral outcomes", threeInAMinute, times(100, neutral), "closed"],
    ["although neutral outcomes lie between", threeOfFour, [bad, ...times(50, neutral), ok, bad, ...times(50, neutral), bad], "open"],
    ["on no neutral outcome, for it completes no count", threeOfFour, [bad, bad, bad, neutral], "closed"],
  ];

  test.each(cases)("%s", async (_, options, outcomes, expected) => {
    const { all, state, bench } = createSetup(options);
    await all(...outcomes);
    expect(state()).toBe(expected);
    expect(breakerEvents(bench)).toEqual(expected === "open" ? [["airworthy.breaker", "model", "open"]] : []);
  });

  test("once, when many fail at the same time", async () => {
    const { begin, bench, state } = createSetup(threeInAMinute);
    const works = Array.from({ length: 50 }, () => begin());
    await Promise.all(works.map((work) => work.finish(bad)));
    expect(state()).toBe("open");
    expect(breakerEvents(bench)).toEqual([["airworthy.breaker", "model", "open"]]);
  });

  test("only on what is in the window", async () => {
    const { all, bench, state } = createSetup(threeInAMinute);
    await all(bad, bad);
    await bench.clock.advance(60_000);
    await all(bad);
    expect(state()).toBe("closed");
    await bench.clock.advance(29_000);
    await all(bad);
    await bench.clock.advance(24_000);
    await all(bad);
    expect(state()).toBe("open");
  });

  test("also after a very long pause", async () => {
    const { all, bench, state } = createSetup(threeInAMinute);
    await all(bad, bad);
    await bench.clock.advance(1e15);
    await all(bad, bad);
    expect(state()).toBe("closed");
    await all(bad);
    expect(state()).toBe("open");
  });

  test("and hands every outcome on as it is", async () => {
    const { call } = createSetup();
    for (const outcome of [ok, bad, neutral, suspended([])]) expect(await call(outcome)).toBe(outcome);
  });
});

describe("an open breaker", () => {
  test("lets nothing through and says when to come back", async () => {
    const { call, performs, bench, openedAt } = await createOpen();
    for (const waitMs of [0, 1, 29_998]) {
      await bench.clock.advance(waitMs);
      expect(await call(ok)).toMatchObject({
        status: "failed",
        error: { code: "circuit_open", retryable: false, details: { retryAt: openedAt + 30_000, breaker: "model" } },
      });
    }
    expect(performs()).toBe(3);
    expect(breakerEvents(bench).slice(1)).toEqual(times(3, ok).map(() => ["airworthy.breaker.rejected", "model", undefined]));
    await bench.clock.advance(1);
    expect(await call(ok)).toBe(ok);
  });

  test("ignores what was begun before it opened", async () => {
    const setup = createSetup(threeInAMinute);
    const { bench, state } = setup;
    const works = Array.from({ length: 6 }, () => setup.begin());
    const finish = async (outcome: Outcome<unknown>) => void (await works.pop()?.finish(outcome));
    await setup.all(bad, bad, bad);
    const openedAt = bench.clock.now();

    await bench.clock.advance(1_000);
    await finish(ok);
    await finish(bad);
    expect(setup.breakers.states()).toEqual([{ key: "model", state: "open", openedAt }]);

    await bench.clock.advance(29_000);
    const trial = setup.begin();
    await finish(ok);
    await finish(bad);
    expect(setup.breakers.states()).toEqual([{ key: "model", state: "half-open", openedAt }]);

    await trial.finish(ok);
    expect(state()).toBe("closed");
    await finish(bad);
    await finish(bad);
    await setup.all(bad, bad);
    expect(state()).toBe("closed");
    await setup.all(bad);
    expect(state()).toBe("open");
  });

  test("is open for no longer because the machine's clock is set back", async () => {
    const bench = createBench();
    let offset = 0;
    const clock = { now: () => bench.clock.now() + offset, after: () => () => {} };
    const { layer } = createCircuitBreakers(threeInAMinute, clock);
    const call = (outcome: Outcome<unknown>) =>
      onion([layer])(
        stepOf(() => Promise.resolve(outcome), { breaker: "b" }),
        bench.context,
      );
    for (const outcome of [bad, bad, bad]) await call(outcome);
    offset = -3_600_000;
    expect(await call(ok)).toMatchObject({ error: { details: { retryAt: clock.now() + 30_000 } } });
    await bench.clock.advance(30_000);
    expect(await call(ok)).toBe(ok);
    offset -= 3_600_000;
    for (const outcome of [bad, bad]) await call(outcome);
    await bench.clock.advance(60_000);
    await call(bad);
    expect(await call(ok)).toBe(ok);
  });
});

describe("a half-open breaker", () => {
  test("admits 1 of 100 at once", async () => {
    const { run, bench } = await createDue();
    const { perform, finish } = openWork();
    let performs = 0;
    const step = stepOf(
      () => {
        performs++;
        return perform();
      },
      { breaker: "model" },
    );
    const outcomes = Array.from({ length: 100 }, () => run(step, bench.context));
    finish(ok);
    const settled = await Promise.all(outcomes);
    const rejected = settled.filter((outcome) => outcome.status === "failed");
    expect(performs).toBe(1);
    expect(rejected).toHaveLength(99);
    for (const { error } of rejected) {
      expect(error).toMatchObject({ code: "circuit_open", details: { retryAt: bench.clock.now() + 3_000 } });
    }
  });

  test("closes with a success, and its window is empty", async () => {
    const { all, state, bench } = await createDue();
    await all(ok);
    expect(state()).toBe("closed");
    expect(breakerEvents(bench).at(-1)).toEqual(["airworthy.breaker", "model", "closed"]);
    await all(bad, bad);
    expect(state()).toBe("closed");
    await all(bad);
    expect(state()).toBe("open");
  });

  test("opens again with a failure, from then on", async () => {
    const { all, call, breakers, bench, performs } = await createDue();
    await bench.clock.advance(5_000);
    await all(bad);
    const openedAt = bench.clock.now();
    expect(breakers.states()).toEqual([{ key: "model", state: "open", openedAt }]);
    expect(breakerEvents(bench).at(-1)).toEqual(["airworthy.breaker", "model", "open"]);
    await bench.clock.advance(29_999);
    expect(await call(ok)).toMatchObject({ error: { code: "circuit_open", details: { retryAt: openedAt + 30_000 } } });
    expect(performs()).toBe(4);
  });

  test.each<[string, Outcome<unknown>]>([
    ["a rejected request", neutral],
    ["a cancel", fails("cancelled")],
    ["a rate limit", fails("rate_limited")],
    ["a refusal", refused(new AgentError("deadline_exceeded", "Late."))],
  ])("is moved neither way by %s: the next call is the trial", async (_, outcome) => {
    const { all, state, call, performs } = await createDue();
    await all(outcome, outcome);
    expect(state()).toBe("half-open");
    expect(performs()).toBe(5);
    await call(ok);
    expect(state()).toBe("closed");
  });

  test("allows another trial when one does not come back, and ignores that one from then on", async () => {
    const { begin, call, bench, state } = await createDue();
    const hung = begin(10_000);
    await bench.clock.advance(39_000);
    expect(await call(ok)).toMatchObject({ error: { code: "circuit_open", details: { retryAt: bench.clock.now() + 1_000 } } });
    await bench.clock.advance(1_000);
    const second = begin(10_000);
    await hung.finish(ok);
    expect(state()).toBe("half-open");
    expect(await call(ok)).toMatchObject({ error: { code: "circuit_open" } });
    await second.finish(bad);
    expect(state()).toBe("open");
  });

  test("a late neutral outcome of a hung trial does not end the next one", async () => {
    const { begin, call, bench } = await createDue();
    const hung = begin();
    await bench.clock.advance(30_000);
    const second = begin();
    await hung.finish(neutral);
    expect(await call(ok)).toMatchObject({ error: { code: "circuit_open" } });
    await second.finish(ok);
    expect(await call(ok)).toBe(ok);
  });
});

describe("breakers", () => {
  test("are one per key and per agent; steps without a key have none", async () => {
    const { all, call, run, bench, breakers } = await createOpen();
    const other = createCircuitBreakers(threeInAMinute, bench.clock);
    await all(ok);
    expect(await call(ok, "another model")).toBe(ok);
    expect(await onion([other.layer])(stepOf(script(ok).perform, { breaker: "model" }), bench.context)).toBe(ok);
    for (const outcome of times(20, bad))
      expect(
        await run(
          stepOf(() => Promise.resolve(outcome)),
          bench.context,
        ),
      ).toBe(bad);
    expect(breakers.states()).toMatchObject([
      { key: "model", state: "open" },
      { key: "another model", state: "closed" },
    ]);
    expect(breakers.states()[1]).not.toHaveProperty("openedAt");
  });

  test("beyond a thousand the longest unused closed one is forgotten, an open one never", async () => {
    const { call, breakers, state } = await createOpen();
    for (let index = 0; index < 1_000; index++) await call(ok, `tool-${index}`);
    expect(breakers.states()).toHaveLength(1_000);
    expect([state("model"), state("tool-0"), state("tool-1")]).toEqual(["open", undefined, "closed"]);
    await call(ok, "tool-1");
    await call(ok, "tool-1000");
    expect([state("tool-1"), state("tool-2")]).toEqual(["closed", undefined]);
    for (let index = 2_000; index < 4_000; index++) await call(ok, `tool-${index}`);
    expect(breakers.states()).toHaveLength(1_000);
    expect(state("model")).toBe("open");
  });

  test("all of them open: none is forgotten, and a new one still works", async () => {
    const { call, breakers, state } = createSetup({ failures: 1, withinMs: 60_000, resetMs: 30_000 });
    for (let index = 0; index < 1_001; index++) await call(bad, `tool-${index}`);
    expect(breakers.states()).toHaveLength(1_001);
    expect(state("tool-1000")).toBe("open");
  });

  test.each<[string, Partial<BreakerOptions>]>([
    ["no failures", { failures: 0 }],
    ["half a failure", { failures: 0.5 }],
    ["more failures than results", { failures: 5, of: 4 }],
    ["no window", { withinMs: 0 }],
    ["an endless window", { withinMs: Infinity }],
    ["no pause", { resetMs: Number.NaN }],
  ])("%s is a mistake of the caller", (_, options) => {
    const wrong = () => createCircuitBreakers({ ...threeOfFour, ...options }, createBench().clock);
    expect(wrong).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
  });
});

describe("what opossum would leave behind", () => {
  afterEach(() => void vi.useRealTimers());

  test("no timer, in any state", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    const { all, begin, bench, call } = await createOpen();
    const timers = () => [vi.getTimerCount(), bench.clock.pending];
    expect(timers()).toEqual([0, 0]);
    await bench.clock.advance(30_000);
    await all(bad);
    expect(timers()).toEqual([0, 0]);
    await bench.clock.advance(30_000);
    const hung = begin();
    await bench.clock.advance(30_000);
    await all(neutral, ok, bad, bad);
    await hung.finish(bad);
    expect(timers()).toEqual([0, 0]);
    for (let index = 0; index < 1_000; index++) await call(ok, `tool-${index}`);
    expect(timers()).toEqual([0, 0]);
  });

  test("no list that grows with every result", async () => {
    const told = vi.spyOn(CircuitBreaker.prototype, "emit");
    const { all } = createSetup({ ...threeInAMinute, failures: 1_000 });
    await all(...times(500, ok), ...times(500, bad));
    const [opossum] = told.mock.contexts;
    told.mockRestore();
    const kept = opossum instanceof CircuitBreaker ? opossum.status.window.map(({ latencyTimes }) => latencyTimes.length) : [Infinity];
    expect(Math.max(...kept)).toBeLessThanOrEqual(1);
  });
});
