// Costs that cannot be reckoned with: of tools, of steps of the user's, and of providers. Nothing is lost of what was done, and no cap breaks.
import { AgentError, createAgent, type Json, memoryStore, type Step, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";

const prices = { scripted: { input: 1, output: 1 } };
const inputSchema = { type: "object" } as const;
const calling = () => scriptedModel([{ calls: [{ name: "pay", arguments: {} }] }, "Done.", "Done."]);
const policy = { budget: { user: { usd: 1 } } };
const options = { user: { id: "u" }, runId: "r" };

describe("of a tool", () => {
  test.each<[string, () => number]>([
    ["throws", () => JSON.parse("{")],
    ["is negative", () => -1],
    ["is NaN", () => Number.NaN],
  ])("what it may cost %s: it is not begun, and the model is told", async (_, cost) => {
    let acts = 0;
    const pay = tool({ description: "Pays.", inputSchema, effect: "pay", cost, execute: () => ++acts });
    const model = calling();
    const result = await createAgent({ name: "a", model, tools: { pay }, prices, policy }).run("go", options);
    expect(result).toMatchObject({ status: "completed", text: "Done." });
    expect(acts).toBe(0);
    expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain("tool_failed");
  });

  test.each<[string, () => number]>([
    ["throws", () => JSON.parse("{")],
    ["is negative", () => -1],
    ["is more than can be counted", () => Number.POSITIVE_INFINITY],
  ])("what it has cost %s: its result stands, and it counts as the most it may cost", async (_, of) => {
    for (const given of [policy, {}]) {
      let acts = 0;
      const pay = tool({ description: "Pays.", inputSchema, effect: "pay", cost: { atMost: 0.25, of }, execute: () => ++acts });
      const result = await createAgent({ name: "a", model: calling(), tools: { pay }, prices, policy: given }).run("go", options);
      expect(result).toMatchObject({ status: "completed", text: "Done." });
      expect(acts).toBe(1);
      if (given === policy) expect(result.cost.byTool).toEqual({ pay: 0.25 });
    }
  });
});

describe("of a step of the user's", () => {
  const answerWith = (step: Partial<Step<string>>) => {
    const store = memoryStore();
    const agent = createAgent({
      name: "a",
      model: scriptedModel(["Hi."]),
      prices,
      store,
      policy,
      stages: {
        inputFilter: async (run, _line, said) => {
          const judged = await run.step<string>({
            kind: "custom",
            key: "judge",
            name: "judge",
            input: null,
            repeat: "freely",
            terms: { attempts: 1, timeoutMs: 0 },
            span: () => ({ name: "judge", kind: "internal", attributes: {} }),
            perform: () => Promise.resolve({ status: "done", value: "fine" }),
            ...step,
          });
          return judged.status === "done" ? { status: "done", value: said } : judged;
        },
      },
    });
    return { store, run: () => agent.run("go", options) };
  };
  const key = "usd/user//u/ever/ever";

  test("it takes part in budgets; parts of a nano-dollar are rounded up", async () => {
    const charge = () => ({ nanoUsd: 0.5, tokens: 0.5, basis: "declared" as const });
    const { store, run } = answerWith({ cost: { worst: () => ({ nanoUsd: 10.5, tokens: 0 }), charge } });
    expect(await run()).toMatchObject({ status: "completed" });
    expect(await store.counters.read([key])).toEqual([{ used: 15_001, held: 0 }]);
  });

  test.each([-5, Number.NaN, Number.POSITIVE_INFINITY])(
    "a charge of %s gives nothing back: it counts as what was set aside",
    async (nanoUsd) => {
      const charge = () => ({ nanoUsd, tokens: 0, basis: "declared" as const });
      const { store, run } = answerWith({ cost: { worst: () => ({ nanoUsd: 100, tokens: 0 }), charge } });
      expect(await run()).toMatchObject({ status: "completed", cost: { unconfirmedUsd: 1e-7 } });
      expect(await store.counters.read([key])).toEqual([{ used: 15_100, held: 0 }]);
    },
  );

  test("an input that is no JSON: nothing is begun, and nothing stays set aside", async () => {
    const input: Record<string, Json> = {};
    input["itself"] = input;
    const { store, run } = answerWith({ input, cost: { worst: () => ({ nanoUsd: 100, tokens: 0 }), charge: () => undefined } });
    expect(await run()).toMatchObject({ status: "failed", error: { code: "journal_value_invalid" } });
    expect(await store.counters.read([key])).toEqual([{ used: 0, held: 0 }]);
  });

  test("what it costs at most is no amount: it is not begun", async () => {
    const { store, run } = answerWith({ cost: { worst: () => ({ nanoUsd: -1, tokens: 0 }), charge: () => undefined } });
    expect(await run()).toMatchObject({ status: "failed", error: { code: "tool_failed" } });
    expect(await store.counters.read([key])).toEqual([{ used: 0, held: 0 }]);
  });
});

describe("of a provider", () => {
  test("a report of more than there can be is charged and breaks nothing: later runs hear that the cap is used up", async () => {
    const store = memoryStore();
    const model = scriptedModel(() => ({ text: "Hi.", usage: { inputTokens: 1e15, outputTokens: 1e15 } }));
    const agent = createAgent({ name: "a", model, prices, store, policy });
    expect(await agent.run("go", { user: options.user })).toMatchObject({ status: "completed", text: "Hi." });
    const refused = await agent.run("go", { user: options.user });
    expect(refused).toMatchObject({ status: "refused", error: { code: "budget_exceeded" } });
  });

  test("an answer that comes after the run was told to stop is paid for by what it used", async () => {
    const controller = new AbortController();
    const model = scriptedModel([
      () => {
        controller.abort();
        return { text: "Hi.", usage: { inputTokens: 3_000_000, outputTokens: 500 } };
      },
    ]);
    // A model that does not heed its signal, as some do.
    const deaf = {
      ...model,
      call: (...[request, context]: Parameters<typeof model.call>) =>
        model.call(request, { ...context, signal: new AbortController().signal }),
    };
    const agent = createAgent({ name: "a", model: deaf, prices, policy });
    const result = await agent.run("go", { user: options.user, signal: controller.signal });
    expect(result.cost).toMatchObject({ usd: 3.0005, unconfirmedUsd: 0 });
  });

  test.each([
    [429, 0],
    [500, 0],
    [503, 0],
    [408, 0.004],
    [502, 0.004],
    [504, 0.004],
  ])("HTTP %i counts as at least %d: a gateway that gives up waiting does not say what the provider has done", async (status, least) => {
    const down = new AgentError("provider_unavailable", "It is down.", { details: { status }, retryable: false });
    const { cost } = await createAgent({ name: "a", model: scriptedModel([down]), prices, policy }).run("go", options);
    expect(cost.usd).toBeGreaterThanOrEqual(least);
    if (least === 0) expect(cost.usd).toBe(0);
  });

  test("an error inside an answer that had begun is no refusal: it counts in full", async () => {
    const down = new AgentError("provider_unavailable", "It broke.", { details: { status: 502, inAnswer: true }, retryable: false });
    const agent = createAgent({ name: "a", model: scriptedModel([down]), prices, policy });
    const { cost } = await agent.run("go", options);
    expect(cost.unconfirmedUsd).toBeGreaterThan(0.004);
  });
});
