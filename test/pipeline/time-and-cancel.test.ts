// Time-outs, the total deadline and the caller's abort: the run settles at once and tells the truth about what was under way.
import { getEventListeners } from "node:events";
import { type AgentOptions, createAgent, memoryStore, type RunEvent, tool } from "airworthy";
import { fakeClock, hang, hangForever, scriptedModel } from "airworthy/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const empty = z.object({});
const calls = (...names: string[]) => ({ calls: names.map((name) => ({ name, arguments: {} })) });

/** A tool that heeds no signal and answers when told to. */
function stubborn(options: { effect?: "read" | "pay"; timeoutMs?: number } = {}) {
  let settle: (value: string) => void = () => {};
  const started = Promise.withResolvers<AbortSignal>();
  const made = tool({
    description: "d",
    inputSchema: empty,
    effect: options.effect ?? "read",
    timeoutMs: options.timeoutMs ?? 15_000,
    retry: { attempts: 1 },
    execute: (_, { signal }) => {
      started.resolve(signal);
      return new Promise<string>((resolve) => (settle = resolve));
    },
  });
  return { tool: made, started: started.promise, settle: (value: string) => settle(value) };
}

const quick = tool({ description: "d", inputSchema: empty, effect: "read", execute: () => "quick" });

function agentOf(options: Partial<AgentOptions> & Pick<AgentOptions, "model">) {
  const clock = fakeClock();
  const store = memoryStore();
  return { clock, store, agent: createAgent({ name: "a", clock, store, ...options }) };
}

describe("a tool that ignores its signal", () => {
  test("is left behind at its time-out: the model is told, the late result becomes a note and nothing else", async () => {
    const slow = stubborn({ timeoutMs: 5_000 });
    const model = scriptedModel([calls("slow", "quick"), "done"]);
    const { agent, clock } = agentOf({ model, tools: { slow: slow.tool, quick } });
    const events: RunEvent[] = [];
    const stream = agent.stream("go", { runId: "r" });
    const reading = (async () => {
      for await (const event of stream) events.push(event);
    })();
    const signal = await slow.started;
    await clock.advance(4_999);
    expect(signal.aborted).toBe(false);
    await clock.advance(51);
    const result = await stream.result;
    await reading;
    expect(result.status).toBe("completed");
    expect(result.messages.filter(({ role }) => role === "tool").map(({ content }) => content)).toEqual([
      expect.stringContaining("tool_timeout"),
      "quick",
    ]);
    expect(signal.reason).toMatchObject({ code: "tool_timeout" });
    expect(events).toContainEqual(expect.objectContaining({ type: "note.added", note: "detached", key: "turn-1/tool/0" }));

    slow.settle("late");
    await clock.advance(0);
    expect(await agent.journal("r")).toContainEqual(expect.objectContaining({ type: "note", note: "late-result", key: "turn-1/tool/0" }));
    expect(JSON.stringify(await agent.run("go", { runId: "r" }))).not.toContain("late");
    expect(clock.pending).toBe(0);
  });

  test("does not hold up a cancel: the run settles within 50 ms, with a result for every call", async () => {
    const slow = stubborn();
    const cancel = new AbortController();
    const { agent, clock } = agentOf({
      model: scriptedModel([calls("quick", "slow", "quick"), "done"]),
      tools: { slow: slow.tool, quick },
    });
    const running = agent.run("go", { signal: cancel.signal });
    await slow.started;
    cancel.abort(new Error("user left"));
    await clock.advance(50);
    const result = await running;
    expect(result).toMatchObject({ status: "cancelled", error: { code: "cancelled", cause: { message: "user left" } } });
    expect(result.messages.filter(({ role }) => role === "tool").map(({ content }) => content)).toEqual([
      "quick",
      expect.stringContaining("tool_cancelled"),
      "quick",
    ]);
    expect(getEventListeners(cancel.signal, "abort")).toHaveLength(0);
    expect(clock.pending).toBe(0);
    slow.settle("late");
  });

  test("an act that must not be repeated is in doubt after its time-out, and a reconcile settles it", async () => {
    const slow = stubborn({ effect: "pay", timeoutMs: 1_000 });
    const { agent, clock } = agentOf({ model: scriptedModel([calls("slow"), "done"]), tools: { slow: slow.tool } });
    const running = agent.run("go", { runId: "r" });
    await slow.started;
    await clock.advance(1_050);
    expect(await running).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt", key: "turn-1/tool/0", tool: "slow" }] });
    expect(await agent.resume("r")).toMatchObject({ status: "suspended" });
  });

  test.each([
    ["done", { status: "done", output: "found it" }, "completed", "found it"],
    ["not done", { status: "not-done" }, "completed", "tool_timeout"],
    ["unknown", { status: "unknown" }, "suspended", ""],
  ] as const)("reconcile says %s", async (_name, word, status, content) => {
    const started = Promise.withResolvers<void>();
    const pay = tool({
      description: "d",
      inputSchema: empty,
      effect: "pay",
      timeoutMs: 1_000,
      reconcile: () => word,
      execute: (_, { signal }) => {
        started.resolve();
        return new Promise<string>((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("given up"))));
      },
    });
    const { agent, clock } = agentOf({ model: scriptedModel([calls("pay"), "done"]), tools: { pay } });
    const running = agent.run("go");
    await started.promise;
    await clock.advance(1_050);
    const result = await running;
    expect(result.status).toBe(status);
    expect(result.messages.find(({ role }) => role === "tool")?.content).toContain(content);
  });
});

test("not done is no last word on an act that is still going on", async () => {
  const slow = stubborn({ effect: "pay", timeoutMs: 1_000 });
  const pay = tool({
    description: "d",
    effect: "pay",
    inputSchema: empty,
    timeoutMs: 1_000,
    reconcile: () => ({ status: "not-done" }),
    execute: (input, context) => slow.tool.execute(input, context),
  });
  const { agent, clock } = agentOf({ model: scriptedModel([calls("pay"), "done"]), tools: { pay } });
  const running = agent.run("go");
  await slow.started;
  await clock.advance(1_050);
  expect(await running).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt", tool: "pay" }] });
  slow.settle("late");
});

describe("the total deadline", () => {
  test("gives a partial answer that says what there is, what is missing and why; a resume with more time goes on", async () => {
    const slow = stubborn({ timeoutMs: 60_000 });
    const model = scriptedModel([{ text: "I am on it.", ...calls("quick", "slow") }, "done"]);
    const { agent, clock } = agentOf({ model, tools: { slow: slow.tool, quick } });
    const running = agent.run("go", { runId: "r" });
    await slow.started;
    await clock.advance(30_050);
    const result = await running;
    expect(result).toMatchObject({
      status: "partial",
      error: { code: "deadline_exceeded" },
      text: "I am on it.",
      finished: ["quick"],
      missing: [
        { what: "slow", why: "deadline_exceeded" },
        { what: "answer", why: "deadline_exceeded" },
      ],
    });
    expect(result.status === "partial" && result.explanation).toMatch(/time.*Finished: quick\. Not finished: slow\./);
    slow.settle("late");
    expect(JSON.stringify(await agent.run("go", { runId: "r" }))).toBe(JSON.stringify(result));
    expect((await agent.resume("r")).status).toBe("partial");
    const more = agent.resume("r", { timeouts: { totalMs: 90_000 } });
    await clock.advance(0);
    slow.settle("now");
    await clock.advance(0);
    expect(await more).toMatchObject({ status: "completed", output: "done" });
  });

  test.each([
    ["heeds", hang()],
    ["ignores", hangForever()],
  ])("stops a model that %s its signal", async (_, reply) => {
    const { agent, clock } = agentOf({ model: scriptedModel([reply]), policy: { timeouts: { stepMs: 60_000 } } });
    const running = agent.run("go");
    await clock.advance(30_050);
    expect(await running).toMatchObject({ status: "partial", error: { code: "deadline_exceeded" } });
    expect(clock.pending).toBe(0);
  });

  test("the back-off counts: a wait that would pass the deadline is not begun", async () => {
    const { agent, clock } = agentOf({
      model: scriptedModel([calls("flaky"), "done"]),
      tools: {
        flaky: tool({
          description: "d",
          effect: "read",
          inputSchema: empty,
          retry: { attempts: 9, baseMs: 1e9, maxMs: 1e9 },
          execute: () => Promise.reject(new Error("x")),
        }),
      },
    });
    const running = agent.run("go", { runId: "r" });
    await clock.advance(0);
    expect((await running).status).toBe("completed");
    expect(clock.pending).toBe(0);
  });
});

test("one model attempt may take stepMs, then it is tried again", async () => {
  const model = scriptedModel([hangForever(), "done"]);
  const { agent, clock } = agentOf({ model, policy: { timeouts: { stepMs: 2_000 } } });
  const running = agent.run("go");
  await clock.advance(20_000);
  expect(await running).toMatchObject({ status: "completed" });
  expect(model.calls).toBe(2);
});

describe("cancel", () => {
  test("before the start nothing is called", async () => {
    const model = scriptedModel(["never"]);
    const { agent } = agentOf({ model });
    expect(await agent.run("go", { signal: AbortSignal.abort() })).toMatchObject({ status: "cancelled" });
    expect(model.calls).toBe(0);
  });

  test("between two steps begins nothing more, and says so in the journal", async () => {
    const cancel = new AbortController();
    const model = scriptedModel(() => {
      queueMicrotask(() => cancel.abort());
      return calls("quick");
    });
    const { agent } = agentOf({ model, tools: { quick } });
    const result = await agent.run("go", { runId: "r", signal: cancel.signal });
    expect(result.status).toBe("cancelled");
    const begun = (await agent.journal("r")).filter((entry) => entry.type === "attempt.started" && entry.kind === "tool");
    expect(begun).toEqual([]);
  });

  test("that never comes leaves nothing on the caller's signal either", async () => {
    const cancel = new AbortController();
    const { agent } = agentOf({ model: scriptedModel([calls("quick"), "done"]), tools: { quick } });
    expect(await agent.run("go", { signal: cancel.signal })).toMatchObject({ status: "completed" });
    expect(getEventListeners(cancel.signal, "abort")).toHaveLength(0);
  });

  test("during a back-off it returns at once, and leaves no timer and no listener", async () => {
    const cancel = new AbortController();
    const failing = Promise.withResolvers<void>();
    const model = scriptedModel(() => {
      failing.resolve();
      throw new TypeError("fetch failed");
    });
    const { agent, clock } = agentOf({ model });
    const running = agent.run("go", { signal: cancel.signal });
    await failing.promise;
    await clock.advance(0);
    cancel.abort();
    expect(await running).toMatchObject({ status: "cancelled" });
    expect(clock.pending).toBe(0);
    expect(getEventListeners(cancel.signal, "abort")).toHaveLength(0);
  });

  test.each(["input", "output"] as const)("while a guardrail looks at the %s it is a cancel, not a refusal", async (point) => {
    const cancel = new AbortController();
    const looking = Promise.withResolvers<void>();
    const slow = { name: "slow", check: () => (looking.resolve(), new Promise<never>(() => {})) };
    const { agent, clock } = agentOf({ model: scriptedModel(["x"]), guardrails: { [point]: [slow] } });
    const running = agent.run("go", { signal: cancel.signal });
    await looking.promise;
    cancel.abort();
    expect(await running).toMatchObject({ status: "cancelled" });
    expect(clock.pending).toBe(0);
  });

  test("at any moment, every call of the transcript has exactly one result directly after it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 4 }), async (moment, width) => {
        const cancel = new AbortController();
        const step = (ms: number) =>
          tool({
            description: "d",
            inputSchema: empty,
            effect: "read",
            execute: () => new Promise<string>((resolve) => void clock.after(ms, () => resolve("ok"))),
          });
        const tools = { a: step(3), b: step(11), c: step(17), d: step(29) };
        const asked = calls(...Object.keys(tools).slice(0, width));
        const { agent, clock } = agentOf({ model: scriptedModel([asked, asked, "done"]), tools });
        const running = agent.run("go", { signal: cancel.signal });
        clock.after(moment, () => cancel.abort());
        await clock.advance(1_000);
        const { messages } = await running;
        for (const [position, message] of messages.entries()) {
          if (message.role !== "assistant") continue;
          const made = message.content.flatMap((part) => (part.type === "tool-call" ? [part.callId] : []));
          const after = messages.slice(position + 1, position + 1 + made.length);
          expect(after.map((result) => result.role === "tool" && result.callId)).toEqual(made);
          expect(messages[position + 1 + made.length]?.role).not.toBe("tool");
        }
      }),
      { numRuns: 60 },
    );
  });
});
