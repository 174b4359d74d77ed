// Requests that no budget can afford: told apart from those that a rule refuses, and welcome again when there is one.
import { createControlPlane, memoryStore } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";
import { asks, serve, toldBy } from "./asking.ts";

test("a run that nothing could be begun of is 429, says when there is more, and the same request goes on when there is", async () => {
  const store = memoryStore();
  const model = scriptedModel(["Good morning."]);
  const handler = serve({ model, store, policy: { budget: { user: { calls: 0, per: "day" } } } });
  const ask = () => handler(asks({ input: "Hello.", runId: "r" }));
  const refused = await ask();
  const told = await toldBy(refused);
  expect([refused.status, told.status, told.resumable]).toEqual([429, "refused", true]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(told.error).toMatchObject({ code: "budget_exceeded", retryAt: expect.any(Number) });
  expect(told.error?.retryAt).toBeGreaterThan(Date.now());
  expect((await ask()).status).toBe(429);
  const { budgets } = createControlPlane({ store });
  await budgets.grant({ scope: "user", who: ["ann"], measure: "calls" }, { amount: 1, by: "kim", why: "Asked nicely." });
  expect(await toldBy(await ask())).toMatchObject({ status: "completed", text: "Good morning." });
  expect(model.calls).toBe(1);
});
