// Mistakes are found when the agent is made or the run is asked for: a clear error with a code, before anything is spent or written.
import { type AgentOptions, createAgent, memoryStore, type RunInput, type RunOptions, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

const fine = { name: "a", model: scriptedModel([]) };
/** Options as plain JavaScript could pass them. */
const wrong = <T>(value: object): T => JSON.parse(JSON.stringify(value), (_, item: unknown) => (item === "<function>" ? () => "x" : item));

describe("createAgent refuses", () => {
  test.each<[string, object, RegExp]>([
    ["an unknown option", { nmae: "x" }, /knows no option "nmae"/],
    ["no name", { name: "" }, /"name"/],
    ["no model", { model: {} }, /needs a model/],
    ["an unknown policy", { policy: { budgets: {} } }, /knows no option "budgets"/],
    ["a negative limit", { policy: { limits: { turns: -1 } } }, /"turns"/],
    ["half a turn", { policy: { limits: { turns: 1.5 } } }, /"turns"/],
    ["an unknown limit", { policy: { limits: { steps: 1 } } }, /"steps"/],
    ["a time of zero", { policy: { timeouts: { totalMs: 0 } } }, /"totalMs"/],
    ["a timer it does not have", { policy: { timeouts: { toolMs: 1 } } }, /"toolMs"/],
    ["zero attempts", { resilience: { retry: { attempts: 0 } } }, /"attempts"/],
    ["a breaker that cannot open", { resilience: { breaker: { failures: 20, of: 10 } } }, /circuit breaker/],
    ["a guardrail at no point", { guardrails: { inputs: [] } }, /"inputs"/],
    ["a guardrail that cannot check", { guardrails: { input: [{ name: "g" }] } }, /check function/],
    ["an unknown stage", { stages: { plan: "<function>" } }, /"plan"/],
    ["middleware that is not one", { use: [{ models: "<function>" }] }, /"models"/],
    ["middleware that is nothing", { use: [null] }, /middleware/],
    ["middleware that is a function", { use: ["<function>"] }, /middleware/],
    ["a model without a name", { model: { call: "<function>" } }, /id and a provider/],
    ["a store that cannot write", { store: { journal: {} } }, /"store"/],
    ["a clock without time", { clock: {} }, /"clock"/],
    ["an unknown setting", { settings: { temprature: 1 } }, /"temprature"/],
    ["an unknown breaker option", { resilience: { breaker: { bogus: 1 } } }, /"bogus"/],
    ["a warning after the stop", { policy: { limits: { identicalCalls: { warnAt: 6, stopAt: 5 } } } }, /warn/],
    ["a tool that was not made by tool()", { tools: { find: { description: "d" } } }, /wrap it: find: tool/],
  ])("%s", (_, option, message) => {
    expect(() => createAgent({ ...fine, ...wrong<Partial<AgentOptions>>(option) })).toThrow(
      expect.objectContaining({ code: "configuration_invalid", message: expect.stringMatching(message) }),
    );
  });

  test("a tool name no provider takes", () => {
    const find = tool({ description: "d", inputSchema: z.object({}), execute: () => "" });
    expect(() => createAgent({ ...fine, tools: { "find order": find } })).toThrow(/find order/);
  });
});

describe("tool refuses", () => {
  const base = { description: "d", inputSchema: { type: "object" }, execute: () => "x" };
  test.each<[string, object, RegExp]>([
    ["no description", { description: "" }, /description/],
    ["no schema", { inputSchema: null }, /inputSchema/],
    ["a schema that is no object", { inputSchema: { type: "string" } }, /type "object"/],
    ["an unknown effect", { effect: "look" }, /"effect"/],
    ["an unknown repeat", { repeat: "twice" }, /"repeat"/],
    ["retries of an act that must not be repeated", { effect: "pay", retry: { attempts: 2 } }, /with-same-key/],
    ["a time-out of nothing", { timeoutMs: 0 }, /timeoutMs/],
    ["half an attempt", { effect: "read", retry: { attempts: 1.5 } }, /"attempts"/],
    ["an unknown option", { timeout: 5 }, /"timeout"/],
    ["a fallback that is none", { fallback: "queue" }, /fallback/],
    ["an unknown retry option", { retry: { attempt: 5 } }, /"attempt"/],
    ["a reconcile that is none", { reconcile: "x" }, /"reconcile"/],
    ["a loopKey that is none", { loopKey: true }, /"loopKey"/],
    ["a description that is none", { description: 5 }, /"description"/],
    [
      "a raw schema that refers to nowhere",
      { inputSchema: { type: "object", properties: { a: { $ref: "#/definitions/nope" } } } },
      /JSON Schema/,
    ],
    [
      "a raw schema with a broken pattern",
      { inputSchema: { type: "object", properties: { a: { type: "string", pattern: "(" } } } },
      /JSON Schema/,
    ],
  ])("%s", (_, option, message) => {
    expect(() => tool({ ...base, ...wrong<object>(option) })).toThrow(
      expect.objectContaining({ code: "configuration_invalid", message: expect.stringMatching(message) }),
    );
  });

  test.each([null, undefined, "tool", []])("%j in place of options", (options) => {
    expect(() => tool(JSON.parse(JSON.stringify({ options })).options)).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
  });

  test("tools in a Map, which nobody would see", () => {
    const tools = wrong<AgentOptions["tools"]>({});
    expect(() => createAgent({ ...fine, tools: Object.assign(new Map(), tools) })).toThrow(/"tools"/);
  });

  test("a schema that cannot be told to a model", () => {
    expect(() => tool({ ...base, inputSchema: z.object({ at: z.date() }) })).toThrow(/cannot express/);
  });
});

describe("a run refuses", () => {
  const call = { role: "assistant", content: [{ type: "tool-call", callId: "1", name: "find", arguments: "{}" }] };
  const result = { role: "tool", callId: "1", name: "find", content: "x" };
  const user = { role: "user", content: "hi" };
  test.each<[string, unknown, object]>([
    ["nothing", [], {}],
    ["a number", 7, {}],
    ["a conversation that does not end with the user", [user, call, result], {}],
    ["a call without a result", [user, call, user], {}],
    ["a result without a call", [user, result, user], {}],
    ["two results of one call", [user, call, result, result, user], {}],
    ["no message", [null], {}],
    ["a message without content", [{ role: "user" }], {}],
    ["an answer as text", [{ role: "assistant", content: "x" }, user], {}],
    ["blank text", " ", {}],
    ["a role nobody plays", [{ role: "ghost", content: "x" }, user], {}],
    ["an empty run id", "hi", { runId: " " }],
    ["a user without an id", "hi", { user: { roles: ["staff"] } }],
    ["a user with something else", "hi", { user: { id: "u", admin: true } }],
    ["an unknown option", "hi", { timeout: 5 }],
  ])("%s, before anything is written", async (_, input, options) => {
    const store = memoryStore();
    const agent = createAgent({ ...fine, store });
    const given = wrong<{ input: RunInput; options: RunOptions }>({ input, options });
    await expect(agent.run(given.input, { runId: "r", ...given.options })).rejects.toMatchObject({ code: "input_invalid" });
    expect(() => agent.stream(given.input, { runId: "r", ...given.options })).toThrow(expect.objectContaining({ code: "input_invalid" }));
    expect(await store.journal.load("r")).toBeUndefined();
  });

  test("and takes a whole conversation", async () => {
    const model = scriptedModel(["hello again"]);
    const input = wrong<{ input: RunInput }>({ input: [user, call, result, user] }).input;
    expect(await createAgent({ name: "a", model }).run(input)).toMatchObject({ status: "completed" });
    expect(model.requests[0]?.messages).toEqual(input);
  });
});

test("who acts, for whom and with what is there for instructions and tools, and only the stored part is stored", async () => {
  const db = new Map([["7", "late"]]);
  const seen: unknown[] = [];
  const find = tool({
    description: "d",
    effect: "read",
    inputSchema: z.object({ id: z.string() }),
    execute: ({ id }, { context, run }) => {
      seen.push(run.user, run.conversationId, context);
      return db.get(id);
    },
  });
  const store = memoryStore();
  const model = scriptedModel([{ calls: [{ name: "find", arguments: { id: "7" } }] }, "late"]);
  const agent = createAgent({ name: "a", store, model, tools: { find }, instructions: ({ user }) => `You help ${user?.id}.` });
  await agent.run("where?", { runId: "r", user: { id: "u1", roles: ["staff"], tenant: "acme" }, conversationId: "c", context: { db } });
  expect(seen).toEqual([{ id: "u1", roles: ["staff"], tenant: "acme" }, "c", { db }]);
  expect(model.requests[0]?.messages[0]).toEqual({ role: "system", content: "You help u1." });
  expect((await agent.journal("r"))[0]).toMatchObject({ user: { id: "u1" }, conversationId: "c" });
  expect(JSON.stringify(await store.journal.load("r"))).not.toContain("db");
});

test("two hundred interleaved runs of different tenants on one agent never meet", async () => {
  const whoami = tool({
    description: "d",
    effect: "read",
    inputSchema: z.object({}),
    execute: async (_, { run, context }) => {
      await new Promise((resolve) => setImmediate(resolve));
      return { tenant: run.user?.tenant, context };
    },
  });
  const model = scriptedModel(
    ({ messages }) => messages.findLast((message) => message.role === "tool")?.content ?? { calls: [{ name: "whoami", arguments: {} }] },
    { record: false },
  );
  const agent = createAgent({ name: "a", model, tools: { whoami } });
  const tenants = Array.from({ length: 200 }, (_, index) => `tenant-${index}`);
  const results = await Promise.all(tenants.map((tenant) => agent.run("who?", { user: { id: "u", tenant }, context: { tenant } })));
  for (const [index, result] of results.entries()) {
    expect(result).toMatchObject({ output: JSON.stringify({ tenant: `tenant-${index}`, context: { tenant: `tenant-${index}` } }) });
  }
});

test("types: what a tool is given, and what a run answers", async () => {
  const find = tool({
    description: "d",
    inputSchema: z.object({ id: z.string(), n: z.number().optional() }),
    execute: ({ id, n }) => ({ id, n }),
  });
  expectTypeOf<Parameters<(typeof find)["execute"]>[0]>().toEqualTypeOf<{ id: string; n?: number | undefined }>();
  tool({ description: "d", inputSchema: { type: "object" }, execute: (input) => expectTypeOf(input).toBeUnknown() });
  const plain = createAgent({ ...fine, model: scriptedModel(["x"]) });
  const typed = createAgent({ ...fine, model: scriptedModel(['{"n":1}']), output: z.object({ n: z.number() }) });
  const [text, shaped] = [await plain.run("x"), await typed.run("x")];
  if (text.status === "completed") expectTypeOf(text.output).toEqualTypeOf<string>();
  if (shaped.status === "completed") expectTypeOf(shaped.output).toEqualTypeOf<{ n: number }>();
  expect([text.status, shaped.status]).toEqual(["completed", "completed"]);
  // @ts-expect-error a result is told apart by its status before its parts are read
  expect(text.refusal).toBeUndefined();
});
