// A limit that people have changed counts as what it is by now, wherever it is told of.
import { createAgent, createControlPlane, memoryStore } from "airworthy";
import { fakeClock, scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";

const anna = { by: "anna", why: "Ticket 4711." };
const user = { id: "u1" };
const ofUser = { scope: "user", who: ["u1"], measure: "calls" } as const;

function desk(calls: number) {
  const clock = fakeClock();
  const store = memoryStore({ now: () => clock.now() });
  const cheap = scriptedModel(() => "Cheap.", { id: "cheap" });
  const agent = createAgent({
    name: "desk",
    model: scriptedModel(() => "Dear."),
    policy: { budget: { user: { calls, per: "day" }, near: { downgradeTo: cheap }, wrapUp: false } },
    store,
    clock,
  });
  return { agent, budgets: createControlPlane({ store, now: () => clock.now() }).budgets };
}

test("a limit that was raised is not nearly used up: no cheaper model is asked", async () => {
  const { agent, budgets } = desk(1);
  await agent.run("Hello", { user });
  await budgets.raise(ofUser, { to: 100, ...anna });
  expect(await agent.run("Hello", { user })).toMatchObject({ text: "Dear." });
});

test("a limit that was reset is not nearly used up: no cheaper model is asked", async () => {
  const { agent, budgets } = desk(2);
  for (const _ of [1, 2]) await agent.run("Hello", { user });
  await budgets.reset(ofUser, anna);
  expect(await agent.run("Hello", { user })).toMatchObject({ text: "Dear." });
});

test("a limit that was raised is not told of as nearly used up", async () => {
  const { agent, budgets } = desk(10);
  await agent.run("Hello", { user });
  await budgets.raise(ofUser, { to: 100, ...anna });
  const noted: boolean[] = [];
  for (let number = 0; number < 9; number++) {
    const { runId } = await agent.run("Hello", { user });
    noted.push((await agent.journal(runId)).some((entry) => entry.type === "note" && entry.note === "budget-near"));
  }
  expect(noted).not.toContain(true);
});

test("the error of a limit that was reset says what counts as spent, as the list does", async () => {
  const { agent, budgets } = desk(1);
  await agent.run("Hello", { user });
  await budgets.reset(ofUser, anna);
  await agent.run("Hello", { user });
  expect((await budgets.list())[0]).toMatchObject({ limit: 1, spent: 1 });
  expect(await agent.run("Hello", { user })).toMatchObject({ status: "refused", error: { details: { limit: 1, spent: 1 } } });
});

test("a user whose id is no well-formed text is told so", async () => {
  const { agent } = desk(1);
  await expect(agent.run("Hello", { user: { id: "\ud800" } })).rejects.toMatchObject({ code: "input_invalid" });
});
