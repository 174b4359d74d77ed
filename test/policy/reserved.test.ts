// How much is set aside for a call, and what is left of it afterwards: as the journal and the store's counters show it.
import { AgentError, createAgent, memoryStore } from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
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
