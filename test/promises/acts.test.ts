// Promise 3 from the model's and the tool's side: what was done is not called undone, and nothing is done a second time by the back door.
import { AgentError, createAgent, memoryStore, tool, toolError } from "airworthy";
import { autoClock, fakeClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";

const empty = z.object({});
const calls = (...names: string[]) => ({ calls: names.map((name) => ({ name, arguments: {} })) });
const toolTexts = (result: { messages: readonly { role: string; content: unknown }[] }) =>
  result.messages.filter(({ role }) => role === "tool").map(({ content }) => String(content));

describe("a fallback is not asked", () => {
  const badly = { outputSchema: z.object({ ok: z.boolean() }), execute: (): unknown => "paid" };
  const onPurpose = { execute: (): unknown => Promise.reject(toolError("It is refunded already.")) };
  test.each([
    ["an act that was done and answered badly", badly, "tool_output_invalid"],
    ["a no that was said on purpose", onPurpose, "It is refunded already."],
  ])("after %s", async (_, options, told) => {
    const fallback = vi.fn((): unknown => "queued");
    const refund = tool({ description: "d", effect: "pay", repeat: "with-same-key", inputSchema: empty, fallback, ...options });
    const result = await createAgent({
      name: "a",
      clock: autoClock(),
      model: scriptedModel([calls("refund"), "done"]),
      tools: { refund },
    }).run("go");
    expect(fallback).not.toHaveBeenCalled();
    expect(toolTexts(result)[0]).toContain(told);
  });
});

test("a fallback acts under the key of the tool it stands in for", async () => {
  const keys: string[] = [];
  const refund = tool({
    description: "d",
    effect: "pay",
    repeat: "with-same-key",
    inputSchema: empty,
    execute: (_, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      throw new Error("down");
    },
    fallback: (_, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      return "queued";
    },
  });
  await createAgent({ name: "a", clock: autoClock(), model: scriptedModel([calls("refund"), "done"]), tools: { refund } }).run("go", {
    runId: "r",
  });
  expect(keys).toEqual(Array.from({ length: 4 }, () => "a/r/turn-1/tool/0"));
});

describe("a throw is the tool's word", () => {
  test.each([
    ["a temporary no", toolError("Declined for now.", { retryable: true })],
    ["an error of an agent inside", new AgentError("provider_unavailable", "x")],
    ["a cancel of an agent inside", new AgentError("cancelled", "x")],
    ["an error of its own store", new AgentError("journal_conflict", "x")],
    ["a plain error", new Error("x")],
    ["no error at all", JSON.parse('"x"')],
  ])("%s: the run goes on, the act is not made again", async (_, thrown) => {
    const execute = vi.fn(() => Promise.reject(thrown));
    const pay = tool({ description: "d", effect: "pay", inputSchema: empty, execute });
    const result = await createAgent({ name: "a", clock: autoClock(), model: scriptedModel([calls("pay"), "done"]), tools: { pay } }).run(
      "go",
    );
    expect(result.status).toBe("completed");
    expect(toolTexts(result)[0]).toContain("tool_failed");
    expect(execute).toHaveBeenCalledTimes(1);
  });

  test("a lost connection is silence, whatever it is wrapped in; one that was never made is not", async () => {
    const lost = new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNRESET" }) });
    const never = new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) });
    const run = (thrown: Error) => {
      const pay = tool({ description: "d", effect: "pay", inputSchema: empty, execute: () => Promise.reject(thrown) });
      return createAgent({ name: "a", model: scriptedModel([calls("pay"), "done"]), tools: { pay } }).run("go");
    };
    expect(await run(lost)).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt" }] });
    expect(await run(never)).toMatchObject({ status: "completed" });
  });
});

describe("what is said of a call without a result", () => {
  test("one that was begun may have taken effect; one that was not is said to be not executed", async () => {
    const clock = fakeClock();
    const started = Promise.withResolvers<void>();
    const pay = tool({
      description: "d",
      effect: "pay",
      inputSchema: empty,
      timeoutMs: 60_000,
      execute: () => (started.resolve(), new Promise(() => {})),
    });
    const agent = createAgent({ name: "a", clock, model: scriptedModel([calls("pay")]), tools: { pay } });
    const running = agent.run("go", { runId: "r" });
    await started.promise;
    await clock.advance(30_050);
    const result = await running;
    expect(toolTexts(result)[0]).toContain("may have taken effect");
    expect(JSON.stringify(await agent.run("go", { runId: "r" }))).toBe(JSON.stringify(result));
    const limited = await createAgent({
      name: "a",
      model: scriptedModel([calls("pay")]),
      tools: { pay },
      policy: { limits: { toolCalls: 0 } },
    }).run("go");
    expect(toolTexts(limited)[0]).toContain("was not executed");
  });

  test("an act that was looked up and not found is told as not done", async () => {
    const clock = fakeClock();
    const started = Promise.withResolvers<void>();
    const pay = tool({
      description: "d",
      effect: "pay",
      inputSchema: empty,
      timeoutMs: 1_000,
      reconcile: () => ({ status: "not-done" }),
      execute: (_, { signal }) => (
        started.resolve(), new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("given up"))))
      ),
    });
    const running = createAgent({ name: "a", clock, model: scriptedModel([calls("pay"), "done"]), tools: { pay } }).run("go");
    await started.promise;
    await clock.advance(1_050);
    expect(toolTexts(await running)[0]).toMatch(/tool_timeout.*nothing was done/);
  });
});

describe("an act that was left behind", () => {
  const leftBehind = async () => {
    const [store, clock] = [memoryStore(), fakeClock()];
    const [started, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
    const said: { word: "unknown" | "not-done" } = { word: "unknown" };
    const execute = vi.fn(() => (started.resolve(), finish.promise));
    const pay = tool({
      description: "d",
      effect: "pay",
      inputSchema: empty,
      timeoutMs: 1_000,
      reconcile: () => ({ status: said.word }),
      execute,
    });
    const options = { name: "a", clock, store, model: scriptedModel([calls("pay"), "done"]), tools: { pay } };
    const agent = createAgent(options);
    const running = agent.run("go", { runId: "r" });
    await started.promise;
    await clock.advance(1_100);
    expect(await running).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt" }] });
    said.word = "not-done";
    return { agent, options, execute, finish, clock };
  };

  test("may still happen: that it is not done yet is no leave to do it again", async () => {
    const { agent, execute } = await leftBehind();
    expect(await agent.resume("r")).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt", tool: "pay" }] });
    expect(execute).toHaveBeenCalledTimes(1);
  });

  test("and then went well has happened, whatever is looked up; one that failed may be made", async () => {
    const well = await leftBehind();
    well.finish.resolve("paid");
    await well.clock.advance(0);
    expect(await well.agent.resume("r")).toMatchObject({ status: "suspended" });
    expect(well.execute).toHaveBeenCalledTimes(1);

    const badly = await leftBehind();
    badly.finish.reject(new Error("no"));
    await badly.clock.advance(0);
    badly.execute.mockImplementation(() => Promise.resolve("paid"));
    expect(await badly.agent.resume("r")).toMatchObject({ status: "completed" });
    expect(badly.execute).toHaveBeenCalledTimes(2);
  });

  test("may take effect while it is looked up", async () => {
    const clock = fakeClock();
    const [started, go, asked, answer] = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const acts: string[] = [];
    const pay = tool({
      description: "d",
      effect: "pay",
      inputSchema: empty,
      timeoutMs: 1_000,
      execute: async () => {
        started?.resolve();
        await go?.promise;
        acts.push("paid");
        throw new Error("late");
      },
      reconcile: async () => {
        const seen = acts.length > 0;
        asked?.resolve();
        await answer?.promise;
        return seen ? { status: "done", output: "paid" } : { status: "not-done" };
      },
    });
    const running = createAgent({ name: "a", clock, model: scriptedModel([calls("pay"), "done"]), tools: { pay } }).run("go");
    await started?.promise;
    await clock.advance(1_050);
    await asked?.promise;
    go?.resolve();
    await clock.advance(0);
    answer?.resolve();
    expect(await running).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt" }] });
    expect(acts).toEqual(["paid"]);
  });

  test("is one of two: that the first came to nothing says nothing of the second", async () => {
    const clock = fakeClock();
    const attempts = Array.from({ length: 3 }, () => Promise.withResolvers<string>());
    let tried = 0;
    const pay = tool({
      description: "d",
      effect: "pay",
      repeat: "with-same-key",
      inputSchema: empty,
      timeoutMs: 1_000,
      retry: { attempts: 3 },
      execute: () => attempts[tried++]?.promise,
      reconcile: () => ({ status: "not-done" }),
    });
    const agent = createAgent({ name: "a", clock, model: scriptedModel([calls("pay"), "done"]), tools: { pay } });
    const running = agent.run("go", { runId: "r" });
    while (tried < attempts.length) await clock.advance(50);
    attempts[0]?.reject(new Error("no"));
    await clock.advance(0);
    attempts[2]?.reject(Object.assign(new Error("x"), { code: "ECONNRESET" }));
    expect(toolTexts(await running)[0]).not.toContain("nothing was done");
    const notes = (await agent.journal("r")).flatMap((entry) => (entry.type === "note" ? [entry.note] : []));
    expect(notes).toEqual(["detached", "detached", "late-result"]);
  });

  test.each(["block", "escalate"] as const)("is not called refused by a rule that came later: %s", async (verdict) => {
    const { options, execute } = await leftBehind();
    const guardrails = { toolInput: [{ name: "g", check: () => ({ verdict, message: "no" }) }] };
    const stricter = createAgent({ ...options, guardrails });
    expect(await stricter.resume("r")).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt" }] });
    expect(execute).toHaveBeenCalledTimes(1);
  });
});

test("nothing is said to be not done while an earlier attempt of this pass goes on", async () => {
  const clock = fakeClock();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let tries = 0;
  const pay = tool({
    description: "d",
    effect: "pay",
    repeat: "with-same-key",
    inputSchema: empty,
    timeoutMs: 1_000,
    retry: { attempts: 2 },
    reconcile: () => ({ status: "not-done" }),
    execute: (): Promise<string> => {
      tries += 1;
      if (tries === 1) return first.resolve(), new Promise(() => {});
      second.resolve();
      return Promise.reject(Object.assign(new Error("x"), { code: "ECONNRESET" }));
    },
  });
  const running = createAgent({ name: "a", clock, model: scriptedModel([calls("pay"), "done"]), tools: { pay } }).run("go");
  await first.promise;
  await clock.advance(1_100);
  await clock.advance(1_000);
  await second.promise;
  expect(toolTexts(await running)[0]).not.toContain("nothing was done");
});

test("a call that a rule refused has no fallback either", async () => {
  const fallback = vi.fn((): unknown => "queued");
  const pay = tool({ description: "d", effect: "pay", inputSchema: empty, fallback, execute: () => "paid" });
  const guardrails = { toolInput: [{ name: "g", check: () => ({ verdict: "block", message: "no" }) as const }] };
  const agent = createAgent({ name: "a", model: scriptedModel([calls("pay"), "done"]), tools: { pay }, guardrails });
  expect(toolTexts(await agent.run("go", { runId: "r" }))[0]).toContain("guardrail_blocked");
  expect(fallback).not.toHaveBeenCalled();
  const steps = (await agent.journal("r")).flatMap((entry) => (entry.type === "step.done" ? [entry.key] : []));
  expect(steps).toEqual(["turn-1/model/0", "turn-1/tool/0", "turn-2/model/0"]);
});

describe("a reconcile", () => {
  test.each([
    ["throws", () => Promise.reject(new Error("x"))],
    ["answers garbage", () => JSON.parse("null")],
    ["hangs", () => new Promise<never>(() => {})],
  ])("that %s knows nothing: the run waits, and settles in time", async (_, reconcile) => {
    const clock = fakeClock();
    const started = Promise.withResolvers<void>();
    const pay = tool({
      description: "d",
      effect: "pay",
      inputSchema: empty,
      timeoutMs: 1_000,
      reconcile,
      execute: () => (started.resolve(), new Promise(() => {})),
    });
    const running = createAgent({ name: "a", clock, model: scriptedModel([calls("pay"), "done"]), tools: { pay } }).run("go");
    await started.promise;
    await clock.advance(2_100);
    expect(await running).toMatchObject({ status: "suspended" });
    expect(clock.pending).toBe(0);
  });
});

test("a cancel while a result is being looked at loses nothing: the act is recorded, and a resume does not do it again", async () => {
  const clock = fakeClock();
  const store = memoryStore();
  const pay = vi.fn(() => "paid");
  const looking = Promise.withResolvers<void>();
  let patient = false;
  const slow = {
    name: "slow",
    timeoutMs: 60_000,
    check: () => (looking.resolve(), patient ? { verdict: "pass" as const } : new Promise<never>(() => {})),
  };
  const agent = createAgent({
    name: "a",
    clock,
    store,
    model: scriptedModel([calls("pay"), "done"]),
    tools: { pay: tool({ description: "d", effect: "pay", inputSchema: empty, execute: pay }) },
    guardrails: { toolOutput: [slow] },
  });
  const running = agent.run("go", { runId: "r" });
  await looking.promise;
  await clock.advance(30_050);
  expect((await running).status).toBe("partial");
  patient = true;
  const resumed = await agent.resume("r", { timeouts: { totalMs: 90_000 } });
  expect(resumed).toMatchObject({ status: "completed", usage: { toolCalls: 1 } });
  expect(toolTexts(resumed)).toEqual(["paid"]);
  expect(pay).toHaveBeenCalledTimes(1);
});

describe("other code on a resume", () => {
  const script = () =>
    scriptedModel(({ messages }) => (messages.some(({ role }) => role === "tool") ? "done" : calls("find")), { id: "one" });
  const find = tool({ description: "d", effect: "read", inputSchema: empty, execute: () => "x" });
  const other = tool({ description: "d", effect: "read", inputSchema: empty, execute: () => "y" });

  test("that takes other steps does not end the run: the code that fits can still go on with it", async () => {
    const store = memoryStore();
    const tools = { find, other };
    const limits = { policy: { limits: { turns: 1 } } };
    await createAgent({ name: "a", store, model: script(), tools, ...limits }).run("go", { runId: "r" });
    const lines = (await store.journal.load("r")) ?? [];
    const swapped = memoryStore();
    await swapped.journal.create(
      { runId: "r", agent: "a" },
      lines.map((line) =>
        line
          .replaceAll('"name":"find"', '"name":"other"')
          .replace('"key":"turn-1/tool/0","kind":"tool","name":"other"', '"key":"turn-1/tool/0","kind":"tool","name":"find"'),
      ),
    );
    const diverged = await createAgent({ name: "a", store: swapped, model: script(), tools }).resume("r", { limits: { turns: 9 } });
    expect(diverged).toMatchObject({ status: "failed", error: { code: "step_diverged" } });
    expect((await swapped.journal.load("r"))?.at(-1)).not.toContain("run.ended");
    expect(await createAgent({ name: "a", store, model: script(), tools }).resume("r", { limits: { turns: 9 } })).toMatchObject({
      status: "completed",
    });
  });

  test("that has another model, prompt or guardrail goes on", async () => {
    const store = memoryStore();
    await createAgent({ name: "a", store, model: script(), tools: { find }, policy: { limits: { turns: 1 } } }).run("go", { runId: "r" });
    const model = scriptedModel(["from the other"], { id: "two" });
    const changed = createAgent({
      name: "a",
      store,
      model,
      tools: { find },
      instructions: "New.",
      guardrails: { toolOutput: [{ name: "g", check: () => ({ verdict: "pass" }) }] },
    });
    expect(await changed.resume("r", { limits: { turns: 9 } })).toMatchObject({ status: "completed", output: "from the other" });
    expect(await createAgent({ name: "a", store, model: script(), tools: { find } }).run("go", { runId: "r" })).toMatchObject({
      status: "completed",
      output: "from the other",
    });
  });
});

describe("code of the user's that never settles", () => {
  const never = () => new Promise<never>(() => {});
  test.each([
    ["instructions", { instructions: never }],
    ["a stage", { stages: { context: never } }],
    ["middleware around a stage", { use: [{ stage: never }] }],
    ["middleware around a model", { use: [{ model: never }] }],
    [
      "a schema",
      {
        tools: {
          t: tool({
            description: "d",
            inputSchema: { "~standard": { version: 1, vendor: "x", validate: never } } as const,
            inputJsonSchema: { type: "object" },
            execute: () => "",
          }),
        },
      },
    ],
  ])("%s cannot hold the run: it settles within 50 ms of the deadline", async (_, options) => {
    const clock = fakeClock();
    const running = createAgent({ name: "a", clock, model: scriptedModel([calls("t"), "x"]), ...options }).run("go");
    await clock.advance(30_050);
    expect(await running).toMatchObject({ status: "partial", error: { code: "deadline_exceeded" } });
    expect(clock.pending).toBe(0);
  });
});
