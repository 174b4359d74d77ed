// How much is set aside for a call, and what is left of it afterwards: as the journal and the store's counters show it.
import { AgentError, type Counters, createAgent, memoryStore } from "airworthy";
import { autoClock, fakeClock, scriptedModel } from "airworthy/testing";
import { createTokenCounter } from "airworthy/tokens";
import { expect, test } from "vitest";

const prices = { scripted: { input: 1, output: 1 } };
const text = "Where is my order, and when will it be here? ".repeat(40);

async function reservedFor(provider: string) {
  const agent = createAgent({
    name: "desk",
    model: scriptedModel(["Hi."], { provider }),
    settings: { maxOutputTokens: 500 },
    prices,
    policy: { budget: { run: { usd: 1 } } },
  });
  await agent.run(text, { runId: "r" });
  const started = (await agent.journal("r")).find((entry) => entry.type === "attempt.started");
  return started?.type === "attempt.started" ? started.reserved : undefined;
}

test("what is counted, times what its provider may count more, and the longest answer", async () => {
  const counter = createTokenCounter();
  const counted = counter.message({ role: "user", content: text }) + counter.offer({ tools: [], settings: {} });
  for (const [provider, factor] of [
    ["openai", 1.1],
    ["anthropic", 1.65],
    ["anyone", 1.65],
  ] as const) {
    const input = Math.ceil(counted * factor);
    expect(await reservedFor(provider)).toEqual({ nanoUsd: (input + 500) * 1_000, tokens: input + 500, maxOutputTokens: 500 });
  }
});

test("an attempt that cost nothing after all does not stand in the way of the next", async () => {
  const down = new AgentError("rate_limited", "Slow down.", { details: { status: 429 } });
  const model = scriptedModel([down, "Hi."]);
  const policy = { budget: { run: { usd: 0.002 }, minOutputTokens: 1_000 } };
  const clock = autoClock();
  const agent = createAgent({ name: "desk", model, settings: { maxOutputTokens: 1_000 }, prices, policy, clock });
  const result = await agent.run("Hello.");
  expect(result).toMatchObject({ status: "completed", cost: { usd: 0.000015 } });
  expect(model.calls).toBe(2);
});

test("of a run that has ended nothing is left in the counters; of one that has stopped what it spent", async () => {
  const store = memoryStore();
  const model = scriptedModel(["Hi.", "Hi."]);
  const agent = createAgent({ name: "desk", model, prices, store, policy: { budget: { run: { usd: 1, tokens: 10_000, calls: 9 } } } });
  const keys = ["usd", "tokens", "calls"].map((measure) => `${measure}/run/r`);
  const nothing = { used: 0, held: 0 };
  await agent.run("Hello.", { runId: "r" });
  expect(await store.counters.read(keys)).toEqual([nothing, nothing, nothing]);
  expect(await store.counters.open("")).toEqual([]);
  const stopped = createAgent({
    name: "desk",
    model: scriptedModel([{ calls: [{ name: "no", arguments: {} }] }]),
    prices,
    store,
    policy: { limits: { turns: 1 }, budget: { run: { usd: 1 } } },
  });
  await stopped.run("Hello.", { runId: "s" });
  expect(await store.counters.read(["usd/run/s"])).toEqual([{ used: 15_000, held: 0 }]);
});

test("a store that forgets runs that have stopped forgets what they had spent of their own", async () => {
  const store = memoryStore({ keepStopped: 1 });
  const model = scriptedModel(() => ({ calls: [{ name: "no", arguments: {} }] }));
  const agent = createAgent({ name: "desk", model, store, policy: { budget: { run: { calls: 1 } } } });
  for (const runId of ["r1", "r2"]) expect(await agent.run("Hello.", { runId })).toMatchObject({ status: "partial" });
  expect(await store.counters.read(["calls/run/r1", "calls/run/r2"])).toEqual([
    { used: 0, held: 0 },
    { used: 1, held: 0 },
  ]);
});

test("of several limits on one key the tightest holds, wherever it is said", async () => {
  const user = { id: "u" };
  const model = scriptedModel(() => "Hi.");
  const twice = createAgent({ name: "desk", model, policy: { budget: { user: [{ calls: 5 }, { calls: 1 }, { calls: 5 }] } } });
  expect(await twice.run("Hello.", { user })).toMatchObject({ status: "completed" });
  expect(await twice.run("Hello.", { user })).toMatchObject({ status: "refused", error: { details: { limit: 1 } } });

  const expert = createAgent({ name: "expert", model, policy: { budget: { user: { calls: 9 }, wrapUp: false } } });
  const caller = scriptedModel([{ calls: [{ name: "expert", arguments: { task: "go" } }] }]);
  const tools = { expert: expert.asTool({ description: "Asks." }) };
  const desk = createAgent({ name: "desk", model: caller, tools, policy: { budget: { user: { calls: 1 }, wrapUp: false } } });
  expect(await desk.run("Hello.", { user })).toMatchObject({ status: "partial", error: { details: { scope: "user", limit: 1 } } });
});

test("a provider that reports far more than was counted is not trusted again, but not without bounds", async () => {
  const model = scriptedModel([{ text: "Hi.", usage: { inputTokens: 1_000_000, outputTokens: 1 } }, "Hi."]);
  const agent = createAgent({ name: "desk", model, prices, policy: { budget: { agent: { usd: 1_000 } } } });
  const reserved = async (runId: string) => {
    await agent.run(text, { runId });
    const started = (await agent.journal(runId)).find((entry) => entry.type === "attempt.started");
    return started?.type === "attempt.started" ? (started.reserved?.tokens ?? 0) - 4_096 : 0;
  };
  const [before, after] = [await reserved("a"), await reserved("b")];
  expect(after / before).toBeCloseTo(8 / 1.65, 1);
});

test("a window that rolls holds over the edge of a part, also for whoever is slower to the store", async () => {
  const clock = fakeClock(12_000 * 12);
  const store = memoryStore({ now: () => clock.now() });
  const policy = { budget: { agent: { calls: 1, per: { rollingMs: 12_000 } } } };
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const reserve: Counters["reserve"] = async (...given) => {
    asked.resolve();
    await go.promise;
    return store.counters.reserve(...given);
  };
  const slow = createAgent({
    name: "desk",
    model: scriptedModel(["Hi."]),
    policy,
    clock,
    store: { ...store, counters: { ...store.counters, reserve } },
  });
  const late = slow.run("Hello.");
  await asked.promise;
  await clock.advance(1_001);
  expect(await createAgent({ name: "desk", model: scriptedModel(["Hi."]), policy, clock, store }).run("Hello.")).toMatchObject({
    status: "completed",
  });
  go.resolve();
  expect(await late).toMatchObject({ status: "refused" });
});

test("a budget that does not go on without knowing stops at the next paid step, also after a resume", async () => {
  const silent = { calls: [{ name: "no", arguments: {} }], usage: null };
  const run = async (onUnknownUsage: "charge" | "stop") => {
    const model = scriptedModel([silent, "Hi.", "Hi."]);
    const store = memoryStore();
    const agent = createAgent({ name: "desk", model, store, policy: { budget: { run: { tokens: 100_000 }, onUnknownUsage } } });
    return { model, agent, store, result: await agent.run("Hello.", { runId: "r" }) };
  };
  expect((await run("charge")).result).toMatchObject({ status: "completed" });
  const { model, agent, store, result } = await run("stop");
  expect(result).toMatchObject({ status: "partial", resumable: true, error: { code: "usage_unknown" } });
  expect(await agent.resume("r")).toMatchObject({ status: "partial", error: { code: "usage_unknown" } });
  expect(model.calls).toBe(1);
  const patient = createAgent({ name: "desk", model, store, policy: { budget: { run: { tokens: 100_000 } } } });
  expect(await patient.resume("r")).toMatchObject({ status: "completed" });
});
