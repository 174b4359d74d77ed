// Caps that are reserved ahead, as agents see them: nobody passes them, and what a process has not used it gives back.
import { createAgent, memoryStore } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";

const key = "calls/global/ever/ever";
const budget = { global: { calls: 100, slice: 0.1 } };
const newAgent = (store: ReturnType<typeof memoryStore>) =>
  createAgent({ name: "desk", model: scriptedModel(() => "Hi.", { record: false }), policy: { budget }, store });

test("agents of several processes together never pass the cap, and use all of it", async () => {
  const store = memoryStore();
  const agents = [1, 2, 3].map(() => newAgent(store));
  const results = await Promise.all(Array.from({ length: 150 }, (_, number) => agents[number % 3]?.run("Hello.")));
  const completed = results.filter((result) => result?.status === "completed").length;
  expect(completed).toBe(100);
  expect(results.filter((result) => result?.status === "refused")).toHaveLength(50);
});

test("the store is asked once for many calls; drained, an agent gives back what is left", async () => {
  const store = memoryStore();
  const { reserve } = store.counters;
  let asked = 0;
  const counters = { ...store.counters, reserve: (...given: Parameters<typeof reserve>) => ((asked += 1), reserve(...given)) };
  const agent = newAgent({ ...store, counters });
  for (let run = 0; run < 10; run++) await agent.run("Hello.");
  expect(asked).toBe(1);
  await agent.run("Hello.");
  const [before] = await store.counters.read([key]);
  expect((before?.used ?? 0) + (before?.held ?? 0)).toBe(20);
  await agent.drain({ withinMs: 100 });
  expect(await store.counters.read([key])).toEqual([{ used: 11, held: 0 }]);
});
