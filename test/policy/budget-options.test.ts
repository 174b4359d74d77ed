// What budgets refuse to be given: at creation, or, where only the run can tell, before anything of it is written.
import { AgentError, type AgentOptions, createAgent, memoryStore, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { describe, expect, test, vi } from "vitest";

const prices = { scripted: { input: 1, output: 2 } };
const agentWith = (budget: object, more: Partial<AgentOptions> = {}) =>
  createAgent({ name: "a", model: scriptedModel(["Hi."]), prices, policy: { budget }, ...more });

function refused(make: () => unknown): AgentError {
  try {
    make();
  } catch (thrown) {
    if (AgentError.is(thrown)) return thrown;
    throw thrown;
  }
  throw new Error("It was taken.");
}

describe("at creation", () => {
  test.each<[string, object, string]>([
    ["a negative amount", { run: { usd: -1 } }, '"usd"'],
    ["NaN", { user: { usd: Number.NaN } }, '"usd"'],
    ["more than can be counted", { global: { usd: 1e8 } }, '"usd"'],
    ["part of a token", { run: { tokens: 1.5 } }, '"tokens"'],
    ["part of a call", { agent: { calls: 0.5 } }, '"calls"'],
    ["an unknown scope", { team: { usd: 1 } }, '"team"'],
    ["an unknown field", { run: { usd: 1, per: "day" } }, '"per"'],
    ["an unknown window", { user: { usd: 1, per: "week" } }, "budget.user"],
    ["an unknown zone", { tenant: { usd: 1, per: "day", zone: "Europe/Nowhere" } }, "budget.tenant"],
    ["a rolling window of nothing", { user: { usd: 1, per: { rollingMs: 0 } } }, "budget.user"],
    ["a limit of nothing", { user: { per: "day" } }, "limits nothing"],
    ["one of several", { user: [{ usd: 1 }, { usd: -1 }] }, '"usd"'],
    ["a scope of one's own without a key", { custom: { team: { usd: 1 } } }, '"key"'],
    ["a scope of one's own by a name of ours", { custom: { user: { usd: 1, key: () => "k" } } }, '"user"'],
    ["a scope of one's own whose name is no text", { custom: { "\ud800": { calls: 1, key: () => "k" } } }, "names of 1 to 512"],
    ["another way with unknown usage", { run: { calls: 1 }, onUnknownUsage: "ignore" }, '"onUnknownUsage"'],
    ["a share above 1", { run: { usd: 1 }, near: { at: 1.1 } }, '"at"'],
    ["a slice of more than half", { global: { usd: 1, slice: 0.6 } }, '"slice"'],
    ["a model that is none", { run: { usd: 1 }, near: { downgradeTo: {} } }, "downgradeTo"],
    ["an answer of no length", { run: { usd: 1 }, wrapUp: { maxOutputTokens: 0 } }, '"maxOutputTokens"'],
  ])("%s", (_, budget, named) => {
    const error = refused(() => agentWith(budget));
    expect(error).toMatchObject({ code: "configuration_invalid", message: expect.stringContaining(named) });
  });

  test("a model nobody knows a price of, under a cap in dollars: named, with how to price it", () => {
    const error = refused(() => agentWith({ run: { usd: 1 } }, { prices: {} }));
    expect(error).toMatchObject({ code: "configuration_invalid", details: { model: "scripted/scripted" } });
    expect(error.message).toContain("scripted/scripted");
    expect(error.hint).toContain('prices: { "scripted/scripted"');
    expect(() => agentWith({ run: { tokens: 1_000 } }, { prices: {} })).not.toThrow();
    expect(() => agentWith({ run: { usd: 1 } }, { prices: { scripted: { input: 0, output: 0 } } })).not.toThrow();
  });

  test("also one of an agent that is a tool, and the cheaper one", () => {
    const expert = createAgent({ name: "expert", model: scriptedModel(["Hi."], { id: "unknown" }) });
    const tools = { expert: expert.asTool({ description: "Asks." }) };
    expect(refused(() => agentWith({ user: { usd: 1 } }, { tools })).message).toContain("scripted/unknown");
    const near = { downgradeTo: scriptedModel(["Hi."], { id: "other" }) };
    expect(refused(() => agentWith({ user: { usd: 1 }, near })).message).toContain("scripted/other");
  });

  test("an agent that is a tool with a store of its own: what it spends would be added up elsewhere", async () => {
    const model = scriptedModel(["Hi."]);
    const store = memoryStore();
    const toolOf = (own: object) => createAgent({ name: "e", model, prices, ...own }).asTool({ description: "Asks." });
    const within = (inner: object) =>
      createAgent({ name: "m", model, prices, tools: { inner: toolOf(inner) } }).asTool({ description: "Asks." });
    for (const tools of [{ e: toolOf({ store: memoryStore() }) }, { m: within({ store: memoryStore() }) }])
      expect(refused(() => agentWith({ user: { usd: 1 } }, { store, tools })).message).toContain("a store of its own");
    for (const tools of [{ e: toolOf({ store }) }, { e: toolOf({}) }, { m: within({ store }) }])
      expect(() => agentWith({ user: { usd: 1 } }, { store, tools })).not.toThrow();
    const free = createAgent({ name: "a", model, tools: { e: toolOf({ store: memoryStore() }) }, store });
    await expect(free.run("hi", { budget: { calls: 1 } })).rejects.toMatchObject({ code: "input_invalid" });
  });

  test("a store without counters", () => {
    const { journal } = memoryStore();
    expect(refused(() => agentWith({ run: { calls: 1 } }, { store: { journal } })).message).toContain("counters");
  });

  test("a cost of a tool that is none", () => {
    const make = (cost: unknown) =>
      Reflect.apply(tool, undefined, [{ description: "x", inputSchema: { type: "object" }, cost, execute: () => 1 }]);
    for (const cost of [-1, Number.NaN, "1", { atMost: 1 }]) expect(refused(() => make(cost)).message).toContain('"cost"');
  });

  test("a price that makes one call dearer than the whole budget is warned of, and taken", () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    agentWith({ run: { usd: 0.001 } });
    expect(warned).toHaveBeenCalledWith(expect.stringContaining("$0.008192"), { code: "AIRWORTHY_BUDGET" });
    warned.mockClear();
    agentWith({ run: { usd: 1 } });
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });
});

describe("at the start of a run", () => {
  test.each<[string, object, object]>([
    ["a budget for users, and no user", { user: { calls: 1 } }, {}],
    ["a budget for tenants, and a user of none", { tenant: { calls: 1 } }, { user: { id: "u" } }],
    ["a budget for conversations, and none", { conversation: { calls: 1 } }, { user: { id: "u" } }],
    ["a key that throws", { custom: { team: { calls: 1, key: () => JSON.parse("") } } }, {}],
    ["a key that is no text", { custom: { team: { calls: 1, key: () => 7 } } }, {}],
    ["a negative budget of its own", { run: { calls: 1 } }, { budget: { usd: -1 } }],
    ["an unknown field of it", { run: { calls: 1 } }, { budget: { euros: 1 } }],
  ])("%s", async (_, budget, options) => {
    const store = memoryStore();
    const agent = agentWith(budget, { store });
    await expect(agent.run("hi", { ...options, runId: "r" })).rejects.toMatchObject({ code: "input_invalid" });
    expect(await store.journal.load("r")).toBeUndefined();
  });

  test("a budget of its own in dollars, where nobody knows a price", async () => {
    const agent = createAgent({ name: "a", model: scriptedModel(["Hi."]) });
    await expect(agent.run("hi", { budget: { usd: 1 } })).rejects.toMatchObject({ code: "input_invalid" });
    expect(await agent.run("hi", { budget: { calls: 1 } })).toMatchObject({ status: "completed" });
  });

  test("a key is asked once for a run, so that it is the same for all of it", async () => {
    let asked = 0;
    const key = () => {
      asked += 1;
      if (asked > 1) throw new Error("asked again");
      return "k";
    };
    expect(await agentWith({ custom: { team: { calls: 1, key } } }).run("hi")).toMatchObject({ status: "completed" });
  });

  test("a key that answers undefined does not concern the run", async () => {
    const agent = agentWith({ custom: { team: { calls: 0, key: () => undefined } } });
    expect(await agent.run("hi")).toMatchObject({ status: "completed" });
  });
});
