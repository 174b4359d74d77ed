// Answers that break off and streams that fall silent: before the first visible token an attempt like any other, after it nothing is glued.
import {
  AgentError,
  createAgent,
  fallback,
  type Model,
  type ModelResponse,
  memoryStore,
  type Outcome,
  type RunEvent,
  type RunStream,
  tool,
} from "airworthy";
import { autoClock, fakeClock, type ScriptedFunction, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const fine = { name: "a", clock: autoClock(), resilience: { retry: { attempts: 3, baseMs: 1 } } };

/** Says so much, and breaks off. */
const half =
  (...said: readonly string[]): ScriptedFunction =>
  (_request, { onText, onUsage }) => {
    onUsage?.({ inputTokens: 100 });
    for (const text of said) onText?.(text);
    onUsage?.({ inputTokens: 100, outputTokens: said.length });
    throw new AgentError("provider_unavailable", "It broke off.");
  };

async function watch(stream: RunStream) {
  const events: RunEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** What a consumer who heeds `attempt.restarted` has on the screen. */
const screen = (events: readonly RunEvent[]) =>
  events.reduce((text, event) => {
    if (event.type === "attempt.restarted") return "";
    return event.type === "text.delta" ? text + event.text : text;
  }, "");

describe("an answer that breaks off", () => {
  test("before the first visible token is tried again", async () => {
    const model = scriptedModel([half(), half(), "Whole."]);
    const stream = createAgent({ ...fine, model }).stream("go");
    expect(screen(await watch(stream))).toBe("Whole.");
    expect(await stream.result).toMatchObject({ status: "completed", usage: { inputTokens: 210, outputTokens: 5, unreported: 0 } });
  });

  test("after it is stream_interrupted, with what was shown and what was used, and can be resumed", async () => {
    const store = memoryStore();
    const second = scriptedModel(["never"], { id: "second" });
    const agent = createAgent({ ...fine, store, model: fallback([scriptedModel([half("Good ", "eve"), "Good evening."]), second]) });
    const stream = agent.stream("go", { runId: "r" });
    const events = await watch(stream);
    expect(screen(events)).toBe("Good eve");
    const result = await stream.result;
    expect(result).toMatchObject({
      status: "failed",
      text: "Good eve",
      error: { code: "stream_interrupted", details: { reason: "provider_unavailable" }, cause: { code: "provider_unavailable" } },
      usage: { inputTokens: 100, outputTokens: 2, modelCalls: 1, unreported: 0 },
      resumable: true,
    });
    await expect(agent.run("go", { runId: "r" })).resolves.toMatchObject({ status: "failed", text: "Good eve", usage: result.usage });
    expect(await agent.resume("r")).toMatchObject({ status: "completed", output: "Good evening.", usage: { inputTokens: 110 } });
    expect(second.calls).toBe(0);
  });

  test("makes none of its calls", async () => {
    const done: string[] = [];
    const act = tool({ description: "d", effect: "write", inputSchema: z.object({}), execute: () => void done.push("act") });
    const model = scriptedModel([half("I will act."), { calls: [{ name: "act", arguments: {} }] }]);
    const result = await createAgent({ ...fine, model, tools: { act } }).stream("go").result;
    expect(result).toMatchObject({ status: "failed", usage: { toolCalls: 0 } });
    expect(done).toEqual([]);
  });

  test("is of no concern to one who does not watch, or watches what has passed the guardrails", async () => {
    const model = () => scriptedModel([half("Good ", "eve"), "Good evening."]);
    expect(await createAgent({ ...fine, model: model() }).run("go")).toMatchObject({ output: "Good evening." });
    const pass = { name: "pass", check: () => ({ verdict: "pass" as const }) };
    const stream = createAgent({ ...fine, model: model(), guardrails: { output: [pass] } }).stream("go");
    expect(screen(await watch(stream))).toBe("Good evening.");
  });

  test("what the run had used when it was cancelled in the middle is counted", async () => {
    const hanging: ScriptedFunction = (_request, { onText, onUsage, signal }) => {
      onUsage?.({ inputTokens: 100, outputTokens: Number.NaN });
      onText?.("Good ");
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const stream = createAgent({ ...fine, model: scriptedModel([hanging]) }).stream("go");
    for await (const event of stream) if (event.type === "text.delta") break;
    expect(await stream.result).toMatchObject({ status: "cancelled", usage: { inputTokens: 100, unreported: 0 } });
  });
});

describe("what an adapter hands over", () => {
  const respond =
    (more: object): ScriptedFunction =>
    () =>
      Object.assign({ text: "ok" }, more);
  const raw = (response: unknown, id = "raw"): Model => ({ provider: "p", id, call: () => Promise.resolve(Object(response)) });
  const answer = {
    message: { role: "assistant", content: [{ type: "text", text: "ok" }] },
    finishReason: "stop",
    usage: { inputTokens: 7, outputTokens: 2 },
  };

  test.each([false, true])("is counted even when it is no answer (streamed: %s)", async (streamed) => {
    const agent = createAgent({ ...fine, model: raw({ ...answer, finishReason: 7 }), resilience: { retry: { attempts: 1 } } });
    const result = await (streamed ? agent.stream("go").result : agent.run("go"));
    expect(result).toMatchObject({ error: { code: "model_response_invalid" }, usage: { inputTokens: 7, outputTokens: 2, unreported: 0 } });
  });

  test("is counted when it fails without having been streamed", async () => {
    const failing: ScriptedFunction = (_request, { onUsage }) => {
      onUsage?.({ inputTokens: 7 });
      onUsage?.({ inputTokens: Number.NaN });
      throw new AgentError("provider_rejected", "No.");
    };
    const result = await createAgent({ ...fine, model: scriptedModel([failing]) }).run("go");
    expect(result).toMatchObject({ status: "failed", usage: { inputTokens: 7, unreported: 0 } });
  });

  test.each([
    ["a number that JSON has not", { rateLimits: { requests: { resetAt: Number.NaN } } }],
    ["a date", { providerMetadata: new Date(0) }],
    ["a bigint", { providerMetadata: { n: 1n } }],
  ])("is no answer when it holds %s: another model is asked", async (_, more) => {
    const model = fallback([raw({ ...answer, ...more }), scriptedModel(["From second."], { id: "second" })]);
    const result = await createAgent({ ...fine, model }).run("go");
    expect(result).toMatchObject({ status: "completed", output: "From second.", usage: { inputTokens: 31 } });
  });

  test("is text, or it is not shown", async () => {
    const odd: ScriptedFunction = (_request, { onText }) => {
      for (const said of [7, {}, "", null, "real"]) onText?.(JSON.parse(JSON.stringify(said)));
      return respond({ deltas: ["real"] })(_request, { signal: new AbortController().signal, attempt: 1, now: () => 0 });
    };
    const stream = createAgent({ ...fine, model: scriptedModel([odd]) }).stream("go");
    const texts = (await watch(stream)).flatMap((event) => (event.type === "text.delta" ? [event.text] : []));
    expect(texts.every((text) => typeof text === "string" && text !== "")).toBe(true);
  });

  test("what a middleware answers with counts that are none is refused", async () => {
    for (const inputTokens of [-5, Number.NaN]) {
      const use = [{ model: () => Promise.resolve({ status: "done" as const, value: Object({ ...answer, usage: { inputTokens } }) }) }];
      const result = await createAgent({ ...fine, model: scriptedModel(["x"]), use }).run("go");
      expect(result).toMatchObject({ status: "failed", error: { code: "middleware_failed" } });
    }
  });

  test("cannot change what later calls are offered", async () => {
    const spoiling: ScriptedFunction = ({ tools }) => {
      expect(() => Object.assign(tools[0] ?? {}, { name: "evil" })).toThrow(TypeError);
      return "ok";
    };
    const look = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "seen" });
    expect(await createAgent({ ...fine, model: scriptedModel([spoiling]), tools: { look } }).run("go")).toMatchObject({
      status: "completed",
    });
  });

  test("an end for good after text was shown stays what it is", async () => {
    const withheld: ScriptedFunction = (_request, { onText }) => {
      onText?.("Well, ");
      throw new AgentError("content_filtered", "Withheld.");
    };
    const stream = createAgent({ ...fine, model: scriptedModel([withheld]) }).stream("go");
    expect(await stream.result).toMatchObject({ status: "refused", error: { code: "content_filtered" } });
  });
});

describe("with onInterrupted: restart", () => {
  test("also when a middleware answers in place of the model whose text was shown", async () => {
    const cached = {
      status: "done" as const,
      value: JSON.parse('{"message":{"role":"assistant","content":[{"type":"text","text":"Cached."}]},"finishReason":"stop"}'),
    };
    const use = [
      {
        model: async (_call: unknown, next: () => Promise<Outcome<ModelResponse>>) => ((await next()).status === "done" ? next() : cached),
      },
    ];
    const agent = createAgent({ ...fine, model: scriptedModel([half("Half "), half("Half "), half("Half ")]), use });
    const stream = agent.stream("go", { onInterrupted: "restart" });
    expect(screen(await watch(stream))).toBe("Cached.");
    expect(await stream.result).toMatchObject({ output: "Cached." });
  });

  const watchRestarting = async (replies: readonly ScriptedReply[], more = {}) => {
    const stream = createAgent({ ...fine, model: scriptedModel(replies), ...more }).stream("go", { onInterrupted: "restart" });
    const events = await watch(stream);
    const visible = events.filter(({ type }) => type === "text.delta" || type === "attempt.restarted");
    return { events, visible, result: await stream.result };
  };

  test("the consumer is told to forget what it has, before the answer begins anew", async () => {
    const { visible, result } = await watchRestarting([half("Good ", "eve"), half("Go"), "Good evening."]);
    expect(visible).toMatchObject([
      { type: "text.delta", text: "Good " },
      { type: "text.delta", text: "eve" },
      { type: "attempt.restarted", turn: 1, at: expect.any(Number) },
      { type: "text.delta", text: "Go" },
      { type: "attempt.restarted", turn: 1 },
      { type: "text.delta", text: "Good evening." },
    ]);
    expect(result).toMatchObject({ status: "completed", output: "Good evening.", usage: { inputTokens: 210, outputTokens: 8 } });
  });

  test("another model may begin anew, too", async () => {
    const model = fallback([scriptedModel([half("a"), half("b"), half("c")]), scriptedModel(["Whole."], { id: "second" })]);
    const { events, result } = await watchRestarting([], { model });
    expect(screen(events)).toBe("Whole.");
    expect(events.filter(({ type }) => type === "attempt.restarted")).toHaveLength(3);
    expect(result.degraded).toHaveLength(1);
  });

  test("when the attempts are used up it is stream_interrupted all the same", async () => {
    const { result, visible } = await watchRestarting([half("a"), half("b"), half("c")]);
    expect(result).toMatchObject({ status: "failed", text: "c", error: { code: "stream_interrupted" } });
    expect(visible).toHaveLength(5);
  });

  test("text of an earlier turn stays", async () => {
    const look = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "seen" });
    const first = { deltas: ["Looking. "], calls: [{ name: "look", arguments: {} }] };
    const { visible } = await watchRestarting([first, half("Half"), "Whole."], { tools: { look } });
    expect(visible).toMatchObject([
      { turn: 1 },
      { turn: 2, text: "Half" },
      { type: "attempt.restarted", turn: 2 },
      { turn: 2, text: "Whole." },
    ]);
  });

  test("a stream of text cannot take anything back: it throws, and the run goes on", async () => {
    const stream = createAgent({ ...fine, model: scriptedModel([half("Half"), "Whole."]) }).stream("go", { onInterrupted: "restart" });
    const read = async () => {
      const pieces: string[] = [];
      try {
        for await (const text of stream.textStream) pieces.push(text);
      } catch (error) {
        return { pieces, error };
      }
      return { pieces };
    };
    expect(await read()).toMatchObject({ pieces: ["Half"], error: { code: "stream_interrupted" } });
    expect(await stream.result).toMatchObject({ status: "completed", output: "Whole." });
  });

  test("is an option that is checked", () => {
    const agent = createAgent({ ...fine, model: scriptedModel(["x"]) });
    expect(() => agent.stream("go", JSON.parse('{"onInterrupted":"glue"}'))).toThrow(/onInterrupted/);
  });
});

describe("silence", () => {
  /** Says what the script says when the clock comes to it, and never ends. */
  const at =
    (
      clock: { after(ms: number, run: () => void): () => void },
      ...script: readonly (readonly [number, "text" | "progress" | "empty"])[]
    ): ScriptedFunction =>
    (_request, { onText, onProgress, signal }) => {
      for (const [ms, what] of script) {
        clock.after(ms, () => {
          if (what === "text") onText?.("x");
          if (what === "progress") onProgress?.();
        });
      }
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };

  const timeouts = { firstTokenMs: 1_000, idleMs: 500, stepMs: 60_000, totalMs: 100_000 };
  const codeAfter = async (ms: number, script: Parameters<typeof at> extends [unknown, ...infer Rest] ? Rest : never, streamed = true) => {
    const clock = fakeClock();
    const model = scriptedModel([at(clock, ...script)]);
    const agent = createAgent({ name: "a", model, clock, policy: { timeouts }, resilience: { retry: { attempts: 1 } } });
    let over = false;
    const running = (streamed ? agent.stream("go").result : agent.run("go")).finally(() => {
      over = true;
    });
    await clock.advance(ms - 1);
    const before = over;
    await clock.advance(1);
    await clock.advance(20); // for the attempt to settle
    if (!over) return "still going";
    expect(before).toBe(false);
    expect(clock.pending).toBe(script.filter(([when]) => when > ms).length);
    const result = await running;
    return result.status === "failed"
      ? [result.error.code, result.error.details["timeoutMs"] ?? result.error.details["reason"]]
      : result.status;
  };

  test("from the beginning is first_token_timeout", async () => {
    expect(await codeAfter(1_000, [])).toEqual(["first_token_timeout", 1_000]);
  });

  test("after the first token is idle_timeout, and interrupts what was shown", async () => {
    expect(await codeAfter(1_400, [[900, "text"]])).toEqual(["stream_interrupted", "idle_timeout"]);
    expect(await codeAfter(1_400, [[900, "progress"]])).toEqual(["idle_timeout", 500]);
  });

  test("is counted from the latest token, be it text, reasoning or a call", async () => {
    expect(
      await codeAfter(2_300, [
        [900, "progress"],
        [1_300, "progress"],
        [1_350, "progress"],
        [1_800, "progress"],
      ]),
    ).toEqual(["idle_timeout", 500]);
  });

  test("is not ended by what carries nothing", async () => {
    expect(
      await codeAfter(1_000, [
        [100, "empty"],
        [600, "empty"],
      ]),
    ).toEqual(["first_token_timeout", 1_000]);
  });

  test("is not looked for where nothing is streamed", async () => {
    expect(await codeAfter(2_000, [], false)).toBe("still going");
  });

  test("is tried again, and leaves the model for another", async () => {
    const clock = autoClock();
    const model = fallback([scriptedModel([at(clock), at(clock)], { id: "first" }), scriptedModel(["Here."], { id: "second" })]);
    const agent = createAgent({ name: "a", model, clock, policy: { timeouts }, resilience: { retry: { attempts: 2, baseMs: 1 } } });
    const stream = agent.stream("go", { runId: "r" });
    expect(await stream.result).toMatchObject({ status: "completed", output: "Here." });
    const failed = (await agent.journal("r")).filter((entry) => entry.type === "attempt.failed");
    expect(failed.map(({ error }) => error.code)).toEqual(["first_token_timeout", "first_token_timeout"]);
    expect(clock.pending).toBe(0);
  });
});
