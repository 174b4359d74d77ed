// Limits of effects under a crash at every append and at every word to the counters: never passed, and what surely was not done is free again.
import { AgentError, createAgent, type Journal, memoryStore, type RunResult, type Store, tool } from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { autoClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const user = { id: "anna" };
const limit = 3;
const inputSchema = z.object({ id: z.string(), amountUsd: z.number() });
const effects = { refund: { user: Number.POSITIVE_INFINITY, sum: "amountUsd", max: 3 * limit }, mail: { user: limit } } as const;

const call = (name: string, id: string) => ({ name, callId: "call", arguments: { id, amountUsd: 3 } });
const script: readonly ScriptedReply[] = [
  { calls: [call("refund", "1"), call("refund", "bad"), call("mail", "2")] },
  { calls: [call("mail", "bad"), call("mail", "3"), call("refund", "4")] },
  "done",
];
const six: readonly ScriptedReply[] = [
  { calls: ["a", "b", "c", "d", "e", "f"].flatMap((id) => [call("refund", id), call("mail", id)]) },
  "done",
];

/** By tool, the keys under which it acted. */
const newWorld = () => ({ refund: new Set<string>(), mail: new Set<string>() });
type World = ReturnType<typeof newWorld>;

function agentOf(world: World, store: Store, replies: readonly ScriptedReply[]) {
  const act = (acts: Set<string>, id: string, key: string) => {
    if (id === "bad") throw new Error("no");
    acts.add(key);
    return "done";
  };
  const tools = {
    refund: tool({
      description: "d",
      effect: "pay",
      repeat: "with-same-key",
      inputSchema,
      execute: ({ id }, { idempotencyKey }) => act(world.refund, id, idempotencyKey),
    }),
    mail: tool({
      description: "d",
      effect: "send",
      inputSchema,
      execute: ({ id }, { idempotencyKey }) => act(world.mail, id, idempotencyKey),
      reconcile: (_, { idempotencyKey }) => (world.mail.has(idempotencyKey) ? { status: "done", output: "done" } : { status: "not-done" }),
    }),
  };
  const model = scriptedModel(({ messages }) => replies[messages.filter(({ role }) => role === "assistant").length] ?? "done");
  return createAgent({ name: "a", model, tools, store, clock: autoClock(), policy: { limits: { effects } } });
}

/** Everything that is said to it counts; at the nth it dies, before or after it has done what was asked. */
function dyingAt(nth: number, moment: "before" | "after", { journal, counters }: Store) {
  let said = 0;
  const dead = () => new AgentError("journal_unavailable", "The process has died.");
  const alive = async <T>(act: () => T): Promise<Awaited<T>> => {
    said += 1;
    const here = said;
    if (here > nth || (here === nth && moment === "before")) throw dead();
    const done = await act();
    if (here === nth) throw dead();
    return done;
  };
  if (!counters) throw new Error("no counters");
  const append: Journal["append"] = (...lines) => alive(() => journal.append(...lines));
  const store: Store = {
    journal: { ...journal, append },
    counters: {
      ...counters,
      reserve: (...asked) => alive(() => counters.reserve(...asked)),
      settle: (...told) => alive(() => counters.settle(...told)),
      forget: (run) => alive(() => counters.forget(run)),
    },
  };
  return { store, said: () => said };
}

describe.each([
  ["in memory", () => memoryStore()],
  ["in SQLite", () => sqlite(":memory:")],
] as const)("%s", (_, makeStore) => {
  test.each(["before", "after"] as const)("a process that dies %s any word to the store, and another that goes on", async (moment) => {
    const counted = dyingAt(Number.POSITIVE_INFINITY, moment, makeStore());
    const whole = await agentOf(newWorld(), counted.store, script).run("go", { runId: "r", user });
    expect(whole.status).toBe("completed");
    expect(counted.said()).toBeGreaterThan(20);

    for (let nth = 1; nth <= counted.said(); nth++) {
      const [world, store] = [newWorld(), makeStore()];
      const where = `${moment} word ${nth}`;
      await agentOf(world, dyingAt(nth, moment, store).store, script).run("go", { runId: "r", user });
      const next = agentOf(world, store, script);
      const resumed: RunResult = await next.resume("r");
      expect([resumed.status, resumed.messages], where).toEqual([whole.status, whole.messages]);
      expect([world.refund.size, world.mail.size], where).toEqual([2, 2]);
      // Nothing is left that the next run could not have.
      await agentOf(world, store, six).run("go", { user });
      // But for a refund that was begun, never heard of, and then failed: its first attempt may have gone well.
      const unheard = (await next.journal("r")).filter(
        (entry) => entry.type === "step.done" && entry.code === "tool_failed" && entry.place === "used",
      );
      expect(unheard.every((entry) => "attempts" in entry && entry.attempts > 1 && "name" in entry && entry.name === "refund")).toBe(true);
      expect([world.refund.size, world.mail.size], where).toEqual([limit - unheard.length, limit]);
      expect(await store.counters?.open(""), where).toEqual([]);
      await store.close?.();
    }
  });

  test.each(["before", "after"] as const)(
    "a process that dies %s any word and is never heard of again: the limit holds",
    async (moment) => {
      const counted = dyingAt(Number.POSITIVE_INFINITY, moment, makeStore());
      await agentOf(newWorld(), counted.store, script).run("go", { runId: "r", user });
      for (let nth = 1; nth <= counted.said(); nth++) {
        const [world, store] = [newWorld(), makeStore()];
        await agentOf(world, dyingAt(nth, moment, store).store, script).run("go", { runId: "r", user });
        await agentOf(world, store, six).run("go", { user });
        expect(Math.max(world.refund.size, world.mail.size), `${moment} word ${nth}`).toBeLessThanOrEqual(limit);
        await store.close?.();
      }
    },
  );
});

describe("an owner who does not know yet that the run is another's", () => {
  test.each(["goes on", "is cancelled"] as const)("and %s gives nothing up that the other holds", async (what) => {
    const store = memoryStore();
    const { counters } = store;
    const [granted, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const reserve: typeof counters.reserve = async (...asked) => {
      const answer = await counters.reserve(...asked);
      granted.resolve();
      await goOn.promise;
      return answer;
    };
    const acts: string[] = [];
    const [begun, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const pay = tool({
      description: "d",
      effect: "pay",
      inputSchema: z.object({}),
      execute: async () => {
        begun.resolve();
        await finish.promise;
        acts.push("paid");
      },
    });
    const one = (given: Store) =>
      createAgent({
        name: "a",
        store: given,
        model: scriptedModel(({ messages }) => (messages.length > 1 ? "done" : { calls: [{ name: "pay", arguments: {} }] })),
        tools: { pay },
        policy: { limits: { effects: { pay: { user: 1 } } } },
      });
    const stop = new AbortController();
    const stale = one({ ...store, counters: { ...counters, reserve } }).run("go", { runId: "r", user, signal: stop.signal });
    await granted.promise;
    const owner = one(store).resume("r");
    await begun.promise;
    if (what === "is cancelled") stop.abort();
    goOn.resolve();
    await stale;
    expect((await one(store).run("go", { user })).messages.at(-2)).toMatchObject({ content: expect.stringContaining("effect_limit") });
    finish.resolve();
    expect((await owner).status).toBe("completed");
    expect(acts).toEqual(["paid"]);
    expect((await one(store).run("go", { user })).messages.at(-2)).toMatchObject({ content: expect.stringContaining("effect_limit") });
  });
});
