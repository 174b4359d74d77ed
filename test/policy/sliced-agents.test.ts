// Caps that are reserved ahead, as agents see them: nobody passes them, and what a process has not used it gives back.
import { type Counters, createAgent, memoryStore } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";

const key = "calls/global/ever/ever";
const budget = { global: { calls: 100, slice: 0.1 } };
const newAgent = (store: ReturnType<typeof memoryStore>) =>
  createAgent({ name: "desk", model: scriptedModel(() => "Hi.", { record: false }), policy: { budget }, store });

test("agents of several processes together never pass the cap, and use all of it", async () => {
  const store = memoryStore();
  const agents = [1, 2, 3].map(() => newAgent(store));
  const runs = Array.from({ length: 50 }, () => agents.map((agent) => agent.run("Hello.")));
  const results = await Promise.all(runs.flat());
  const completed = results.filter(({ status }) => status === "completed").length;
  expect(completed).toBe(100);
  expect(results.filter(({ status }) => status === "refused")).toHaveLength(50);
});

test("the store is asked once for many calls; drained, an agent gives back what is left", async () => {
  const store = memoryStore();
  let asked = 0;
  const reserve: Counters["reserve"] = (id, holds, forMs) => {
    asked += 1;
    return store.counters.reserve(id, holds, forMs);
  };
  const agent = newAgent({ ...store, counters: { ...store.counters, reserve } });
  for (let run = 0; run < 10; run++) await agent.run("Hello.");
  expect(asked).toBe(1);
  await agent.run("Hello.");
  const [before] = await store.counters.read([key]);
  expect((before?.used ?? 0) + (before?.held ?? 0)).toBe(20);
  await agent.drain({ withinMs: 100 });
  expect(await store.counters.read([key])).toEqual([{ used: 11, held: 0 }]);
});

test("a fork with another model shares the slices of its agent, and drains with it", async () => {
  const store = memoryStore();
  const agent = newAgent(store);
  await agent.run("Hello.", { runId: "r" });
  const model = scriptedModel(["Ho."]);
  expect(await agent.fork("r", { at: "start", effects: "simulate", model })).toMatchObject({ status: "completed", text: "Ho." });
  await agent.drain({ withinMs: 100 });
  expect(await store.counters.read([key])).toEqual([{ used: 2, held: 0 }]);
});

test("of two caps in one window, each reserves its own share ahead", async () => {
  const store = memoryStore();
  const global = [
    { calls: 100, slice: 0.1 },
    { tokens: 1_000_000, slice: 0.2 },
  ];
  const model = scriptedModel(["Hi."]);
  const agent = createAgent({ name: "desk", model, policy: { budget: { global } }, store });
  await agent.run("Hello.");
  const standing = await store.counters.read([key, "tokens/global/ever/ever"]);
  expect(standing.map(({ used, held }) => used + held)).toEqual([10, 200_000]);
  await agent.drain({ withinMs: 100 });
});
