// A run seen while it happens: typed events, one terminal event, a result that never rejects, and nothing left behind by who leaves early.
import assert from "node:assert/strict";
import { AgentError, createAgent, memoryStore, type RunEvent, type RunStream, tool } from "airworthy";
import { autoClock, fakeClock, hang, scriptedModel } from "airworthy/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", onUnhandled);
});
afterEach(() => {
  process.off("unhandledRejection", onUnhandled);
  assert.deepEqual(unhandled, []);
});

const find = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "found" });

async function textOf(stream: RunStream) {
  const pieces: string[] = [];
  for await (const text of stream.textStream) pieces.push(text);
  return pieces;
}

test("text comes as it is made, and adds up to the answer", async () => {
  const model = scriptedModel([
    { deltas: ["Look", "ing. "], calls: [{ name: "find", arguments: {} }] },
    { deltas: ["All ", "is ", "well."] },
  ]);
  const stream = createAgent({ name: "a", model, tools: { find } }).stream("go");
  expect(await textOf(stream)).toEqual(["Look", "ing. ", "All ", "is ", "well."]);
  expect(await stream.result).toMatchObject({ status: "completed", output: "All is well." });
});

test("two consumers see the same, also one who comes late", async () => {
  const stream = createAgent({ name: "a", model: scriptedModel([{ deltas: ["a", "b"] }]) }).stream("go");
  const read = async () => {
    const events: RunEvent[] = [];
    for await (const event of stream) events.push(event);
    return events;
  };
  const [first, text] = await Promise.all([read(), textOf(stream)]);
  expect(await read()).toEqual(first);
  expect(text).toEqual(["a", "b"]);
  expect(first.filter(({ type }) => type === "run.finished")).toEqual([first.at(-1)]);
});

describe("without an answer", () => {
  test.each([
    ["failed", scriptedModel([new AgentError("provider_rejected", "no")]), "provider_rejected"],
    ["partial", scriptedModel([{ calls: [{ name: "find", arguments: {} }] }]), "turn_limit"],
  ])("a run that is %s makes textStream throw at the end; events and result do not", async (status, model, code) => {
    const stream = createAgent({ name: "a", model, tools: { find }, policy: { limits: { turns: 1 } } }).stream("go");
    const events: RunEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: "run.finished", status, code });
    await expect(textOf(stream)).rejects.toMatchObject({ code });
    expect((await stream.result).status).toBe(status);
  });

  test("nobody who looks: no unhandled rejection", async () => {
    const agent = createAgent({ name: "a", model: scriptedModel([new Error("down")]), resilience: { retry: { attempts: 1 } } });
    const stream = agent.stream("go");
    await new Promise((resolve) => setImmediate(resolve));
    expect((await stream.result).status).toBe("failed");
  });
});

describe("attempts", () => {
  test("what a broken attempt said before anything was shown is forgotten; text is never glued", async () => {
    const model = scriptedModel([new TypeError("fetch failed"), { deltas: ["fresh"] }]);
    const stream = createAgent({ name: "a", model, clock: autoClock() }).stream("go");
    expect(await textOf(stream)).toEqual(["fresh"]);
  });

  test("after the first visible text there is no second attempt", async () => {
    const model = scriptedModel((_, { onText }) => {
      onText?.("half an ");
      throw new TypeError("terminated");
    });
    const stream = createAgent({ name: "a", model, clock: autoClock() }).stream("go");
    await expect(textOf(stream)).rejects.toMatchObject({ code: "stream_interrupted" });
    expect(model.calls).toBe(1);
  });

  test("held text is thrown away, so it may be tried again", async () => {
    const model = scriptedModel((_, { onText }, call) => {
      onText?.("half an ");
      if (call === 1) throw new TypeError("terminated");
      return "answer";
    });
    const pass = { name: "pass", check: () => ({ verdict: "pass" as const }) };
    const stream = createAgent({ name: "a", model, clock: autoClock(), guardrails: { output: [pass] } }).stream("go");
    expect(await textOf(stream)).toEqual(["answer"]);
    expect(model.calls).toBe(2);
  });
});

describe("leaving early", () => {
  test("cancels the run, its model call and its timers", async () => {
    const clock = fakeClock();
    let signal: AbortSignal | undefined;
    const model = scriptedModel((request, context) => {
      signal = context.signal;
      return hang();
    });
    const stream = createAgent({ name: "a", model, clock }).stream("go");
    for await (const event of stream) if (event.type === "attempt.started") break;
    await clock.advance(0);
    expect(await stream.result).toMatchObject({ status: "cancelled" });
    expect(signal?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test("or lets it go on when asked to", async () => {
    const stream = createAgent({ name: "a", model: scriptedModel(["done"]) }).stream("go", { onBreak: "continue" });
    for await (const _ of stream) break;
    expect(await stream.result).toMatchObject({ status: "completed" });
  });
});

describe("the same run id", () => {
  test("asked for while it runs, it is joined; who joined cannot cancel it", async () => {
    const model = scriptedModel([{ deltas: ["one"] }]);
    const agent = createAgent({ name: "a", model });
    const first = agent.stream("go", { runId: "r" });
    const second = agent.stream("go", { runId: "r" });
    for await (const _ of second) break;
    expect(await first.result).toBe(await second.result);
    expect(await first.result).toMatchObject({ status: "completed" });
    expect(model.calls).toBe(1);
  });

  test("with another input is refused, before and after the end, and by another agent object", async () => {
    const store = memoryStore();
    const model = scriptedModel(["one", "two"]);
    const agent = createAgent({ name: "a", model, store });
    const first = agent.run("go", { runId: "r" });
    expect(await agent.run("stop", { runId: "r" })).toMatchObject({ status: "failed", error: { code: "run_id_conflict" } });
    await first;
    for (const other of [agent, createAgent({ name: "a", model, store })]) {
      expect(await other.run("stop", { runId: "r" })).toMatchObject({ status: "failed", error: { code: "run_id_conflict" } });
    }
    expect(await createAgent({ name: "b", model, store }).run("go", { runId: "r" })).toMatchObject({ error: { code: "run_id_conflict" } });
    expect(model.calls).toBe(1);
  });

  test("that nobody knows cannot be resumed", async () => {
    const agent = createAgent({ name: "a", model: scriptedModel([]) });
    expect(await agent.resume("nope")).toMatchObject({ status: "failed", error: { code: "run_not_found" } });
    await expect(agent.journal("nope")).rejects.toMatchObject({ code: "run_not_found" });
  });
});

test("a run that somebody else may be on is not started a second time; resume takes it over", async () => {
  const store = memoryStore();
  const reached = Promise.withResolvers<void>();
  const model = scriptedModel((_, __, call) => (call === 1 ? (reached.resolve(), hang()) : "mine"));
  const make = () => createAgent({ name: "a", model, store });
  const first = make().run("go", { runId: "r" });
  await reached.promise;
  expect(await make().run("go", { runId: "r" })).toMatchObject({ status: "failed", error: { code: "run_active" } });
  expect(model.calls).toBe(1);
  expect(await make().resume("r")).toMatchObject({ status: "completed", output: "mine" });
  void first;
});

test("who joins a run that was not streamed sees it from the start", async () => {
  const agent = createAgent({ name: "a", model: scriptedModel(["hello"]) });
  void agent.run("go", { runId: "r" });
  expect(await textOf(agent.stream("go", { runId: "r" }))).toEqual(["hello"]);
});

test("a store that is down starts nothing, and one that goes down stops the run", async () => {
  const model = scriptedModel(["one", "two"]);
  const broken = { journal: { ...memoryStore().journal, create: () => Promise.reject(new Error("disk full")) } };
  expect(await createAgent({ name: "a", model, store: broken }).run("go")).toMatchObject({
    status: "failed",
    error: { code: "journal_unavailable" },
  });
  expect(model.calls).toBe(0);

  const { journal } = memoryStore();
  const dies = { journal: { ...journal, append: () => Promise.reject(new Error("disk full")) } };
  const stream = createAgent({ name: "a", model, store: dies }).stream("go");
  const events: RunEvent[] = [];
  for await (const event of stream) events.push(event);
  expect(await stream.result).toMatchObject({ status: "failed", error: { code: "journal_unavailable" } });
  expect(events.filter(({ type }) => type === "run.finished")).toHaveLength(1);
  expect(model.calls).toBe(0);
});
