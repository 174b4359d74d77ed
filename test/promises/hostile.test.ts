// Code of others at its worst: tools, models, middleware, guardrails, schemas and stores that break their contracts. The promises hold.
import {
  AgentError,
  createAgent,
  type Middleware,
  type Model,
  memoryStore,
  type RunEvent,
  type Store,
  textOf,
  tool,
  toolError,
  type Usage,
} from "airworthy";
import { openai } from "airworthy/openai";
import { autoClock, fakeClock, scriptedModel, simulatedProvider } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const id = z.object({ id: z.string() });
const call = (name: string, argument: object | string = { id: "1" }) => ({ calls: [{ name, arguments: argument }] });
const say = (text: string) => ({ message: { role: "assistant", content: [{ type: "text", text }] }, finishReason: "stop" }) as const;
const garbage = <T>(value: unknown): T => JSON.parse(JSON.stringify({ value })).value;
const toolTexts = (result: { messages: readonly { role: string; content: unknown }[] }) =>
  result.messages.filter(({ role }) => role === "tool").map(({ content }) => String(content));
const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe("text", () => {
  test.each([false, true])(
    "that was shown is never followed by another attempt, also after a time-out (real HTTP, held: %s)",
    async (held) => {
      await using provider = await simulatedProvider({
        scenario: [{ fault: "stall", deltas: ["Your refund ", "is done."], afterChunks: 3 }, { text: "Nothing was refunded." }],
      });
      const model = openai("gpt-5-mini", { apiKey: "none", baseURL: provider.baseURL });
      const pass = { name: "g", check: () => ({ verdict: "pass" as const }) };
      const stream = createAgent({
        name: "a",
        model,
        policy: { timeouts: { stepMs: 300 } },
        guardrails: { output: held ? [pass] : [] },
      }).stream("x");
      let seen = "";
      for await (const event of stream) if (event.type === "text.delta") seen += event.text;
      const result = await stream.result;
      const interrupted = { status: "failed", error: { code: "stream_interrupted", details: { reason: "step_timeout" } } };
      expect(result).toMatchObject(held ? { status: "completed", output: seen } : interrupted);
      expect([seen, provider.count]).toEqual(held ? ["Nothing was refunded.", 2] : ["Your refund is done.", 1]);
    },
  );

  test("of a model that talks on after its answer, or its failure, is heard by nobody", async () => {
    const script = scriptedModel([new AgentError("provider_unavailable", "x"), "new text"]);
    const talking: Model = {
      provider: "p",
      id: "m",
      call: (request, context) => script.call(request, context).finally(() => void setImmediate(() => context.onText?.("[late]"))),
    };
    const events: RunEvent[] = [];
    for await (const event of createAgent({ name: "a", clock: autoClock(), model: talking }).stream("x")) events.push(event);
    await turns();
    expect(JSON.stringify(events)).not.toContain("late");
    expect(events.at(-1)?.type).toBe("run.finished");
  });
});

describe("middleware", () => {
  test("that asks for the step after it has answered gets nothing done any more", async () => {
    let acts = 0;
    let later: () => Promise<unknown> = () => Promise.resolve();
    const cached: Middleware = {
      tool: (_, next) => {
        later = next;
        return Promise.resolve({ status: "done", value: { content: "cached" } });
      },
    };
    const pay = tool({ description: "d", effect: "pay", inputSchema: id, execute: () => ++acts });
    const agent = createAgent({ name: "a", model: scriptedModel([call("pay"), "done"]), tools: { pay }, use: [cached] });
    const result = await agent.run("x", { runId: "r" });
    expect(await later()).toMatchObject({ status: "failed", error: { code: "middleware_failed" } });
    expect(acts).toBe(0);
    expect(JSON.stringify(await agent.run("x", { runId: "r" }))).toBe(JSON.stringify(result));
  });

  const outcomes = [
    { status: "banana" },
    { status: "halted" },
    { status: "failed" },
    { status: "failed", error: {} },
    { status: "suspended" },
    { status: "done" },
    { status: "done", value: 7 },
    "done",
    null,
  ];
  test.each(outcomes.flatMap((outcome) => (["model", "tool"] as const).map((around) => ({ around, outcome }))))(
    "around a $around that answers $outcome has failed",
    async ({ around, outcome }) => {
      const use: Middleware[] = [{ [around]: () => Promise.resolve(garbage(outcome)) }];
      const t = tool({ description: "d", inputSchema: id, execute: () => "x" });
      const agent = createAgent({ name: "a", model: scriptedModel([call("t"), "done"]), tools: { t }, use });
      expect(await agent.run("x", { runId: "r" })).toMatchObject({ status: "failed", error: { code: "middleware_failed" } });
      expect(await agent.run("x", { runId: "r" })).toMatchObject({ status: "failed", error: { code: "middleware_failed" } });
    },
  );

  test("cannot change what is asked, nor who asks", async () => {
    const meddling: Middleware = {
      model: ({ request, run }, next) => {
        expect(() => Reflect.apply(Array.prototype.push, request.messages, ["INJECTED"])).toThrow(TypeError);
        expect(Reflect.set(request.messages[0] ?? {}, "content", "CHANGED")).toBe(false);
        expect(Reflect.set(run.user ?? {}, "id", "root")).toBe(false);
        return next();
      },
    };
    const model = scriptedModel(["fine"]);
    const user = { id: "u", roles: ["user"] };
    expect(await createAgent({ name: "a", model, use: [meddling] }).run("x", { user })).toMatchObject({ status: "completed" });
    expect(model.requests[0]?.messages).toEqual([{ role: "user", content: "x" }]);
    expect(user).toEqual({ id: "u", roles: ["user"] });
  });
});

describe("a run that is left where it stood", () => {
  test("tells what its steps have come to, the same on every pass", async () => {
    const { journal } = memoryStore();
    const written = Promise.withResolvers<void>();
    const clock = fakeClock();
    const cancel = new AbortController();
    const append: Store["journal"]["append"] = async (...args) => {
      const [, , lines] = args;
      if (lines.some((line) => line.includes('"step.done"') && line.includes('"tool"'))) {
        cancel.abort();
        await written.promise;
      }
      return journal.append(...args);
    };
    const pay = tool({ description: "d", effect: "pay", inputSchema: id, execute: () => "paid" });
    const agent = createAgent({
      name: "a",
      clock,
      store: { journal: { ...journal, append } },
      model: scriptedModel([call("pay"), "x"]),
      tools: { pay },
    });
    const running = agent.run("x", { runId: "r", signal: cancel.signal });
    await turns();
    await clock.advance(35);
    written.resolve();
    const result = await running;
    expect(result.status).toBe("cancelled");
    expect(toolTexts(result)).toEqual(["paid"]);
    expect(JSON.stringify(await agent.run("x", { runId: "r" }))).toBe(JSON.stringify(result));
  });

  test("by middleware that never comes back: what was begun may have taken effect", async () => {
    const clock = fakeClock();
    const cancel = new AbortController();
    const hanging: Middleware = { tool: async (_, next) => (await next(), cancel.abort(), new Promise<never>(() => {})) };
    const pay = tool({ description: "d", effect: "pay", inputSchema: id, execute: () => "paid" });
    const agent = createAgent({ name: "a", clock, model: scriptedModel([call("pay"), "x"]), tools: { pay }, use: [hanging] });
    const running = agent.run("x", { runId: "r", signal: cancel.signal });
    await clock.advance(50);
    const result = await running;
    expect(toolTexts(result)[0]).toContain("may have taken effect");
    expect(JSON.stringify(await agent.run("x", { runId: "r" }))).toBe(JSON.stringify(result));
  });
});

describe("a schema", () => {
  // Not a Promise, and awaited all the same: of another realm, or of a library.
  const thenable = (value: unknown) => Object.defineProperty({}, "then", { value: (resolve: (given: unknown) => void) => resolve(value) });
  test.each([
    ["a thenable that says no", thenable({ issues: [{ message: "bad" }] })],
    ["nothing", undefined],
    ["no issues that are a list", { issues: "bad" }],
    ["an empty list of issues", { issues: [] }],
    ["neither value nor issues", {}],
  ])("that answers %s lets nothing through", async (_, answer) => {
    let acts = 0;
    const validate = (): { value: unknown } => Object.assign(Object(answer), {});
    const inputSchema = {
      "~standard": { version: 1, vendor: "own", validate: answer === undefined ? () => garbage<{ value: unknown }>(null) : validate },
    } as const;
    const pay = tool({ description: "d", inputSchema, inputJsonSchema: { type: "object" }, execute: () => ++acts });
    const result = await createAgent({ name: "a", model: scriptedModel([call("pay"), "done"]), tools: { pay } }).run("x");
    expect(toolTexts(result)[0]).toContain("tool_input_invalid");
    expect(acts).toBe(0);
  });

  test("that answers a thenable is waited for", async () => {
    const validate = (): { value: unknown } => Object.assign(Object(thenable({ value: { n: 1 } })), {});
    const inputSchema = { "~standard": { version: 1, vendor: "own", validate } } as const;
    const t = tool({ description: "d", inputSchema, inputJsonSchema: { type: "object" }, execute: (input) => input });
    const result = await createAgent({ name: "a", model: scriptedModel([call("t"), "done"]), tools: { t } }).run("x");
    expect(toolTexts(result)).toEqual(['{"n":1}']);
  });

  test.each([
    ["arguments nested without end", `{"a":${"[".repeat(3000)}${"]".repeat(3000)}}`],
    ["two hundred thousand errors", JSON.stringify({ list: Array.from({ length: 200_000 }, () => "x") })],
  ])("and %s: the model is told, and in few words", async (_, sent) => {
    const raw = { type: "object", properties: { list: { type: "array", items: { type: "number" } }, a: { type: "number" } } };
    const t = tool({ description: "d", inputSchema: raw, execute: () => "x" });
    const result = await createAgent({ name: "a", model: scriptedModel([call("t", sent), "done"]), tools: { t } }).run("x");
    expect(result.status).toBe("completed");
    expect(toolTexts(result)[0]).toContain("tool_input_invalid");
    expect(toolTexts(result)[0]?.length).toBeLessThan(5_000);
  });
});

describe("text of any length and shape", () => {
  test("takes time in proportion", async () => {
    const fence = `\`\`\`json${"\n".repeat(200_000)}x`;
    expect(
      await createAgent({ name: "a", model: scriptedModel([fence, '{"a":1}']), output: z.object({ a: z.number() }) }).run("x"),
    ).toMatchObject({ status: "completed" });
    const replaced = tool({
      description: "d",
      effect: "read",
      inputSchema: id,
      maxResultBytes: 500_000,
      execute: () => `${"\uFFFD".repeat(100_000)}${"a".repeat(600_000)}`,
    });
    expect(await createAgent({ name: "a", model: scriptedModel([call("replaced"), "x"]), tools: { replaced } }).run("x")).toMatchObject({
      status: "completed",
    });
  });
});

describe("a guardrail", () => {
  const verdicts = [
    { verdict: "block", code: "cancelled", message: "m" },
    { verdict: "block", code: "deadline_exceeded", message: "m" },
    { verdict: "block", code: "typo", message: "m" },
    { verdict: "block", message: "m", reask: 5 },
    { verdict: "pass", findings: [{ score: 1 }] },
    { verdict: "pass", findings: [null] },
  ];
  test.each(verdicts)("that answers %j has failed", async (verdict) => {
    const agent = createAgent({
      name: "a",
      model: scriptedModel(["x"]),
      guardrails: { output: [{ name: "g", check: () => garbage(verdict) }] },
    });
    expect(await agent.run("x")).toMatchObject({ status: "refused", error: { code: "guardrail_failed" } });
  });

  test("with a number JSON cannot hold has failed too", async () => {
    const check = () => ({ verdict: "pass" as const, findings: [{ kind: "k", score: Number.NaN }] });
    const agent = createAgent({ name: "a", model: scriptedModel(["x"]), guardrails: { output: [{ name: "g", check }] } });
    expect(await agent.run("x")).toMatchObject({ status: "refused", error: { code: "guardrail_failed" } });
  });

  test("cannot be taken away from an agent that is made", async () => {
    const input = [{ name: "g", check: () => ({ verdict: "block" as const, message: "no" }) }];
    const agent = createAgent({ name: "a", model: scriptedModel(["x"]), guardrails: { input } });
    input.length = 0;
    expect((await agent.run("x")).status).toBe("refused");
  });
});

describe("a tool", () => {
  const odd = () => {
    const error = new Error("x");
    Object.defineProperty(error, "message", {
      get: () => {
        throw new Error("look not");
      },
    });
    return error;
  };
  test.each([
    ["an error that cannot be looked at", odd()],
    ["a symbol", Symbol("x")],
    ["an error of a newer copy of the package", Object.assign(new AgentError("tool_failed", "x"), { code: "of_tomorrow" })],
  ])("that throws %s has failed, and the run goes on", async (_, thrown) => {
    const t = tool({
      description: "d",
      effect: "read",
      inputSchema: id,
      retry: { attempts: 1 },
      execute: () => {
        throw thrown;
      },
    });
    const result = await createAgent({ name: "a", model: scriptedModel([call("t"), "done"]), tools: { t } }).run("x");
    expect(result.status).toBe("completed");
    expect(toolTexts(result)[0]).toContain("tool_failed");
  });

  test("that changes what it is given is given the same again", async () => {
    const seen: number[] = [];
    const pay = tool({
      description: "d",
      effect: "pay",
      repeat: "with-same-key",
      inputSchema: z.object({ eur: z.number() }),
      execute: (input) => {
        input.eur *= 100;
        seen.push(input.eur);
        throw new Error("x");
      },
    });
    await createAgent({ name: "a", clock: autoClock(), model: scriptedModel([call("pay", { eur: 5 }), "x"]), tools: { pay } }).run("x");
    expect(seen).toEqual([500, 500, 500]);
  });

  test("whose every error is long tells the model little; a call that fails again and again is warned about", async () => {
    const t = tool({
      description: "d",
      effect: "read",
      inputSchema: id,
      retry: { attempts: 1 },
      execute: () => {
        throw toolError("z".repeat(1e6));
      },
    });
    const result = await createAgent({ name: "a", model: scriptedModel(() => call("t")), tools: { t } }).run("x");
    expect(Math.max(...toolTexts(result).map(({ length }) => length))).toBeLessThan(5_000);
    expect(toolTexts(result).map((text) => text.includes("several times"))).toEqual([false, false, true, true, false]);
  });

  test("of two agents under one request id acts under two keys, and a fallback's breaker is its own", async () => {
    const keys: string[] = [];
    const pay = tool({ description: "d", inputSchema: id, execute: (_, { idempotencyKey }) => void keys.push(idempotencyKey) });
    for (const name of ["triage", "refunds"])
      await createAgent({ name, model: scriptedModel([call("pay"), "x"]), tools: { pay } }).run("x", { runId: "request-1" });
    expect(new Set(keys).size).toBe(2);

    let real = 0;
    const failing = (fallback?: () => string) =>
      tool({
        description: "d",
        effect: "read",
        inputSchema: id,
        retry: { attempts: 1 },
        execute: () => {
          throw new Error("x");
        },
        ...(fallback ? { fallback } : {}),
      });
    const queue = tool({ description: "d", effect: "read", inputSchema: id, execute: () => ++real });
    const namesake = {
      queue: (): string => {
        throw new Error("y");
      },
    };
    const broken = failing(namesake.queue);
    const model = scriptedModel(({ messages }) =>
      messages.some(({ role }) => role === "tool") ? "x" : call(textOf(messages.at(-1) ?? { role: "user", content: "" })),
    );
    const agent = createAgent({ name: "a", tools: { queue, broken }, model, resilience: { breaker: { failures: 3, withinMs: 60_000 } } });
    for (let run = 0; run < 4; run++) await agent.run("broken");
    await agent.run("queue");
    expect(real).toBe(1);
  });

  test("looked up by a reconcile answers what its outputSchema allows, or is not used", async () => {
    const clock = fakeClock();
    const options = {
      description: "d",
      effect: "pay",
      repeat: "with-same-key",
      inputSchema: id,
      timeoutMs: 30,
      retry: { attempts: 1 },
    } as const;
    let queued = 0;
    const never = (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<string>((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("given up"))));
    const refund = tool({ ...options, reconcile: () => ({ status: "done", output: "paid" }), fallback: () => ++queued, execute: never });
    const liar = tool({
      ...options,
      outputSchema: z.object({ ok: z.boolean() }),
      reconcile: () => ({ status: "done", output: "paid" }),
      execute: never,
    });
    const both = {
      calls: [
        { name: "refund", arguments: { id: "1" } },
        { name: "liar", arguments: { id: "1" } },
      ],
    };
    const running = createAgent({ name: "a", clock, model: scriptedModel([both, "x"]), tools: { refund, liar } }).run("x");
    await clock.advance(200);
    expect(toolTexts(await running)).toEqual(["paid", expect.stringContaining("tool_output_invalid")]);
    expect(queued).toBe(0);
  });
});

describe("a model", () => {
  test.each([
    [{ inputTokens: Number.NaN, outputTokens: 3 }, 3],
    [{ inputTokens: -5 }, undefined],
    [garbage<Usage>({ inputTokens: "7" }), undefined],
  ])("that reports %j loses no answer", async (usage, outputTokens) => {
    const model = { provider: "p", id: "m", call: () => Promise.resolve({ ...say("fine"), usage }) };
    const result = await createAgent({ name: "a", model }).run("x");
    expect(result).toMatchObject({ status: "completed", output: "fine" });
    expect([result.usage.inputTokens, result.usage.outputTokens]).toEqual([undefined, outputTokens]);
  });
});

describe("a store that hangs", () => {
  const never = () => new Promise<never>(() => {});
  test("while a run is opened holds nobody past a cancel", async () => {
    const clock = fakeClock();
    const cancel = new AbortController();
    const store = { journal: { ...memoryStore().journal, load: never } };
    const running = createAgent({ name: "a", clock, store, model: scriptedModel([]) }).run("x", { runId: "r", signal: cancel.signal });
    cancel.abort();
    await clock.advance(50);
    expect(await running).toMatchObject({ status: "cancelled" });
    expect(clock.pending).toBe(0);
  });

  test.each([5, 500])("and a run that is opened %i turns after the cancel is closed as cancelled all the same", async (count) => {
    const clock = fakeClock();
    const cancel = new AbortController();
    const { journal } = memoryStore();
    const store: Store = { journal: { ...journal, create: async (...args) => (await turns(count), journal.create(...args)) } };
    const agent = createAgent({ name: "a", clock, store, model: scriptedModel([]) });
    const running = agent.run("x", { runId: "r", signal: cancel.signal });
    cancel.abort();
    if (count > 100) await clock.advance(50);
    expect(await running).toMatchObject({ status: "cancelled" });
    await turns(1_000);
    expect(await agent.run("x", { runId: "r" })).toMatchObject({ status: "cancelled" });
  });

  test("while a run is written holds nobody for ever", async () => {
    const clock = fakeClock();
    const store = { journal: { ...memoryStore().journal, append: never } };
    const running = createAgent({ name: "a", clock, store, model: scriptedModel([]) }).run("x");
    await clock.advance(60_000);
    expect(await running).toMatchObject({ status: "failed", error: { code: "journal_unavailable" }, resumable: true });
    expect(clock.pending).toBe(0);
  });
});

test("whoever joined a run stops waiting when their own signal aborts; the run goes on", async () => {
  const go = Promise.withResolvers<string>();
  const agent = createAgent({ name: "a", model: scriptedModel([() => go.promise]) });
  const first = agent.run("x", { runId: "r" });
  const leave = new AbortController();
  const joined = agent.run("x", { runId: "r", signal: leave.signal });
  leave.abort();
  expect(await joined).toMatchObject({ status: "cancelled" });
  go.resolve("done");
  expect(await first).toMatchObject({ status: "completed" });
});

test("an act in doubt is not forgotten for an escalation beside it", async () => {
  const lost = Object.assign(new Error("x"), { code: "ECONNRESET" });
  const pay = tool({ description: "d", effect: "pay", inputSchema: id, execute: () => Promise.reject(lost) });
  const odd = tool({ description: "d", effect: "read", inputSchema: id, execute: () => "odd" });
  const both = {
    calls: [
      { name: "pay", arguments: { id: "1" } },
      { name: "odd", arguments: { id: "1" } },
    ],
  };
  const guardrail = {
    name: "g",
    check: ({ text }: { text: string }) => (text === "odd" ? { verdict: "escalate" as const, message: "m" } : { verdict: "pass" as const }),
  };
  const agent = createAgent({ name: "a", model: scriptedModel([both]), tools: { pay, odd }, guardrails: { toolOutput: [guardrail] } });
  expect(await agent.run("x")).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt", tool: "pay" }] });
});

test("an iterator that was left gives nothing more, and one that was never started cancels as well", async () => {
  const stream = createAgent({ name: "a", model: scriptedModel([{ deltas: ["a", "b"] }]) }).stream("x");
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.return?.();
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  const other = createAgent({ name: "a", model: scriptedModel([() => new Promise<never>(() => {})]) }).stream("x");
  await other.textStream[Symbol.asyncIterator]().return?.();
  expect((await other.result).status).toBe("cancelled");
});

test("a conversation goes on with what the last run answered, without its instructions piling up", async () => {
  const model = scriptedModel(["one", "two", "three"]);
  const agent = createAgent({ name: "a", model, instructions: "Be kind." });
  let messages = (await agent.run("1")).messages;
  for (const said of ["2", "3"]) ({ messages } = await agent.run([...messages, { role: "user", content: said }]));
  expect(model.requests[2]?.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user", "assistant", "user"]);
});
