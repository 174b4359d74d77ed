// One span tree for a run, the same streamed or not: named by the conventions, every span ended, and no content in any of them.
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { AgentError, type AgentOptions, createAgent, fallback, memoryStore, tool, toolError } from "airworthy";
import { autoClock, fakeClock, hang, scriptedModel } from "airworthy/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

const exporter = new InMemorySpanExporter();
let started = 0;
const counting = { onStart: () => void started++, onEnd: () => {}, forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter), counting] });

beforeAll(() => provider.register());
afterAll(() => provider.shutdown());
afterEach(() => {
  exporter.reset();
  started = 0;
});

/** The tree as indented lines: name, and the error type of a span that is one. Siblings in the order they started. */
function treeOf(spans: readonly ReadableSpan[], parent?: string, depth = 0): string[] {
  return spans
    .filter((span) =>
      parent === undefined
        ? !spans.some((other) => other.spanContext().spanId === span.parentSpanContext?.spanId)
        : span.parentSpanContext?.spanId === parent,
    )
    .flatMap((span) => {
      const failed = span.status.code === SpanStatusCode.ERROR ? ` ! ${String(span.attributes["error.type"])}` : "";
      return ["  ".repeat(depth) + span.name + failed, ...treeOf(spans, span.spanContext().spanId, depth + 1)];
    });
}

const byStart = (spans: readonly ReadableSpan[]) =>
  spans.toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]);
const tree = () => treeOf(byStart(exporter.getFinishedSpans()));
const named = (name: string) => exporter.getFinishedSpans().find((span) => span.name === name);

const canary = "CANARY-7f3a";

function options(): AgentOptions {
  let times = 0;
  const flaky = tool({
    description: "d",
    effect: "read",
    inputSchema: z.object({ id: z.string() }),
    execute: () => {
      if (times++ === 0) throw new Error(canary);
      return canary;
    },
  });
  const sad = tool({
    description: "d",
    effect: "write",
    inputSchema: z.object({ id: z.string() }),
    execute: () => {
      throw toolError(canary);
    },
  });
  return {
    name: "support",
    clock: autoClock({ start: Date.now() }),
    instructions: canary,
    model: scriptedModel([
      {
        text: canary,
        calls: [
          { name: "flaky", arguments: { id: canary } },
          { name: "sad", arguments: { id: canary } },
        ],
      },
      canary,
    ]),
    tools: { flaky, sad },
    guardrails: { input: [{ name: "g", check: () => ({ verdict: "flag", findings: [{ kind: "k" }] }) }] },
  };
}

const expected = [
  "invoke_agent support",
  "  airworthy.input_filter",
  "  airworthy.context",
  "  airworthy.planner",
  "    chat scripted",
  "  airworthy.executor",
  "    execute_tool flaky",
  "      airworthy.attempt 1 ! tool_failed",
  "      airworthy.attempt 2",
  "    execute_tool sad ! tool_failed",
  "      airworthy.attempt 1 ! tool_failed",
  "  airworthy.planner",
  "    chat scripted",
  "  airworthy.output_filter",
  "  airworthy.response_builder",
];

describe("the tree", () => {
  test("of a run", async () => {
    await createAgent(options()).run(canary);
    expect(tree().toSorted()).toEqual(expected.toSorted());
  });

  test("is the same when the run is streamed and read in another async context, below the caller's own span", async () => {
    const tracer = trace.getTracer("test");
    const caller = tracer.startSpan("request");
    const stream = context.with(trace.setSpan(context.active(), caller), () => createAgent(options()).stream(canary));
    await tracer.startActiveSpan("elsewhere", async (elsewhere) => {
      for await (const _ of stream);
      elsewhere.end();
    });
    caller.end();
    const lines = tree();
    expect(lines.filter((line) => line !== "elsewhere").toSorted()).toEqual(["request", ...expected.map((line) => `  ${line}`)].toSorted());
    expect((await stream.result).traceId).toBe(caller.spanContext().traceId);
  });

  test("holds the spans a tool opens itself", async () => {
    const t = tool({
      description: "d",
      effect: "read",
      inputSchema: z.object({}),
      execute: () => {
        trace.getTracer("db").startSpan("query").end();
        return "x";
      },
    });
    await createAgent({ name: "a", model: scriptedModel([{ calls: [{ name: "t", arguments: {} }] }, "x"]), tools: { t } }).run("go");
    expect(tree()).toContain("      query");
  });

  test("holds a call that was refused before it came to its tool: no such tool, or a rule", async () => {
    const t = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "x" });
    const model = scriptedModel([{ calls: ["t", canary].map((name) => ({ name, arguments: {} })) }, "x"]);
    const guardrails = { toolInput: [{ name: "g", check: () => ({ verdict: "block", message: "no" }) as const }] };
    const finished: string[] = [];
    for await (const event of createAgent({ name: "a", model, tools: { t }, guardrails }).stream("go"))
      if (event.type === "step.finished" && event.kind === "tool") finished.push(`${event.key} ${event.code}`);
    const calls = tree().filter((line) => line.includes("execute_tool"));
    expect(calls.toSorted()).toEqual(["    execute_tool ! tool_unknown", "    execute_tool t ! guardrail_blocked"]);
    expect(finished.toSorted()).toEqual(["turn-1/tool/0 guardrail_blocked", "turn-1/tool/1 tool_unknown"]);
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes]))).not.toContain(canary);
  });

  test("has a span for each model of a fallback, and says why another was asked; the same streamed and not", async () => {
    const down = () => scriptedModel(() => new AgentError("quota_exhausted", canary), { id: "first" });
    const make = () => createAgent({ name: "support", model: fallback([down(), scriptedModel([canary], { id: "second" })]) });
    const expectTree = () => {
      expect(tree().slice(3, 7)).toEqual([
        "  airworthy.planner",
        "    chat first ! quota_exhausted",
        "      airworthy.attempt 1 ! quota_exhausted",
        "    chat second",
      ]);
      expect(named("airworthy.planner")?.events).toMatchObject([
        { name: "airworthy.fallback", attributes: { from: "first", to: "second", reason: "quota_exhausted" } },
      ]);
      expect(exporter.getFinishedSpans()).toHaveLength(started);
    };
    await make().run(canary);
    expectTree();
    exporter.reset();
    started = 0;
    await make().stream(canary).result;
    expectTree();
  });

  test("is not opened again on a second pass", async () => {
    const store = memoryStore();
    await createAgent({ ...options(), store }).run("go", { runId: "r" });
    const spans = started;
    await createAgent({ ...options(), store }).run("go", { runId: "r" });
    expect(started).toBe(spans);
  });

  test.each(["cancel", "break", "deadline"] as const)("is ended whole on %s", async (how) => {
    const clock = fakeClock(Date.now());
    const cancel = new AbortController();
    const reached = Promise.withResolvers<void>();
    const model = scriptedModel(() => (reached.resolve(), hang()));
    const stream = createAgent({ name: "a", clock, model, policy: { timeouts: { stepMs: 60_000 } } }).stream("go", {
      signal: cancel.signal,
    });
    if (how === "break") for await (const event of stream) if (event.type === "attempt.started") break;
    await reached.promise;
    if (how === "cancel") cancel.abort();
    await clock.advance(30_100);
    await stream.result;
    expect(exporter.getFinishedSpans()).toHaveLength(started);
    expect(started).toBeGreaterThan(3);
    const outcome = how === "deadline" ? "partial" : "cancelled";
    expect(named("invoke_agent a")?.attributes).toMatchObject({ "airworthy.run.outcome": outcome });
  });
});

test.each([
  ["instructions", { instructions: () => new Promise<never>(() => {}) }],
  ["middleware around a stage", { use: [{ stage: () => new Promise<never>(() => {}) }] }],
  ["middleware around a model", { use: [{ model: () => new Promise<never>(() => {}) }] }],
])("%s that never come back leave no span open", async (_, own) => {
  const clock = fakeClock(Date.now());
  const running = createAgent({ name: "a", clock, model: scriptedModel(["x"]), ...own }).run("go");
  await clock.advance(30_100);
  expect((await running).status).toBe("partial");
  expect(started).toBeGreaterThan(0);
  expect(exporter.getFinishedSpans()).toHaveLength(started);
});

describe("a span", () => {
  test("of the run says who asked, and what came of it", async () => {
    await createAgent({ name: "a", model: scriptedModel(["x"]) }).run("go", { runId: "r", user: { id: "u" }, conversationId: "c" });
    expect(named("invoke_agent a")?.attributes).toEqual({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": "a",
      "gen_ai.conversation.id": "c",
      "user.id": "u",
      "airworthy.run.id": "r",
      "airworthy.run.resumed": false,
      "airworthy.run.outcome": "completed",
    });
  });

  test("of a model call says what was asked of which model, and what it used", async () => {
    const usage = {
      inputTokens: 12,
      inputTokenDetails: { cacheReadTokens: 4 },
      outputTokens: 7,
      outputTokenDetails: { reasoningTokens: 3 },
    };
    await createAgent({ name: "a", model: scriptedModel([{ text: "x", usage }]), settings: { maxOutputTokens: 50 } }).run("go");
    const span = named("chat scripted");
    expect(span?.kind).toBe(2);
    expect(span?.status.code).toBe(SpanStatusCode.UNSET);
    expect(span?.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "scripted",
      "gen_ai.request.model": "scripted",
      "gen_ai.request.max_tokens": 50,
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 12,
      "gen_ai.usage.cache_read.input_tokens": 4,
      "gen_ai.usage.output_tokens": 7,
      "gen_ai.usage.reasoning.output_tokens": 3,
    });
    for (const value of Object.values(span?.attributes ?? {})) expect(value).not.toBeUndefined();
  });

  test("of a step that a retry made good is no error; the failed attempt below it is, and the retry is an event", async () => {
    await createAgent(options()).run("go");
    expect(named("execute_tool flaky")?.status.code).toBe(SpanStatusCode.UNSET);
    expect(named("execute_tool flaky")?.events.map(({ name }) => name)).toContain("airworthy.retry");
    expect(named("airworthy.input_filter")?.events).toMatchObject([
      { name: "airworthy.guardrail.result", attributes: { "airworthy.guardrail.verdict": "flag" } },
    ]);
  });

  test("of a failed run is an error, of a refused one is not", async () => {
    const refuse = { name: "g", check: () => ({ verdict: "block" as const, message: "no" }) };
    await createAgent({ name: "refused", model: scriptedModel([]), guardrails: { input: [refuse] } }).run("go");
    await createAgent({ name: "failed", model: scriptedModel([]) }).run("go");
    expect(named("invoke_agent refused")?.status.code).toBe(SpanStatusCode.UNSET);
    expect(named("invoke_agent refused")?.attributes["airworthy.run.outcome"]).toBe("refused");
    expect(named("invoke_agent failed")).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { "error.type": "configuration_invalid" },
    });
  });
});

test("no prompt, argument, result or error text is in any span", async () => {
  await createAgent(options()).run(canary);
  const spans = exporter.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
  expect(spans.length).toBeGreaterThan(10);
  expect(JSON.stringify(spans)).not.toContain(canary);
});
