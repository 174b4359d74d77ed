// What runs have cost, wherever it is told: in results by model, tool, agent and stage, in events, the journal and spans.

import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { createAgent, fallback, type RunEvent, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();

const usage = { inputTokens: 1_000, outputTokens: 100 };
const prices = { scripted: { input: 1, output: 10 }, expert: { input: 10, output: 100 } };
const schema = { type: "object" } as const;
const paid = tool({
  description: "Costs.",
  inputSchema: schema,
  effect: "read",
  cost: { atMost: 1, of: (answer: string) => answer.length / 100 },
  execute: () => "four",
});
const free = tool({ description: "Free.", inputSchema: schema, effect: "read", execute: () => "seen" });
const calls = (...names: string[]) => ({
  calls: names.map((name) => ({ name, arguments: name === "expert" ? { task: "help" } : {} })),
  usage,
});

const expert = createAgent({
  name: "expert",
  model: scriptedModel([calls("paid"), { text: "Like this.", usage }], { id: "expert" }),
  prices,
  tools: { paid },
});

test("of a tree of runs: all of it once, by model, tool, agent and stage", async () => {
  const model = scriptedModel([calls("paid", "expert", "free"), { text: "Done.", usage }]);
  const tools = { paid, free, expert: expert.asTool({ description: "Asks." }) };
  const agent = createAgent({ name: "desk", model, prices, tools });
  const { cost } = await agent.run("Help.", { runId: "r" });
  expect(cost).toEqual({
    usd: 0.124,
    unconfirmedUsd: 0,
    unpriced: 0,
    byModel: { scripted: 0.004, expert: 0.04 },
    byTool: { paid: 0.04, expert: 0.08 },
    byAgent: { desk: 0.044, expert: 0.08 },
    byStage: { planner: 0.004, executor: 0.12 },
  });
  expect((await agent.run("Help.", { runId: "r" })).cost).toEqual(cost);
  expect((await agent.replay("r")).cost).toEqual(cost);
});

test("in events and entries, step by step; in spans with what it is and where it is from", async () => {
  exporter.reset();
  const agent = createAgent({ name: "desk", model: scriptedModel([calls("paid"), { text: "Done.", usage }]), prices, tools: { paid } });
  const stream = agent.stream("Help.", { runId: "s" });
  const events: RunEvent[] = [];
  for await (const event of stream) events.push(event);
  const told = events.flatMap((event) => (event.type === "step.finished" ? [[event.key, event.usd]] : []));
  expect(told).toEqual([
    ["turn-1/model/0", 0.002],
    ["turn-1/tool/0", 0.04],
    ["turn-2/model/0", 0.002],
  ]);
  const entries = (await agent.journal("s")).flatMap((entry) => (entry.type === "step.done" ? [entry.cost] : []));
  expect(entries).toEqual([
    { nanoUsd: 2_000_000, tokens: 1_100, basis: "reported" },
    { nanoUsd: 40_000_000, tokens: 0, basis: "declared" },
    { nanoUsd: 2_000_000, tokens: 1_100, basis: "reported" },
  ]);
  const costs = exporter.getFinishedSpans().flatMap(({ name, attributes }) => {
    const { "airworthy.cost.amount": amount, "airworthy.cost.source": source, "llm.cost.total": total } = attributes;
    return amount === undefined ? [] : [[name, amount, source, total]];
  });
  expect(costs).toEqual([
    ["chat scripted", 0.002, "reported", 0.002],
    ["execute_tool paid", 0.04, "declared", undefined],
    ["chat scripted", 0.002, "reported", 0.002],
    ["invoke_agent desk", 0.044, undefined, undefined],
  ]);
});

describe("what is not known", () => {
  test("without a price it is counted as unpriced, and not as nothing", async () => {
    const agent = createAgent({ name: "desk", model: scriptedModel(["Hi."]) });
    expect((await agent.run("Help.")).cost).toMatchObject({ usd: 0, unpriced: 1 });
  });

  test("a price of 0 is a price", async () => {
    const agent = createAgent({ name: "desk", model: scriptedModel(["Hi."]), prices: { scripted: { input: 0, output: 0 } } });
    expect((await agent.run("Help.")).cost).toMatchObject({ usd: 0, unpriced: 0, byModel: {} });
  });

  test("usage nobody reports counts as the most it can have been, and is told apart", async () => {
    const model = scriptedModel([{ text: "Hi.", usage: null }]);
    const agent = createAgent({
      name: "desk",
      model,
      prices,
      settings: { maxOutputTokens: 1_000 },
      policy: { budget: { run: { usd: 1 } } },
    });
    const { cost } = await agent.run("Help.");
    expect(cost.usd).toBeGreaterThan(0.01);
    expect(cost.unconfirmedUsd).toBe(cost.usd);
  });

  test("the cached part of the input costs what reading and writing a cache cost", async () => {
    const cached = { inputTokens: 1_000, inputTokenDetails: { cacheReadTokens: 600, cacheWriteTokens: 300 }, outputTokens: 0 };
    const model = scriptedModel([{ text: "Hi.", usage: cached }]);
    const agent = createAgent({ name: "desk", model, prices: { scripted: { input: 10, cacheRead: 1, cacheWrite: 12.5, output: 10 } } });
    expect((await agent.run("Help.")).cost.usd).toBe((100 * 10 + 600 * 1 + 300 * 12.5) / 1e6);
  });
});

test("usage is told in the shape in which models report it", async () => {
  const reported = { ...usage, inputTokenDetails: { cacheReadTokens: 600 }, outputTokenDetails: { reasoningTokens: 40 } };
  const model = scriptedModel([
    { ...calls("free"), usage: reported },
    { text: "Done.", usage },
  ]);
  const { usage: told } = await createAgent({ name: "desk", model, tools: { free } }).run("Help.");
  expect(told).toEqual({
    inputTokens: 2_000,
    inputTokenDetails: { cacheReadTokens: 600 },
    outputTokens: 200,
    outputTokenDetails: { reasoningTokens: 40 },
    totalTokens: 2_200,
    modelCalls: 2,
    toolCalls: 1,
    unreported: 0,
  });
});

test("a cache that is kept longer costs as many times more to write as its model says", async () => {
  const written = { inputTokens: 1_000, inputTokenDetails: { cacheWriteTokens: 1_000 }, outputTokens: 0 };
  const model = { ...scriptedModel([{ text: "Hi.", usage: written }]), cacheWriteMultiple: 1.6 };
  const agent = createAgent({ name: "desk", model, prices: { scripted: { input: 10, cacheWrite: 12.5, output: 10 } } });
  expect((await agent.run("Help.")).cost.usd).toBe(0.02);
});

test("each model of a fallback by its own price", async () => {
  const first = scriptedModel([Object.assign(new Error("down"))]);
  const second = scriptedModel([{ text: "Hi.", usage }], { id: "expert" });
  const agent = createAgent({ name: "desk", model: fallback([first, second]), prices, resilience: { retry: { attempts: 1 } } });
  expect((await agent.run("Help.")).cost).toMatchObject({ usd: 0.02, byModel: { expert: 0.02 } });
});
