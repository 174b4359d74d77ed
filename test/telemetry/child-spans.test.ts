// The span of a run within a run hangs below the call it answers, handed on by us: here is no context manager that could help.
import { SpanStatusCode } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { createAgent, memoryStore, tool } from "airworthy";
import { fakeClock, scriptedModel } from "airworthy/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { byTurn, call } from "../promises/tree-world.ts";

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeAll(() => provider.register({ contextManager: null }));
afterAll(() => provider.shutdown());
afterEach(() => exporter.reset());

/** From the root down to this span, by name. */
function wayTo(span: ReadableSpan): string {
  const above = exporter.getFinishedSpans().find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
  return above ? `${wayTo(above)} > ${span.name}` : span.name;
}

const ways = () =>
  exporter
    .getFinishedSpans()
    .map(wayTo)
    .filter((way) => !/airworthy\.\w+$/.test(way))
    .map((way) => way.replaceAll(/ > airworthy\.\w+/g, ""))
    .toSorted();

const make = (canary: string) => {
  const store = memoryStore();
  const look = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => canary });
  const expert = createAgent({ name: "expert", store, model: byTurn({ calls: [call("look", {})] }, canary), tools: { look } });
  const model = byTurn({ calls: [call("expert"), call("expert")] }, "Bye.");
  return createAgent({ name: "desk", store, model, tools: { expert: expert.asTool({ description: "d" }) } });
};

const expertSpans = ["", " > chat scripted", " > chat scripted", " > execute_tool look"].map(
  (last) => `invoke_agent desk > execute_tool expert > invoke_agent expert${last}`,
);
const expected = [
  "invoke_agent desk",
  "invoke_agent desk > chat scripted",
  "invoke_agent desk > chat scripted",
  "invoke_agent desk > execute_tool expert",
  "invoke_agent desk > execute_tool expert",
  ...expertSpans,
  ...expertSpans,
].toSorted();

test.each([false, true])("the tree of a tree of runs, one trace for all; streamed: %s", async (streamed) => {
  const desk = make("CANARY");
  const { traceId } = await (streamed ? desk.stream("go", { runId: "r" }).result : desk.run("go", { runId: "r" }));
  expect(ways()).toEqual(expected);
  const spans = exporter.getFinishedSpans();
  expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([traceId]));
  const ids = spans.filter(({ name }) => name === "invoke_agent expert").map(({ attributes }) => attributes["airworthy.run.id"]);
  expect(new Set(ids)).toEqual(new Set(["r>turn-1/tool/0", "r>turn-1/tool/1"]));
  expect(JSON.stringify(spans.map(({ name, attributes, events }) => [name, attributes, events]))).not.toContain("CANARY");
});

test("a run within that comes to no answer is an error of the call, and every span is ended on a cancel", async () => {
  const store = memoryStore();
  const failing = createAgent({ name: "expert", store, model: scriptedModel([]) });
  const tools = { expert: failing.asTool({ description: "d" }) };
  await createAgent({ name: "desk", store, model: byTurn({ calls: [call("expert")] }, "Bye."), tools }).run("go");
  const of = (name: string) => exporter.getFinishedSpans().find((span) => span.name === name);
  expect(of("execute_tool expert")).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { "error.type": "child_failed" } });
  expect(of("invoke_agent expert")?.attributes).toMatchObject({ "airworthy.run.outcome": "failed" });
  exporter.reset();

  const clock = fakeClock(Date.now());
  const [cancel, reached] = [new AbortController(), Promise.withResolvers<void>()];
  const stuck = createAgent({ name: "expert", store, clock, model: scriptedModel(() => (reached.resolve(), new Promise(() => {}))) });
  const model = byTurn({ calls: [call("expert")] });
  const desk = createAgent({ name: "desk", store, clock, model, tools: { expert: stuck.asTool({ description: "d" }) } });
  const running = desk.run("go", { signal: cancel.signal });
  await reached.promise;
  cancel.abort();
  await clock.advance(50);
  await running;
  expect(ways()).toContain("invoke_agent desk > execute_tool expert > invoke_agent expert > chat scripted");
  expect(of("invoke_agent expert")?.attributes).toMatchObject({ "airworthy.run.outcome": "cancelled" });
});
