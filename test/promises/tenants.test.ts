// Promise 5 among tenants: two hundred runs of as many tenants on one agent object, all at once, and each sees what is its own and no more.
import { setImmediate } from "node:timers/promises";
import { createAgent, type Guardrail, type Middleware, memoryStore, type RunEvent, type RunFacts, textOf, tool } from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const tenants = Array.from({ length: 200 }, (_, number) => `canary-${number}-${(number * 7_919 + 13) % 1_000_003}.`);
const canary = /canary-\d+-\d+\./g;

/** What was met on behalf of each tenant, by place. */
type Seen = Map<string, { readonly where: string; readonly met: string }[]>;

/** Lets others in between, differently often for each. */
async function giveWay(turns: number) {
  for (let turn = 0; turn < turns; turn++) await setImmediate();
}

/** One agent for all, which writes down whatever comes by in the name of whom it comes. */
function sharedAgent(seen: Seen, store = memoryStore()) {
  const note = (run: RunFacts, where: string, ...things: unknown[]) =>
    seen.get(run.user?.tenant ?? "nobody")?.push({ where, met: JSON.stringify([run, ...things]) });
  const watch = (point: string): Guardrail => ({
    name: point,
    check: async ({ text, run }) => {
      note(run, point, text);
      await giveWay(text.length % 3);
      return { verdict: "rewrite", text: `${text} ` };
    },
  });
  const around: Middleware = {
    stage: async (call, next) => (note(call.run, call.key), void (await next())),
    model: async (call, next) => (note(call.run, call.key, call.request), next()),
    tool: async (call, next) => (note(call.run, call.key, call.input), next()),
  };
  const look = tool({
    description: "d",
    effect: "read",
    inputSchema: z.object({ secret: z.string() }),
    execute: async ({ secret }, { context, run, idempotencyKey }) => {
      await giveWay(secret.length % 5);
      note(run, "tool", secret, context, idempotencyKey);
      return { secret, context };
    },
  });
  const model = scriptedModel(
    async ({ messages }) => {
      const text = messages.map((message) => textOf(message)).join(" ");
      const own = text.match(canary)?.[0] ?? "nobody";
      seen.get(own)?.push({ where: "model", met: JSON.stringify(messages) });
      await giveWay(text.length % 4);
      const turn = messages.filter(({ role }) => role === "assistant").length;
      const call = { name: "look", arguments: { secret: own } };
      return turn < 2 ? { calls: [call, call] } : { deltas: ["It is ", own, ` And ${own}`] };
    },
    { record: false },
  );
  return createAgent({
    name: "shared",
    store,
    model,
    tools: { look },
    instructions: ({ user, context }) => `You speak with ${user?.tenant}, who brought ${JSON.stringify(context)}.`,
    guardrails: { input: [watch("input")], toolInput: [watch("toolInput")], toolOutput: [watch("toolOutput")], output: [watch("output")] },
    use: [around],
  });
}

test.each([
  ["memory", () => memoryStore()],
  ["SQLite", () => sqlite(":memory:")],
])("two hundred runs at once, in %s: tools, guardrails, models, journals and streams see their own tenant only", async (_, makeStore) => {
  const seen: Seen = new Map(tenants.map((tenant) => [tenant, []]));
  const store = makeStore();
  const agent = sharedAgent(seen, store);
  await Promise.all(
    tenants.map(async (tenant, number) => {
      const options = { runId: `run-${number}`, user: { id: "same", tenant }, conversationId: tenant, context: { of: tenant } };
      const stream = agent.stream(`My word is ${tenant}`, options);
      const events: RunEvent[] = [];
      for await (const event of stream) events.push(event);
      const result = await stream.result;
      expect(result.status).toBe("completed");
      seen.get(tenant)?.push({ where: "stream", met: JSON.stringify(events) }, { where: "result", met: JSON.stringify(result) });
      seen.get(tenant)?.push({ where: "journal", met: JSON.stringify(await agent.journal(options.runId)) });
    }),
  );
  await store.close?.();
  const places = ["input", "toolInput", "toolOutput", "output", "tool", "model", "stream", "result", "journal"];
  for (const [tenant, met] of seen) {
    expect([...new Set(met.map(({ where }) => where))]).toEqual(expect.arrayContaining(places));
    for (const one of met) expect(new Set(one.met.match(canary)), `${one.where} of ${tenant}`).toEqual(new Set([tenant]));
  }
});
