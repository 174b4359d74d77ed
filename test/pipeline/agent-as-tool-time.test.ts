// The time of a run within a run: a cancel and the deadline come from above, and what an agent has of its own is its own.
import { AgentError, createAgent, memoryStore, tool } from "airworthy";
import { autoClock, fakeClock, hang, scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { byTurn, call } from "../promises/tree-world.ts";
import { inner, pair, toldBy, typesOf } from "./desk-and-expert.ts";

const empty = z.object({});

/** An expert whose tool ignores its signal, so that only the grace ends the wait. */
const stuck = (acts: string[], started: PromiseWithResolvers<void>) => {
  const [store, clock] = [memoryStore(), fakeClock()];
  let patient = true;
  const slow = tool({
    description: "d",
    effect: "write",
    repeat: "with-same-key",
    timeoutMs: 60_000,
    inputSchema: empty,
    execute: (_, { idempotencyKey }) => {
      acts.push(idempotencyKey);
      started.resolve();
      return patient ? new Promise<never>(() => {}) : "done";
    },
  });
  const expert = createAgent({
    name: "expert",
    store,
    clock,
    model: byTurn({ calls: [call("slow", {})] }, "Done."),
    tools: { slow },
    policy: { timeouts: { totalMs: 120_000 } },
  });
  const desk = createAgent({
    name: "desk",
    store,
    clock,
    model: byTurn({ calls: [call("expert")] }, "Bye."),
    tools: { expert: expert.asTool({ description: "d" }) },
  });
  return { desk, expert, clock, hurry: () => (patient = false) };
};

test("a cancel reaches every run within, and all are over within 50 ms", async () => {
  const started = Promise.withResolvers<void>();
  const { desk, expert, clock } = stuck([], started);
  const cancel = new AbortController();
  const running = desk.run("go", { runId: "r", signal: cancel.signal });
  await started.promise;
  cancel.abort();
  await clock.advance(50);
  expect(await running).toMatchObject({ status: "cancelled", usage: { modelCalls: 2, byAgent: { expert: { modelCalls: 1 } } } });
  expect((await expert.journal(inner)).findLast(({ type }) => type !== "note")).toMatchObject({ type: "run.ended", status: "cancelled" });
  expect(clock.pending).toBe(0);
});

test("the deadline of the caller is that of all runs within; raised, they go on where they stood", async () => {
  const acts: string[] = [];
  const started = Promise.withResolvers<void>();
  const { desk, expert, clock, hurry } = stuck(acts, started);
  const running = desk.run("go", { runId: "r", timeouts: { totalMs: 5_000 } });
  await started.promise;
  await clock.advance(5_050);
  expect(await running).toMatchObject({ status: "partial", error: { code: "deadline_exceeded" }, usage: { modelCalls: 2 } });
  expect((await expert.journal(inner)).findLast(({ type }) => type !== "note")).toMatchObject({ type: "run.stopped", status: "partial" });
  hurry();
  expect(await desk.resume("r", { timeouts: { totalMs: 30_000 } })).toMatchObject({
    status: "completed",
    usage: { modelCalls: 4, toolCalls: 2 },
  });
  expect(acts).toEqual([`expert/${inner}/turn-1/tool/0`, `expert/${inner}/turn-1/tool/0`]);
  expect(typesOf(await expert.journal(inner))).toContain("run.resumed");
});

test("that is over for the caller says nothing about what was asked, whoever sees it first", async () => {
  const [store, base] = [memoryStore(), autoClock()];
  let skew = 0;
  const clock = { now: () => base.now() + skew, after: (ms: number, run: () => void) => base.after(ms, run) };
  const execute = () => {
    skew = 20_000; // The machine was busy: its timers are late.
    return "x";
  };
  const slow = tool({ description: "d", effect: "pay", inputSchema: empty, execute });
  const model = byTurn({ calls: [call("slow", {})] }, "It is late.");
  const timeouts = { totalMs: 60_000 };
  const expert = createAgent({ name: "expert", store, clock, model, tools: { slow }, policy: { timeouts } });
  const desk = createAgent({
    name: "desk",
    store,
    clock,
    model: byTurn({ calls: [call("expert")] }, "Bye."),
    tools: { expert: expert.asTool({ description: "d" }) },
  });
  expect(await desk.run("go", { runId: "r", timeouts: { totalMs: 10_000 } })).toMatchObject({ status: "partial" });
  const resumed = await desk.resume("r", { timeouts });
  expect(resumed).toMatchObject({ status: "completed" });
  expect(toldBy(resumed)).toEqual(["It is late."]);
});

test("no wait is begun within that would outlast the caller", async () => {
  const clock = autoClock();
  const before = clock.now();
  const busy = scriptedModel(() => new AgentError("rate_limited", "x", { details: { retryAfterMs: 7_000 } }));
  const { desk } = pair({
    child: { clock, model: busy, policy: { timeouts: { totalMs: 60_000 } } },
    parent: { clock, policy: { timeouts: { totalMs: 5_000 } } },
  });
  const result = await desk.run("go");
  expect(toldBy(result)[0]).toContain("failed (rate_limited)");
  expect(clock.now() - before).toBeLessThan(1_000);
});

test("that an agent has of its own ends only its run", async () => {
  const model = scriptedModel(() => hang());
  const { desk } = pair({ child: { model, policy: { timeouts: { totalMs: 2_000 } } } });
  const result = await desk.run("go");
  expect(result).toMatchObject({ status: "completed", output: "Bye." });
  expect(toldBy(result)[0]).toContain("partial (deadline_exceeded)");
});
