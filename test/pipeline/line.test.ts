// What a stage of one's own gets to work with: steps, choices and branches, with the promises of the runtime's own.
import { AgentError, createAgent, type Guardrails, memoryStore, type Outcome, type Run, type Stages, type Step, tool } from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const step = (key: string, perform: () => Promise<Outcome<string>>): Step<string> => ({
  kind: "custom",
  key,
  name: "lookup",
  input: { key },
  repeat: "freely",
  terms: { attempts: 2, timeoutMs: 0 },
  span: () => ({ name: "lookup", kind: "internal", attributes: {} }),
  perform,
});
const done = <T>(value: T): Outcome<T> => ({ status: "done", value });

/** An agent whose planner does `work` and answers what came of it. */
function planning(work: (run: Run) => Promise<Outcome<unknown>>, store = memoryStore()) {
  const planner: Stages["planner"] = async (run, line, turn) => {
    const outcome = await work(run);
    if (outcome.status !== "done") return outcome;
    const text = JSON.stringify(outcome.value);
    line.window.finish(turn, text);
    return done({ text, calls: [], finishReason: "stop" });
  };
  return createAgent({ name: "a", clock: autoClock(), store, model: scriptedModel([]), stages: { planner } });
}

test("a step of its own is retried, recorded, and not done again", async () => {
  const store = memoryStore();
  let times = 0;
  const work = (run: Run) =>
    run.at("data").step(
      step("prices", () => {
        times += 1;
        if (times === 1) throw new AgentError("provider_unavailable", "x");
        return Promise.resolve(done("cheap"));
      }),
    );
  expect(await planning(work, store).run("go", { runId: "r" })).toMatchObject({ status: "completed", output: '"cheap"' });
  expect(await planning(work, store).run("go", { runId: "r" })).toMatchObject({ output: '"cheap"' });
  expect(times).toBe(2);
});

test("a step whose input cannot be stored fails by itself; the journal goes on", async () => {
  const work = async (run: Run) => {
    const outcome = await run.step({ ...step("k", () => Promise.resolve(done("x"))), input: Object({ when: new Date(0) }) });
    return done(outcome.status === "failed" ? outcome.error.code : outcome.status);
  };
  expect(await planning(work).run("go")).toMatchObject({ status: "completed", output: '"journal_value_invalid"' });
});

test("branches answer in order, or with the gravest; every one is waited for", async () => {
  const error = (code: ConstructorParameters<typeof AgentError>[0]) => new AgentError(code, code);
  const finished: number[] = [];
  const late = (nth: number, outcome: Outcome<number>) => async () => {
    await new Promise((resolve) => setImmediate(resolve));
    finished.push(nth);
    return outcome;
  };
  // What would end the run for good comes before a suspension: a doubt must not be forgotten with it.
  const ordered: Outcome<number>[] = [
    { status: "refused", error: error("guardrail_blocked") },
    { status: "failed", error: error("provider_rejected") },
    { status: "suspended", waitingFor: [{ kind: "in-doubt", key: "k", tool: "t" }] },
    { status: "refused", error: error("deadline_exceeded") },
    { status: "failed", error: error("provider_unavailable") },
    { status: "halted", error: error("halted") },
    { status: "failed", error: error("internal_error") },
  ];
  for (let gravest = 0; gravest < ordered.length; gravest++) {
    finished.length = 0;
    const some = [done(0), ...ordered.slice(0, gravest + 1).toReversed(), done(9)];
    let answer: Outcome<unknown> = done(null);
    await planning(async (run) => (answer = await run.all(some.map((outcome, nth) => late(nth, outcome))))).run("go");
    expect(answer).toEqual(ordered[gravest]);
    expect(finished).toHaveLength(some.length);
  }
  expect(await planning((run) => run.all([3, 1, 2].map((value) => () => Promise.resolve(done(value))))).run("go")).toMatchObject({
    output: "[3,1,2]",
  });
  expect(await planning((run) => run.all([() => Promise.reject(new Error("x"))])).run("go")).toMatchObject({
    error: { code: "stage_failed" },
  });
});

describe("a key", () => {
  test.each([
    [
      "two steps",
      async (run: Run) => (
        await run.step(step("same", () => Promise.resolve(done("1")))), run.step(step("same", () => Promise.resolve(done("2"))))
      ),
    ],
    ["two choices", async (run: Run) => (await run.decide("same", () => 1), run.decide("same", () => 2))],
  ])("may not be that of %s", async (_, work) => {
    expect(await planning(work).run("go")).toMatchObject({ status: "failed", error: { code: "step_key_reused" } });
  });
});

describe("a choice", () => {
  test("that throws is not made, and that JSON cannot hold is refused", async () => {
    expect(await planning((run) => run.decide("k", () => Promise.reject(new Error("x")))).run("go")).toMatchObject({
      error: { code: "stage_failed" },
    });
    expect(await planning((run) => run.decide("k", () => new Map())).run("go")).toMatchObject({ error: { code: "journal_value_invalid" } });
  });
});

test.each([
  [{ a: [1, 1n] }, "a[1]"],
  [{ m: { at: new Map() } }, "m.at"],
])("what JSON cannot hold is told with its place", async (value, place) => {
  const { error } = Object(await planning((run) => run.decide("k", () => value)).run("go"));
  expect(error.code).toBe("journal_value_invalid");
  expect(error.details.path).toContain(place);
  expect(error.message).toContain(place);
});

describe("steps of the runtime's own", () => {
  const t = (execute: () => unknown) =>
    tool({ description: "d", effect: "read", inputSchema: z.object({}), retry: { attempts: 1 }, execute });
  const call = { calls: [{ name: "t", arguments: {} }] };

  test("a tool that keeps failing is left alone, and the model is told; its breaker is its own", async () => {
    let times = 0;
    const broken = t(() => {
      times += 1;
      throw new Error("down");
    });
    const fine = t(() => "fine");
    const both = {
      calls: [
        { name: "broken", arguments: {} },
        { name: "fine", arguments: {} },
      ],
    };
    const model = scriptedModel(({ messages }) => (messages.length > 1 ? "done" : both));
    const agent = createAgent({ name: "a", model, tools: { broken, fine }, resilience: { breaker: { failures: 3, withinMs: 60_000 } } });
    for (let run = 0; run < 5; run++) await agent.run("go");
    expect(times).toBe(3);
    const { messages, usage } = await agent.run("go");
    expect(messages.filter(({ role }) => role === "tool").map(({ content }) => content)).toEqual([
      expect.stringContaining("circuit_open"),
      "fine",
    ]);
    expect(usage.toolCalls).toBe(1);
  });

  test("two runs never share an idempotency key", async () => {
    const keys = new Set<string>();
    const act = tool({ description: "d", inputSchema: z.object({}), execute: (_, { idempotencyKey }) => void keys.add(idempotencyKey) });
    const agent = createAgent({
      name: "a",
      model: scriptedModel(({ messages }) => (messages.length > 1 ? "done" : call)),
      tools: { t: act },
    });
    await agent.run("go");
    await agent.run("go");
    expect(keys.size).toBe(2);
  });

  test("an answer the provider withheld is a refusal", async () => {
    const agent = createAgent({ name: "a", model: scriptedModel([{ text: "", finishReason: "content-filter" }]) });
    expect(await agent.run("go")).toMatchObject({ status: "refused", refusal: { by: "policy", code: "content_filtered" } });
  });

  test.each([
    ["nothing", null],
    ["no message", { finishReason: "stop" }],
    ["another role", { message: { role: "user", content: [] }, finishReason: "stop" }],
    ["text in place of parts", { message: { role: "assistant", content: "hi" }, finishReason: "stop" }],
    ["a part that is none", { message: { role: "assistant", content: [null] }, finishReason: "stop" }],
    [
      "a call without a name",
      { message: { role: "assistant", content: [{ type: "tool-call", callId: "1", arguments: "" }] }, finishReason: "stop" },
    ],
    ["no reason to have finished", { message: { role: "assistant", content: [] } }],
  ])("a model that answers %s has not answered", async (_, response) => {
    const model = { provider: "own", id: "own", call: () => Promise.resolve(JSON.parse(JSON.stringify(response))) };
    expect(await createAgent({ name: "a", clock: autoClock(), model }).run("go")).toMatchObject({
      status: "failed",
      error: { code: "model_response_invalid" },
    });
  });
});

test("the text of a planner of one's own is the answer: streamed, in the conversation, and the same again", async () => {
  const planner: Stages["planner"] = () => Promise.resolve(done({ text: "By rule.", calls: [], finishReason: "stop" }));
  const options = { name: "a", store: memoryStore(), model: scriptedModel([]), stages: { planner } };
  const stream = createAgent(options).stream("go", { runId: "r" });
  const pieces: string[] = [];
  for await (const piece of stream.textStream) pieces.push(piece);
  expect(pieces.join("")).toBe("By rule.");
  const result = await stream.result;
  expect(result).toMatchObject({ status: "completed", output: "By rule." });
  expect(result.messages.at(-1)).toEqual({ role: "assistant", content: [{ type: "text", text: "By rule." }] });
  expect(JSON.stringify(await createAgent(options).run("go", { runId: "r" }))).toBe(JSON.stringify(result));
});

test("a planner that says the same again after a re-ask is heard again", async () => {
  const planner: Stages["planner"] = () => Promise.resolve(done({ text: "By rule.", calls: [], finishReason: "stop" }));
  let asked = 0;
  const guardrails: Guardrails = {
    output: [{ name: "g", check: () => (asked++ === 0 ? { verdict: "block", message: "no", reask: "Better." } : { verdict: "pass" }) }],
  };
  const result = await createAgent({ name: "a", model: scriptedModel([]), stages: { planner }, guardrails }).run("go");
  expect(result.messages.map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content)))).toEqual([
    "go",
    expect.stringContaining("[withheld by g]"),
    "[asked again by g]",
    expect.stringContaining("By rule."),
  ]);
});

test("an answer that a planner has added itself is not added again", async () => {
  const planner: Stages["planner"] = (_, line) => {
    line.thread.add({ role: "assistant", content: [{ type: "text", text: "Hi." }] });
    line.thread.add({ role: "user", content: "a remark" });
    return Promise.resolve(done({ text: "Hi.", calls: [], finishReason: "stop" }));
  };
  const result = await createAgent({ name: "a", model: scriptedModel([]), stages: { planner } }).run("go");
  expect(result.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
});
