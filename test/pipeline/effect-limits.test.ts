// Limits of effects: how often tools act and for how much, over many runs; what surely was not done is free again, what may have been is not.
import {
  type AgentOptions,
  createAgent,
  type EffectLimits,
  type Middleware,
  memoryStore,
  type RunResult,
  type Store,
  type Tool,
  tool,
} from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { autoClock, fakeClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";

const user = { id: "anna" };
const calls = (name: string, ...given: readonly object[]): ScriptedReply => ({
  calls: given.map((each) => ({ name, arguments: each })),
});
const texts = ({ messages }: RunResult<unknown>) => messages.flatMap((message) => (message.role === "tool" ? [message.content] : []));

interface World {
  readonly done: unknown[];
  readonly store: Store;
  readonly clock: ReturnType<typeof fakeClock>;
}

function newWorld(): World {
  const clock = fakeClock();
  return { done: [], clock, store: memoryStore({ now: () => clock.now() }) };
}

const refundOf = ({ done }: Pick<World, "done">, more: Partial<Parameters<typeof tool>[0]> = {}): Tool =>
  tool({
    description: "d",
    effect: "pay",
    inputSchema: z.object({ id: z.string().optional(), amountUsd: z.number().optional() }),
    execute: (input) => {
      done.push(input);
      return "refunded";
    },
    ...more,
  });

function agentOf(world: World, effects: EffectLimits, replies: readonly ScriptedReply[], more: Partial<AgentOptions> = {}) {
  const { store, clock } = world;
  const tools = { refund: refundOf(world) };
  return createAgent({ name: "desk", model: scriptedModel(replies), store, clock, tools, policy: { limits: { effects } }, ...more });
}

const codes = async (agent: ReturnType<typeof createAgent>, runId: string) =>
  (await agent.journal(runId)).flatMap((entry) =>
    entry.type === "step.done" && entry.kind === "tool" ? [[entry.code, entry.place, entry.attempts]] : [],
  );

describe("a limit of calls", () => {
  test("the limit-th is made, the next is not; the model is told, no fallback is asked, and the run goes on", async () => {
    const world = newWorld();
    const fallback = vi.fn(() => "queued");
    const tools = { refund: refundOf(world, { fallback }) };
    const agent = agentOf(
      world,
      { refund: { run: 2 } },
      [calls("refund", { id: "1" }), calls("refund", { id: "2" }, { id: "3" }), "done"],
      {
        tools,
      },
    );
    const result = await agent.run("go", { runId: "r" });
    expect(result).toMatchObject({ status: "completed", output: "done" });
    expect(world.done).toEqual([{ id: "1" }, { id: "2" }]);
    expect(JSON.parse(texts(result)[2] ?? "")).toMatchObject({ error: { code: "effect_limit", retryable: false } });
    expect(texts(result)[2]).toContain("refund may be called 2 times in this run, and has been");
    expect(fallback).not.toHaveBeenCalled();
    expect((await codes(agent, "r")).toSorted(([, , one], [, , other]) => Number(other) - Number(one))).toEqual([
      [undefined, "used", 1],
      [undefined, "used", 1],
      ["effect_limit", undefined, 0],
    ]);
  });

  test("side by side, as many as fit are made; 0 is zero", async () => {
    const world = newWorld();
    const result = await agentOf(world, { refund: { run: 3 } }, [
      calls("refund", ...Array.from({ length: 5 }, (_, id) => ({ id: `${id}` }))),
      "x",
    ]).run("go");
    expect(world.done).toEqual([{ id: "0" }, { id: "1" }, { id: "2" }]);
    expect(texts(result).map((text) => text.includes("effect_limit"))).toEqual([false, false, false, true, true]);
    const none = newWorld();
    await agentOf(none, { refund: { global: 0 } }, [calls("refund", {}), "x"]).run("go");
    expect(none.done).toEqual([]);
  });

  test.each([
    ["run", {}, 2],
    ["conversation", { conversationId: "c" }, 1],
    ["user", { user }, 1],
    ["tenant", { user: { id: "anna", tenant: "t" } }, 1],
    ["agent", {}, 1],
    ["global", {}, 1],
  ] as const)("of each %s counts all its runs", async (scope, options, made) => {
    const world = newWorld();
    const agent = agentOf(world, { refund: { [scope]: 1 } }, [calls("refund", {}), "x", calls("refund", {}), "x"]);
    await agent.run("go", options);
    await agent.run("go", options);
    expect(world.done).toHaveLength(made);
  });

  test.each([
    ["conversation", { conversationId: "c", user: { id: "u", tenant: "one" } }, { conversationId: "c", user: { id: "u", tenant: "two" } }],
    ["user", { user: { id: "u", tenant: "one" } }, { user: { id: "u", tenant: "two" } }],
    ["user", { user: { id: "u/v" } }, { user: { id: "u", tenant: "v" } }],
    ["tenant", { user: { id: "u", tenant: "one" } }, { user: { id: "u", tenant: "two" } }],
  ] as const)("of each %s keeps tenants apart", async (scope, one, other) => {
    const world = newWorld();
    const agent = agentOf(world, { refund: { [scope]: 1 } }, [calls("refund", {}), "x", calls("refund", {}), "x"]);
    await agent.run("go", one);
    await agent.run("go", other);
    expect(world.done).toHaveLength(2);
  });

  test("holds for two agents that share a store and a user; that of each agent does not", async () => {
    const world = newWorld();
    const once = (name: string, scope: "user" | "agent") =>
      agentOf(world, { refund: { [scope]: 1 } }, [calls("refund", {}), "x"], { name }).run("go", { user });
    await once("one", "user");
    await once("two", "user");
    expect(world.done).toHaveLength(1);
    await once("three", "agent");
    await once("four", "agent");
    expect(world.done).toHaveLength(3);
  });

  test("in a window is free again in the next, and says when", async () => {
    const world = newWorld();
    const agent = agentOf(world, { refund: { user: 1, per: "day", zone: "Europe/Berlin" } }, [
      calls("refund", {}, {}),
      "x",
      calls("refund", {}, {}),
      "x",
    ]);
    const result = await agent.run("go", { user });
    expect(texts(result)[1]).toMatch(/There may be more from \d{4}-\d\d-\d\dT2[23]:00:00.000Z on/);
    await world.clock.advance(25 * 3_600_000);
    await agent.run("go", { user });
    expect(world.done).toHaveLength(2);
  });

  test("several rules hold together, or nothing is held", async () => {
    const world = newWorld();
    const effects = { refund: [{ user: 5, per: "day" as const }, { conversation: 1 }, { conversation: 2 }] };
    const agent = agentOf(world, effects, [calls("refund", {}, {}, {}), "x", calls("refund", {}, {}, {}), "x"]);
    await agent.run("go", { user, conversationId: "a" });
    expect(world.done).toHaveLength(1);
    const tight = agentOf(world, { refund: { user: 2, per: "day" } }, [calls("refund", {}, {}), "x"]);
    await tight.run("go", { user });
    expect(world.done).toHaveLength(2);
  });
});

describe("a limit of a sum", () => {
  const daily = { refund: { user: Number.POSITIVE_INFINITY, per: "day", sum: "amountUsd", max: 0.3 } } as const;

  test("admits what still fits, exactly, and tells what is left", async () => {
    const world = newWorld();
    const agent = agentOf(world, daily, [
      calls("refund", { amountUsd: 0.1 }, { amountUsd: 0.21 }, { amountUsd: 0.2 }, { amountUsd: 0 }, { amountUsd: 0.000_000_1 }),
      "x",
    ]);
    const result = await agent.run("go", { user });
    expect(world.done).toEqual([{ amountUsd: 0.1 }, { amountUsd: 0.2 }, { amountUsd: 0 }]);
    expect(texts(result)[1]).toContain("amountUsd of refund may come to 0.3 for this user, of which 0.2 are left");
    expect(texts(result)[4]).toContain("effect_limit");
  });

  test.each([[{ amountUsd: -1 }], [{}], [{ amountUsd: 1e300 }]])("makes no call of which it cannot be counted: %j", async (given) => {
    const world = newWorld();
    const result = await agentOf(world, daily, [calls("refund", given), "x"]).run("go", { user });
    expect(world.done).toEqual([]);
    expect(texts(result)[0]).toContain("amountUsd" in given && given.amountUsd > 1 ? "effect_limit" : "tool_input_invalid");
  });

  test("says in its details what was used, in the units of the rule", async () => {
    const world = newWorld();
    const seen: unknown[] = [];
    const watch: Middleware = {
      tool: async (_, next) => {
        const outcome = await next();
        if (outcome.status === "failed") seen.push(outcome.error.details);
        return outcome;
      },
    };
    const effects = { refund: { user: 9, per: "day", sum: "amountUsd", max: 2.5 } } as const;
    await agentOf(world, effects, [calls("refund", { amountUsd: 2 }, { amountUsd: 1 }), "x"], { use: [watch] }).run("go", { user });
    expect(seen).toEqual([{ tool: "refund", scope: "user", limit: 2.5, used: 2, sum: "amountUsd", resetsAt: expect.any(Number) }]);
  });
});

describe("what is held", () => {
  const again = [calls("refund", { id: "2" }), "x"];
  const limit: EffectLimits = { refund: { user: 1 } };
  const after = async (world: World, first: Partial<Parameters<typeof tool>[0]>, more: Partial<AgentOptions> = {}) => {
    const tools = { refund: refundOf(world, first) };
    const agent = agentOf(world, limit, [calls("refund", { id: "1" }), "x"], { tools, clock: autoClock(), ...more });
    const result = await agent.run("go", { user, runId: "first" });
    const next = agentOf(world, limit, again);
    return { agent, result, code: texts(await next.run("go", { user, runId: "next" }))[0]?.includes("effect_limit") ? "over" : "made" };
  };
  const lost = () => Promise.reject(Object.assign(new Error("x"), { code: "ECONNRESET" }));
  const never = () => new Promise<never>(() => {});

  test.each<readonly [string, Partial<Parameters<typeof tool>[0]>, string]>([
    ["that threw", { execute: () => Promise.reject(new Error("no")) }, "made"],
    ["that threw at each attempt", { repeat: "with-same-key", execute: () => Promise.reject(new Error("no")) }, "made"],
    ["whose arguments were wrong", { inputSchema: z.object({ other: z.string() }) }, "made"],
    ["that answered garbage", { outputSchema: z.number() }, "over"],
    ["that timed out", { repeat: "with-same-key", retry: { attempts: 1 }, timeoutMs: 100, execute: never }, "over"],
    ["that was lost on its way", { repeat: "with-same-key", retry: { attempts: 1 }, execute: lost }, "over"],
    ["that is in doubt", { execute: lost }, "over"],
    ["that was looked up and not done", { execute: lost, reconcile: () => ({ status: "not-done" }) }, "made"],
    ["that was looked up and done", { execute: lost, reconcile: () => ({ status: "done", output: "y" }) }, "over"],
  ])("for an act %s: the next is %#", async (_, first, code) => {
    expect((await after(newWorld(), first)).code).toBe(code);
  });

  test("for an act lost once and refused at its second attempt may have been used", async () => {
    let tries = 0;
    const execute = () => ((tries += 1), tries === 1 ? lost() : Promise.reject(new Error("no")));
    const { code, agent } = await after(newWorld(), { repeat: "with-same-key", retry: { attempts: 2 }, execute });
    expect(code).toBe("over");
    expect(await codes(agent, "first")).toEqual([["tool_failed", "used", 2]]);
  });

  test("for what the breaker, a budget or middleware did not let through is free", async () => {
    const world = newWorld();
    const use = [{ tool: () => Promise.resolve({ status: "done" as const, value: { content: "mine" } }) }];
    expect((await after(world, {}, { use })).code).toBe("made");
    const budget = { budget: { run: { calls: 1 } }, limits: { effects: limit } };
    const poor = await after(newWorld(), { cost: 0.1 }, { policy: budget, prices: { scripted: { input: 0, output: 0 } } });
    expect(poor.result).toMatchObject({ status: "partial", error: { code: "budget_exceeded" } });
    expect(poor.code).toBe("made");
  });

  test("for an act that was cancelled while it ran is used; for one that had not begun it is free", async () => {
    const stop = new AbortController();
    const world = newWorld();
    const tools = { refund: refundOf(world, { execute: () => (stop.abort(), never()) }) };
    const agent = agentOf(world, limit, [calls("refund", {}), "x"], { tools, clock: autoClock() });
    expect((await agent.run("go", { user, signal: stop.signal })).status).toBe("cancelled");
    await agentOf(world, limit, again).run("go", { user });
    expect(world.done).toEqual([]);
  });

  test("for an act that threw, in a run that was cancelled before it was tried again, is free", async () => {
    const stop = new AbortController();
    const world = newWorld();
    const execute = () => {
      queueMicrotask(() => setImmediate(() => stop.abort()));
      throw new Error("no");
    };
    const tools = { refund: refundOf(world, { repeat: "with-same-key", retry: { attempts: 2, baseMs: 5_000 }, execute }) };
    const agent = agentOf(world, limit, [calls("refund", {}), "x"], { tools });
    expect((await agent.run("go", { user, signal: stop.signal })).status).toBe("cancelled");
    await agentOf(world, limit, again).run("go", { user });
    expect(world.done).toEqual([{ id: "2" }]);
  });

  test("and given up is free for the next turn, however slow the store is", async () => {
    const world = newWorld();
    const { counters } = world.store;
    if (!counters) throw new Error("no counters");
    const settle: typeof counters.settle = async (...told) => {
      await new Promise(setImmediate);
      return counters.settle(...told);
    };
    let tries = 0;
    const tools = { refund: refundOf(world, { execute: () => ((tries += 1) === 1 ? Promise.reject(new Error("no")) : "paid") }) };
    const store = { ...world.store, counters: { ...counters, settle } };
    const result = await agentOf(world, limit, [calls("refund", {}), calls("refund", {}), "x"], { tools, store }).run("go", { user });
    expect(texts(result)[1]).toBe("paid");
  });

  test("stays while it is in doubt, and is free once the doubt is over: a resume that is told it was not done may do it", async () => {
    const world = newWorld();
    let word: "unknown" | "not-done" = "unknown";
    let execute: () => Promise<string> = lost;
    const tools = { refund: refundOf(world, { execute: () => execute(), reconcile: () => ({ status: word }) }) };
    const agent = agentOf(world, limit, [calls("refund", {}), "x"], { tools });
    expect((await agent.run("go", { user, runId: "r" })).status).toBe("suspended");
    await agentOf(world, limit, again).run("go", { user });
    expect(world.done).toEqual([]);
    word = "not-done";
    execute = () => Promise.reject(new Error("no"));
    expect((await agent.resume("r")).status).toBe("completed");
    expect(await codes(agent, "r")).toEqual([["tool_failed", "released", 2]]);
    await agentOf(world, limit, again).run("go", { user });
    expect(world.done).toEqual([{ id: "2" }]);
  });

  test("is one for an act that a resume goes on with, and its end is told under the hold it has", async () => {
    const world = newWorld();
    let word: "unknown" | "not-done" = "unknown";
    let tries = 0;
    const execute = () => ((tries += 1), tries === 1 ? lost() : "paid");
    const tools = { refund: refundOf(world, { execute, reconcile: () => ({ status: word }) }) };
    const agent = agentOf(world, limit, [calls("refund", {}), "x"], { tools });
    await agent.run("go", { user, runId: "r" });
    await agent.resume("r");
    word = "not-done";
    expect(texts(await agent.resume("r"))).toEqual(["paid"]);
    expect(await world.store.counters?.open("")).toEqual([]);
    expect(await world.store.counters?.read(["effect/refund/count/user//anna/ever/ever"])).toEqual([{ used: 1, held: 0 }]);
  });

  test("for a run goes with the run, and for a fallback counts as the tool it stands in for", async () => {
    const world = newWorld();
    const tools = {
      refund: refundOf(world, { execute: () => Promise.reject(new Error("no")), fallback: () => world.done.push("queued") }),
    };
    const agent = agentOf(world, { refund: { run: 1 } }, [calls("refund", {}), calls("refund", {}), "x"], { tools });
    const result = await agent.run("go", { runId: "r" });
    expect(world.done).toEqual(["queued"]);
    expect(texts(result)[1]).toContain("effect_limit");
    expect(await world.store.counters?.read(["effect/refund/count/run/r/ever/ever"])).toEqual([{ used: 0, held: 0 }]);
  });
});

describe("nothing is counted", () => {
  test("of what is simulated, replayed or answered again", async () => {
    const world = newWorld();
    const agent = agentOf(world, { refund: { user: 2 } }, [calls("refund", {}), "x", calls("refund", {}), "x", calls("refund", {}), "x"]);
    await agent.run("go", { user, runId: "r" });
    await agent.run("go", { user, runId: "r" });
    await agent.replay("r");
    const fork = await agent.fork("r", { at: "start", effects: "simulate" });
    expect(fork.simulated).toHaveLength(1);
    await agent.run("go", { user });
    expect(world.done).toHaveLength(2);
  });
});

describe("agents as tools", () => {
  test("the limits of the agent hold within it, those of its caller on calls of it", async () => {
    const world = newWorld();
    const inner = agentOf(world, { refund: { run: 1 } }, [calls("refund", {}, {}), "ok", calls("refund", {}, {}), "ok"], { name: "inner" });
    const ask = inner.asTool({ description: "d" });
    const limits = { effects: { ask: { run: 2 } } };
    const replies = [calls("ask", { task: "a" }), calls("ask", { task: "b" }), calls("ask", { task: "c" }), "done"];
    const outer = createAgent({ name: "outer", model: scriptedModel(replies), store: world.store, tools: { ask }, policy: { limits } });
    const result = await outer.run("go");
    expect(world.done).toHaveLength(2);
    expect(texts(result).map((text) => text.includes("effect_limit"))).toEqual([false, false, true]);
  });
});

test("an agent that was asked counts, also when its answer could not be told", async () => {
  const world = newWorld();
  const inner = createAgent({ name: "inner", model: scriptedModel(["ok", "ok"]), store: world.store });
  const ask = inner.asTool({ description: "d", output: () => Promise.reject(new Error("no")) });
  const policy = { limits: { effects: { ask: { run: 1 } } } };
  const replies = [calls("ask", { task: "a" }), calls("ask", { task: "b" }), "done"];
  const result = await createAgent({ name: "outer", model: scriptedModel(replies), store: world.store, tools: { ask }, policy }).run("go");
  expect(texts(result).map((text) => /tool_failed|effect_limit/.exec(text)?.[0])).toEqual(["tool_failed", "effect_limit"]);
});

describe("what is wrong with a limit", () => {
  const world = newWorld();
  const limited = (effects: object, more: Partial<AgentOptions> = {}) =>
    agentOf(world, JSON.parse(JSON.stringify(effects, (_, value) => (Object.is(value, Number.NaN) ? "NaN" : value))), [], more);

  test.each([
    ["another name", { refnd: { run: 1 } }, 'names "refnd"'],
    ["another scope", { refund: { everybody: 1 } }, 'no option "everybody"'],
    ["less than nothing", { refund: { run: -1 } }, '"run"'],
    ["half a call", { refund: { run: 0.5 } }, '"run"'],
    ["no number", { refund: { run: Number.NaN } }, '"run"'],
    ["no scope", { refund: { per: "day" } }, "limits nothing"],
    ["a sum of no end", { refund: { user: 1, sum: "amountUsd" } }, '"sum" and "max"'],
    ["an end of no sum", { refund: { user: 1, max: 3 } }, '"sum" and "max"'],
    ["too much to count", { refund: { user: 1, sum: "amountUsd", max: 1e10 } }, '"max"'],
    ["another window", { refund: { user: 1, per: "week" } }, '"per"'],
    ["no limit at all", { refund: 3 }, "has to be a limit"],
  ])("%s is found when the agent is made", (_, effects, named) => {
    expect(() => limited(effects)).toThrow(
      expect.objectContaining({ code: "configuration_invalid", message: expect.stringContaining(named) }),
    );
  });

  test("counting nothing at all, or on a store that cannot, is as well", () => {
    expect(() => agentOf(world, { refund: { run: Number.POSITIVE_INFINITY } }, [])).toThrow(/limits nothing/);
    const { journal } = memoryStore();
    expect(() => agentOf(world, { refund: { run: 1 } }, [], { store: { journal } })).toThrow(/a store with counters/);
  });

  test.each(["user", "conversation", "tenant"] as const)("a run without what names its %s is not started", async (scope) => {
    const agent = agentOf(world, { refund: { [scope]: 1 } }, ["x"]);
    await expect(agent.run("go", { runId: "none" })).rejects.toMatchObject({ code: "input_invalid" });
    expect(await world.store.journal.load("none")).toBeUndefined();
  });

  test("a resume takes none", async () => {
    const agent = agentOf(world, {}, ["x"]);
    await expect(agent.resume("r", JSON.parse('{"limits":{"effects":{}}}'))).rejects.toMatchObject({ code: "input_invalid" });
  });

  test("a fork may have other tools than those that are limited", async () => {
    const own = newWorld();
    const agent = agentOf(own, { refund: { run: 1 } }, ["x"]);
    await agent.run("go", { runId: "r" });
    expect(await agent.fork("r", { at: "start", effects: "allow", tools: {}, model: scriptedModel(["y"]) })).toMatchObject({ output: "y" });
  });
});

test("64 runs of one user at once never pass the limit, in SQLite", async () => {
  const store = sqlite(":memory:");
  const done: unknown[] = [];
  const model = scriptedModel(({ messages }) => (messages.some(({ role }) => role === "tool") ? "x" : calls("refund", {}, {})));
  const policy = { limits: { effects: { refund: { user: 7, per: "day" } } } } as const;
  const agent = createAgent({ name: "desk", model, store, tools: { refund: refundOf({ done }) }, policy });
  const results = await Promise.all(Array.from({ length: 64 }, () => agent.run("go", { user })));
  expect(results.every(({ status }) => status === "completed")).toBe(true);
  expect(done).toHaveLength(7);
  await store.close?.();
});
