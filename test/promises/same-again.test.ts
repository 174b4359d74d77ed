// Promise 7: a second pass over the same journal performs nothing and gives the same bytes; streamed and not streamed record the same.
import { type AgentOptions, createAgent, memoryStore, modelRequests, type RunEvent, type Stages, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { newWorld, scenarios } from "./scenarios.ts";

const quiet = (events: readonly RunEvent[]) => events.filter(({ type }) => type !== "text.delta");

describe.each(scenarios)("$name", ({ input, ends, options }) => {
  test("asked for again, it is answered from the journal by another agent object", async () => {
    const store = memoryStore();
    const world = newWorld();
    const first = await createAgent({ ...options(world), store }).run(input, { runId: "r" });
    expect(first.status).toBe(ends);
    const lines = await store.journal.load("r");

    const other = newWorld();
    const again = await createAgent({ ...options(other), store }).run(input, { runId: "r" });
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    expect(await store.journal.load("r")).toEqual(lines);
    expect(other).toEqual(newWorld());
  });

  test("streamed, it takes the same steps, and a second stream shows the same events", async () => {
    const [plain, streamed] = [memoryStore(), memoryStore()];
    await createAgent({ ...options(newWorld()), store: plain }).run(input, { runId: "r" });
    const live: RunEvent[] = [];
    for await (const event of createAgent({ ...options(newWorld()), store: streamed }).stream(input, { runId: "r" })) live.push(event);
    expect(await streamed.journal.load("r")).toEqual(await plain.journal.load("r"));

    const replayed: RunEvent[] = [];
    for await (const event of createAgent({ ...options(newWorld()), store: streamed }).stream(input, { runId: "r" })) replayed.push(event);
    expect(quiet(replayed)).toEqual(quiet(live));
    const text = (events: readonly RunEvent[]) => events.map((event) => (event.type === "text.delta" ? event.text : "")).join("");
    expect(text(replayed)).toBe(text(live));
    expect(live.filter(({ type }) => type === "run.finished")).toHaveLength(1);
  });
});

describe("a finished run is answered by an agent that has changed since:", () => {
  const t = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "found" });
  const script = () => scriptedModel([{ calls: [{ name: "t", arguments: {} }] }, "It is found."]);
  const changes: readonly [string, Partial<AgentOptions>][] = [
    ["another tool", { tools: { t, idle: t, more: t } }],
    ["a tool gone that it never called", { tools: { t } }],
    ["other settings", { settings: { temperature: 0.5 } }],
    ["instructions where there were none", { instructions: "Be brief." }],
    ["another version", { version: "2" }],
    ["narrower limits", { policy: { limits: { turns: 1 } } }],
  ];

  test.each(changes)("%s", async (_, change) => {
    const store = memoryStore();
    const before = { name: "a", store, model: script(), tools: { t, idle: t } };
    const first = await createAgent(before).run("go", { runId: "r" });
    const lines = await store.journal.load("r");
    const again = await createAgent({ ...before, model: scriptedModel([]), ...change }).run("go", { runId: "r" });
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    expect(await store.journal.load("r")).toEqual(lines);
  });

  test.each<[string, Partial<AgentOptions>]>([
    ["rules that were never asked", { guardrails: { output: [{ name: "g", check: () => ({ verdict: "pass" }) }] } }],
    ["a tool gone that it called", { tools: {} }],
  ])("but not with %s: what it would have been is not known", async (_, change) => {
    const store = memoryStore();
    const before = { name: "a", store, model: script(), tools: { t } };
    await createAgent(before).run("go", { runId: "r" });
    const again = await createAgent({ ...before, ...change }).run("go", { runId: "r" });
    expect(again).toMatchObject({ status: "failed", error: { code: "step_diverged" } });
    expect(await createAgent(before).run("go", { runId: "r" })).toMatchObject({ status: "completed", output: "It is found." });
  });
});

test("a context stage of one's own leaves what the model was sent to be read from the journal", async () => {
  const context: Stages["context"] = (_, line, message) => {
    line.thread.add(message);
    return Promise.resolve({ status: "done", value: null });
  };
  const model = scriptedModel(["Hello."]);
  const agent = createAgent({ name: "a", model, stages: { context } });
  await agent.run("hi", { runId: "r" });
  expect(modelRequests(await agent.journal("r")).map(({ request }) => request.messages)).toEqual(
    model.requests.map(({ messages }) => messages),
  );
});
