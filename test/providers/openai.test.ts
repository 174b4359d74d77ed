// The adapter over real HTTP: an answer is the same streamed and not, and an abort closes the connection.
import { describe, expect, test, vi } from "vitest";
import { AgentError } from "../../src/core/errors.ts";
import { type SimulatedReply, simulatedProvider } from "../../src/testing/index.ts";
import { answerTo, apis, call, failureOf, listening, ways } from "./exchange.ts";

describe("a good answer", () => {
  const answers: readonly { readonly what: string; readonly reply: SimulatedReply }[] = [
    { what: "text", reply: { text: "The order of 2026 — 🚚 is on its way to you.", chunkSize: 3 } },
    { what: "one call", reply: { calls: [{ name: "findOrder", arguments: { id: "4711" } }], chunkSize: 4 } },
    {
      what: "text and parallel calls",
      reply: { text: "Let me look.", calls: ["1", "2", "3"].map((id) => ({ name: "findOrder", arguments: { id } })), chunkSize: 5 },
    },
    { what: "calls without ids", reply: { calls: ["a", "b"].map((name) => ({ name, arguments: "{}", callId: null })) } },
    { what: "calls with the same id", reply: { calls: ["a", "b"].map((name) => ({ name, arguments: "{}", callId: "call" })) } },
    { what: "a call without arguments", reply: { calls: [{ name: "ping", arguments: "" }] } },
    { what: "a reason to stop we do not know", reply: { text: "Hm", finishReason: "moon_phase" } },
    {
      what: "usage in detail",
      reply: { text: "x", usage: { inputTokens: 9, inputTokenDetails: { cacheReadTokens: 4 }, outputTokens: 7 } },
    },
    { what: "no usage", reply: { text: "x", usage: null } },
  ];

  const cases = answers.flatMap((answer) => apis.map((api) => ({ ...answer, api })));
  test.for(cases)("is the same streamed and not: $what ($api)", async ({ reply, api }) => {
    expect(await answerTo(reply, { api, streaming: true })).toEqual(await answerTo(reply, { api, streaming: false }));
  });

  test.for(ways)("holds all there is to say about it $way", async ({ api, streaming }) => {
    const reply: SimulatedReply = {
      text: "Let me look.",
      calls: [{ name: "findOrder", arguments: { id: "4711" }, callId: "call_x" }],
      usage: {
        inputTokens: 120,
        inputTokenDetails: { cacheReadTokens: 100, cacheWriteTokens: 20 },
        outputTokens: 30,
        outputTokenDetails: { reasoningTokens: 8 },
      },
      model: "gpt-test-2026-01-01",
    };
    expect(await answerTo(reply, { api, streaming })).toEqual({
      message: {
        role: "assistant",
        content: [
          { type: "text", text: "Let me look." },
          { type: "tool-call", callId: "call_x", name: "findOrder", arguments: '{"id":"4711"}' },
        ],
      },
      finishReason: "tool-calls",
      usage: reply.usage,
      modelId: "gpt-test-2026-01-01",
      responseId: api === "chat" ? "chatcmpl-0" : "resp_0",
      requestId: "req_0",
    });
  });

  test.for(ways)("without usage has none, not zero $way", async (way) => {
    expect(await answerTo({ text: "x", usage: null }, way)).not.toHaveProperty("usage");
  });

  test.for(apis)("comes whole when a gateway ignores that a stream was asked for (%s)", async (api) => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stream-ignored", text: "All at once.", chunkSize: 3 }] });
    const pieces: string[] = [];
    const response = await call(provider, { options: { api }, onText: (text) => pieces.push(text) });
    expect(pieces).toEqual(["All at once."]);
    expect(response.finishReason).toBe("stop");
  });

  test.for(ways)("passes malformed arguments through as they came $way", async (way) => {
    const { message } = await answerTo({ fault: "malformed-arguments", name: "findOrder", arguments: '{"id": "47",}' }, way);
    expect(message.content).toMatchObject([{ type: "tool-call", name: "findOrder", arguments: '{"id": "47",}' }]);
  });

  test.for(apis)("streams in order, as slowly as the tokens come (%s)", async (api) => {
    const deltas = ["One ", "two ", "three ", "four"];
    await using provider = await simulatedProvider({ scenario: [{ fault: "slow-tokens", delayMs: 2, deltas }] });
    const pieces: string[] = [];
    await call(provider, { options: { api }, onText: (text) => pieces.push(text) });
    expect(pieces).toEqual(deltas);
  });
});

describe("finish reasons", () => {
  const broken = { calls: [{ name: "a", arguments: '{"cut' }] };
  const called = { calls: [{ name: "a", arguments: "{}" }] };
  const reasons = [
    { api: "chat", wire: "stop", reply: { text: "x" }, ours: "stop" },
    { api: "chat", wire: "length", reply: { text: "x" }, ours: "length" },
    { api: "chat", wire: "content_filter", reply: { text: "x" }, ours: "content-filter" },
    { api: "chat", wire: "tool_calls", reply: called, ours: "tool-calls" },
    { api: "chat", wire: "function_call", reply: called, ours: "tool-calls" },
    { api: "chat", wire: "stop", reply: called, ours: "tool-calls" },
    { api: "chat", wire: "length", reply: broken, ours: "length" },
    { api: "chat", wire: "constructor", reply: { text: "x" }, ours: "other" },
    { api: "responses", wire: "completed", reply: { text: "x" }, ours: "stop" },
    { api: "responses", wire: "completed", reply: called, ours: "tool-calls" },
    { api: "responses", wire: "max_output_tokens", reply: { text: "x" }, ours: "length" },
    { api: "responses", wire: "max_output_tokens", reply: broken, ours: "length" },
    { api: "responses", wire: "content_filter", reply: { text: "x" }, ours: "content-filter" },
    { api: "responses", wire: "constructor", reply: { text: "x" }, ours: "other" },
  ] as const;
  const cases = reasons.flatMap((reason) => [true, false].map((streaming) => ({ ...reason, streaming })));
  test.for(cases)("$wire of $api is $ours, streamed: $streaming", async ({ api, streaming, wire, reply, ours }) => {
    expect((await answerTo({ ...reply, finishReason: wire }, { api, streaming })).finishReason).toBe(ours);
  });
});

describe("abort", () => {
  const halted = new AgentError("halted", "Somebody halted the run.");

  test("before the call asks for no key and sends nothing", async () => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    const apiKey = vi.fn(() => "key-1");
    expect(await failureOf(call(provider, { options: { apiKey }, signal: AbortSignal.abort(halted) }))).toBe(halted);
    expect(apiKey).not.toHaveBeenCalled();
    expect(provider.count).toBe(0);
  });

  test.for(ways)("while nothing is answered closes the connection $way", async ({ api, streaming }) => {
    const controller = new AbortController();
    await using provider = await simulatedProvider({
      rules: () => {
        controller.abort(halted);
        return { fault: "hang" };
      },
    });
    const exchange = { options: { api }, signal: controller.signal, ...listening(streaming) };
    expect(await failureOf(call(provider, exchange))).toBe(halted);
    await provider.requests[0]?.ended;
    expect(provider.requests[0]).toMatchObject({ disconnected: true });
  });

  test.for(apis)("in the middle of a stream closes the connection (%s)", async (api) => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "Hello", afterChunks: 2 }] });
    const controller = new AbortController();
    const error = await failureOf(call(provider, { options: { api }, signal: controller.signal, onText: () => controller.abort(halted) }));
    expect(error).toBe(halted);
    await provider.requests[0]?.ended;
    expect(provider.requests[0]).toMatchObject({ disconnected: true, status: 200 });
  });

  test("for a reason that is not ours is `cancelled`, with the reason as its cause", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "Hello", afterChunks: 2 }] });
    const controller = new AbortController();
    const error = await failureOf(call(provider, { signal: controller.signal, onText: () => controller.abort("enough") }));
    expect(error).toMatchObject({ code: "cancelled", cause: "enough" });
  });
});
