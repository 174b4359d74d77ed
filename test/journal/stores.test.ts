// What a run asks of any store: one that is slow, one that fails at any write, one that somebody else has taken the run over on.
import { AgentError, createAgent, type Journal, memoryStore, type RunEvent, type Store, tool } from "airworthy";
import { autoClock, fakeClock, hang, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { newWorld, scenarios } from "../promises/scenarios.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A store whose every answer takes a while; it counts appends, and may fail at one of them. */
function slow(store: Store = memoryStore(), failAt = Number.POSITIVE_INFINITY) {
  const { journal } = store;
  const count = { appends: 0, busy: 0, most: 0 };
  const wrapped: Journal = {
    create: async (header, lines) => (await turn(), journal.create(header, lines)),
    claim: async (runId) => (await turn(), journal.claim(runId)),
    load: async (runId) => (await turn(), journal.load(runId)),
    append: async (...args) => {
      count.appends += 1;
      count.busy += 1;
      count.most = Math.max(count.most, count.busy);
      const nth = count.appends;
      await turn();
      count.busy -= 1;
      if (nth === failAt) throw new Error("disk full");
      return journal.append(...args);
    },
  };
  return { store: { journal: wrapped }, count };
}

describe.each(scenarios)("$name", ({ input, ends, options }) => {
  test("on a slow store it writes the same in the same order, one append at a time", async () => {
    const [fast, { store, count }] = [memoryStore(), slow()];
    const plain = await createAgent({ ...options(newWorld()), store: fast }).run(input, { runId: "r" });
    const slowly = await createAgent({ ...options(newWorld()), store }).run(input, { runId: "r" });
    expect([slowly.status, plain.status]).toEqual([ends, ends]);
    const [slowLines = [], fastLines = []] = [await store.journal.load("r"), await fast.journal.load("r")];
    expect(slowLines.toSorted()).toEqual(fastLines.toSorted());
    expect(count.most).toBe(1);
    expect(count.appends).toBeLessThan(slowLines.length);
  });

  test("a store that fails at any write stops the run there: nothing is done that was not announced", async () => {
    const { store, count } = slow();
    await createAgent({ ...options(newWorld()), store }).run(input, { runId: "r" });
    for (let nth = 1; nth <= count.appends; nth++) {
      const world = newWorld();
      const broken = slow(memoryStore(), nth);
      const events: RunEvent[] = [];
      const stream = createAgent({ ...options(world), store: broken.store }).stream(input, { runId: "r" });
      for await (const event of stream) events.push(event);
      expect(await stream.result, `append ${nth}`).toMatchObject({
        status: "failed",
        error: { code: "journal_unavailable" },
        resumable: true,
      });
      expect(events.filter(({ type }) => type === "run.finished")).toHaveLength(1);
      const lines = (await broken.store.journal.load("r")) ?? [];
      const announced = lines.filter((line) => line.includes('"attempt.started"') && line.includes('"tool"')).length;
      expect(world.acts.length, `append ${nth}`).toBeLessThanOrEqual(announced);
    }
  });
});

test("whoever is no longer the owner stops, and writes nothing more", async () => {
  const store = memoryStore();
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<string>();
  const model = scriptedModel((_, __, call) => (call === 1 ? (reached.resolve(), go.promise) : "mine"));
  const make = () => createAgent({ name: "a", model, store });
  const first = make().run("go", { runId: "r" });
  await reached.promise;
  expect(await make().resume("r")).toMatchObject({ status: "completed", output: "mine" });
  const lines = await store.journal.load("r");
  go.resolve("too late");
  expect(await first).toMatchObject({ status: "failed", resumable: false, error: { code: "journal_conflict" } });
  expect(await store.journal.load("r")).toEqual(lines);
});

test("a resume by the wrong agent or user takes nothing from whoever is on the run", async () => {
  const store = memoryStore();
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<string>();
  const model = scriptedModel(() => (reached.resolve(), go.promise));
  const first = createAgent({ name: "a", model, store }).run("go", { runId: "r", user: { id: "u1" } });
  await reached.promise;
  expect(await createAgent({ name: "b", model, store }).resume("r")).toMatchObject({ error: { code: "run_id_conflict" } });
  expect(await createAgent({ name: "a", model, store }).resume("r", { user: { id: "u2" } })).toMatchObject({
    error: { code: "run_id_conflict" },
  });
  go.resolve("done");
  expect(await first).toMatchObject({ status: "completed", output: "done" });
});

describe("a run belongs to who asked for it", () => {
  const mine = { user: { id: "alice", tenant: "a" }, conversationId: "c" };
  test.each([
    ["another user", { ...mine, user: { id: "bob", tenant: "a" } }],
    ["another tenant", { ...mine, user: { id: "alice", tenant: "b" } }],
    ["nobody", { conversationId: "c" }],
    ["another conversation", { ...mine, conversationId: "d" }],
  ])("%s with the same id and input is not answered with it, while it runs or afterwards", async (_, theirs) => {
    const go = Promise.withResolvers<string>();
    const agent = createAgent({ name: "a", model: scriptedModel([() => go.promise]) });
    const first = agent.run("go", { runId: "r", ...mine });
    const during = agent.run("go", { runId: "r", ...theirs });
    go.resolve("for alice only");
    const others = [await during, await agent.run("go", { runId: "r", ...theirs })];
    for (const other of others) expect(other).toMatchObject({ status: "failed", error: { code: "run_id_conflict" } });
    expect(JSON.stringify(others)).not.toContain("alice only");
    expect(await first).toMatchObject({ output: "for alice only" });
    expect(await agent.run("go", { runId: "r", ...mine })).toMatchObject({ output: "for alice only" });
  });
});

test("a resume while the run is going on joins it, but cannot change it", async () => {
  const go = Promise.withResolvers<string>();
  const agent = createAgent({ name: "a", model: scriptedModel([() => go.promise]) });
  const first = agent.run("go", { runId: "r" });
  expect(await agent.resume("r", { limits: { turns: 99 } })).toMatchObject({ error: { code: "run_active" } });
  const joined = agent.resume("r");
  go.resolve("done");
  expect(await joined).toBe(await first);
});

describe("lines nobody should go on with", () => {
  const withLine = async (line: string) => {
    const store = memoryStore();
    const agent = createAgent({ name: "a", store, model: scriptedModel([new AgentError("quota_exhausted", "x"), "done"]) });
    expect(await agent.run("go", { runId: "r" })).toMatchObject({ status: "failed", resumable: true });
    const lines = (await store.journal.load("r")) ?? [];
    const other = memoryStore();
    await other.journal.create({ runId: "r", agent: "a" }, [...lines, line]);
    return createAgent({ name: "a", store: other, model: scriptedModel(["done"]) }).resume("r");
  };
  test.each([
    ["a broken one", '{"type":"step.done","at":1,', "journal_corrupt"],
    ["one that is no entry", "7", "journal_corrupt"],
    ["an entry of a newer release", '{"type":"run.forked","at":1}', "journal_format_unknown"],
    ["a newer format", '{"type":"run.resumed","at":1,"format":2,"agentVersion":"0","caps":{}}', "journal_format_unknown"],
  ])("%s", async (_, line, code) => {
    expect(await withLine(line)).toMatchObject({ status: "failed", error: { code } });
  });
});

test("a failure that may pass is a stop: the same run goes on when it has passed; one that is a fact is an end", async () => {
  const outage = createAgent({
    name: "a",
    clock: autoClock(),
    model: scriptedModel([new TypeError("x"), new TypeError("x"), new TypeError("x"), "done"]),
  });
  expect(await outage.run("go", { runId: "r" })).toMatchObject({
    status: "failed",
    resumable: true,
    error: { code: "provider_unavailable" },
  });
  expect(await outage.run("go", { runId: "r" })).toMatchObject({ status: "failed", error: { code: "provider_unavailable" } });
  expect(await outage.resume("r")).toMatchObject({ status: "completed", resumable: false, usage: { modelCalls: 1, unreported: 3 } });
  const wrong = createAgent({ name: "a", model: scriptedModel([new AgentError("provider_rejected", "x"), "done"]) });
  expect(await wrong.run("go", { runId: "r" })).toMatchObject({ status: "failed", resumable: false });
  expect(await wrong.resume("r")).toMatchObject({ status: "failed", error: { code: "provider_rejected" } });
});

test("attempts are counted over all passes, and time in which nobody was on the run is nobody's", async () => {
  const clock = fakeClock();
  const store = memoryStore();
  const model = scriptedModel((_, __, call) => (call < 3 ? hang() : "done"));
  const options = { name: "a", clock, store, model, policy: { timeouts: { totalMs: 2_000 } } };
  const first = createAgent(options).run("go", { runId: "r" });
  await clock.advance(2_050);
  expect(await first).toMatchObject({ status: "partial", timings: { totalMs: 2_000 } });
  await clock.advance(3_600_000);
  const second = createAgent(options).resume("r", { timeouts: { totalMs: 3_000 } });
  await clock.advance(1_050);
  expect((await second).status).toBe("partial");
  const third = await createAgent(options).resume("r", { timeouts: { totalMs: 9_000 } });
  expect(third).toMatchObject({ status: "completed", usage: { modelCalls: 1, unreported: 2 } });
  expect(third.timings.totalMs).toBeLessThan(4_000);
  const entries = await createAgent(options).journal("r");
  expect(entries.flatMap((entry) => (entry.type === "attempt.started" ? [entry.attempt] : []))).toEqual([1, 2, 3]);
});

test("waiting for somebody to say what became of an act is in nobody's time", async () => {
  const clock = fakeClock();
  let known = false;
  const pay = tool({
    description: "d",
    effect: "pay",
    inputSchema: z.object({}),
    execute: () => Promise.reject(Object.assign(new Error("x"), { code: "ECONNRESET" })),
    reconcile: () => (known ? { status: "done", output: "paid" } : { status: "unknown" }),
  });
  const agent = createAgent({
    name: "a",
    clock,
    model: scriptedModel([{ calls: [{ name: "pay", arguments: {} }] }, "done"]),
    tools: { pay },
    policy: { timeouts: { totalMs: 2_000 } },
  });
  expect((await agent.run("go", { runId: "r" })).status).toBe("suspended");
  await clock.advance(3_600_000);
  known = true;
  expect(await agent.resume("r")).toMatchObject({ status: "completed", timings: { totalMs: 0 } });
});

test("a resumed stream does not show the stop it has left behind", async () => {
  const agent = createAgent({
    name: "a",
    model: scriptedModel([{ calls: [{ name: "t", arguments: {} }] }, "done"]),
    tools: { t: tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "x" }) },
    policy: { limits: { turns: 1 } },
  });
  await agent.run("go", { runId: "r" });
  const events: RunEvent[] = [];
  for await (const event of agent.resumeStream("r", { limits: { turns: 2 } })) events.push(event);
  expect(events.filter(({ type }) => type === "run.finished")).toMatchObject([{ status: "completed" }]);
  expect(events.map(({ type }) => type)).toContain("run.resumed");
});

test("a stale owner cannot write, even where nothing was written since", async () => {
  const { journal } = memoryStore();
  await journal.create({ runId: "r", agent: "a" }, ["one"]);
  const claim = await journal.claim("r");
  expect(claim).toEqual({ epoch: 2, lines: ["one"] });
  expect(() => journal.append("r", { epoch: 1, sequence: 1 }, ["stale"], "running")).toThrow(
    expect.objectContaining({ code: "journal_conflict" }),
  );
  expect(() => journal.append("r", { epoch: 2, sequence: 0 }, ["early"], "running")).toThrow(
    expect.objectContaining({ code: "journal_conflict" }),
  );
  await journal.append("r", { epoch: 2, sequence: 1 }, ["two"], "running");
  expect(await journal.load("r")).toEqual(["one", "two"]);
});

describe("a journal as a crash may leave it", () => {
  const pay = (inputSchema: z.ZodType<object>) => tool({ description: "d", effect: "pay", inputSchema, execute: () => "paid again" });
  const script = () =>
    scriptedModel(({ messages }) =>
      messages.some(({ role }) => role === "tool") ? "done" : { calls: [{ name: "pay", arguments: { eur: 5 } }] },
    );
  const lines = async () => {
    const store = memoryStore();
    await createAgent({ name: "a", store, model: script(), tools: { pay: pay(z.object({ eur: z.number() })) } }).run("go", { runId: "r" });
    return (await store.journal.load("r")) ?? [];
  };
  const resumed = async (left: readonly string[], inputSchema: z.ZodType<object>) => {
    const store = memoryStore();
    await store.journal.create({ runId: "r", agent: "a" }, left);
    return createAgent({ name: "a", store, model: script(), tools: { pay: pay(inputSchema) } }).resume("r");
  };

  test("an act that was begun and that new rules would refuse is in doubt, and not said to be not executed", async () => {
    const all = await lines();
    const begun = all.slice(0, all.findIndex((line) => line.includes('"attempt.started"') && line.includes('"pay"')) + 1);
    expect(await resumed(begun, z.object({ eur: z.number().max(1) }))).toMatchObject({
      status: "suspended",
      waitingFor: [{ kind: "in-doubt", tool: "pay" }],
    });
  });

  test("what is done stays done, whatever stands behind it", async () => {
    const all = await lines();
    const done = all.findIndex((line) => line.includes('"step.done"') && line.includes('"kind":"tool"'));
    const stray = all.find((line) => line.includes('"attempt.started"') && line.includes('"pay"')) ?? "";
    const result = await resumed([...all.slice(0, done + 1), stray], z.object({ eur: z.number() }));
    expect(result).toMatchObject({ status: "completed" });
    expect(result.messages.find(({ role }) => role === "tool")?.content).toBe("paid again");
    expect(result.usage.toolCalls).toBe(1);
  });
});
