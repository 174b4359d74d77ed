// Limits with windows, where the clock of the runs and that of the store tell different times: what was counted is not forgotten too early.
import { createAgent, memoryStore, tool } from "airworthy";
import { fakeClock, scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";

const past = Date.UTC(2000, 0, 1);
const future = Date.UTC(2100, 0, 1);
const users = Array.from({ length: 20 }, (_, number) => `u${number}`);

/** The store with its own clock, which is the machine's, and with that of the runs. */
const stores = (now: () => number) => [memoryStore(), memoryStore({ now })];

test.each([past, future])("a budget for a day holds: %i", async (start) => {
  const clock = fakeClock(start);
  for (const store of stores(() => clock.now())) {
    const policy = { budget: { user: { calls: 1, per: "day" } } } as const;
    const agent = createAgent({ name: "a", model: scriptedModel(() => "Hi."), clock, store, policy });
    for (const id of users) expect(await agent.run("go", { user: { id } })).toMatchObject({ status: "completed" });
    for (const id of users) expect(await agent.run("go", { user: { id } })).toMatchObject({ status: "refused" });
  }
});

test.each([past, future])("a limit of an effect for a day holds: %i", async (start) => {
  const clock = fakeClock(start);
  for (const store of stores(() => clock.now())) {
    let acts = 0;
    const mail = tool({ description: "Sends.", inputSchema: { type: "object" }, effect: "send", execute: () => ++acts });
    const model = scriptedModel(({ messages }) =>
      messages.at(-1)?.role === "tool" ? "Done." : { calls: [{ name: "mail", arguments: {} }] },
    );
    const policy = { limits: { effects: { mail: { user: 1, per: "day" } } } } as const;
    const agent = createAgent({ name: "a", model, tools: { mail }, clock, store, policy });
    for (const id of [...users, ...users]) await agent.run("go", { user: { id } });
    expect(acts).toBe(users.length);
  }
});
