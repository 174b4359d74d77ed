// The adapter over real HTTP: an answer is the same streamed and not, and an abort closes the connection.
import { describe, expect, test, vi } from "vitest";
import { AgentError } from "../../src/core/errors.ts";
import { type SimulatedReply, simulatedProvider } from "../../src/testing/index.ts";
import { answerTo, call, failureOf, ways } from "./exchange.ts";

describe("a good answer", () => {
  const answers: readonly { readonly what: string; readonly reply: SimulatedReply }[] = [
    { what: "text", reply: { text: "The order of 2026 — 🚚 is on its way to you.", chunkSize: 3 } },
    { what: "no text at all", reply: { text: "" } },
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

  test.for(answers)("is the same streamed and not: $what", async ({ reply }) => {
    expect(await answerTo(reply, true)).toEqual(await answerTo(reply, false));
  });

  test.for(ways)("holds all there is to say about it $way", async ({ streaming }) => {
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
    expect(await answerTo(reply, streaming)).toEqual({
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
      responseId: "chatcmpl-0",
      requestId: "req_0",
    });
  });

  test.for(ways)("without usage has none, not zero $way", async ({ streaming }) => {
    expect(await answerTo({ text: "x", usage: null }, streaming)).not.toHaveProperty("usage");
  });

  test("comes whole when a gateway ignores that a stream was asked for", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stream-ignored", text: "All at once.", chunkSize: 3 }] });
    const pieces: string[] = [];
    const response = await call(provider, { onText: (text) => pieces.push(text) });
    expect(pieces).toEqual(["All at once."]);
    expect(response.finishReason).toBe("stop");
  });

  test.for(ways)("passes malformed arguments through as they came $way", async ({ streaming }) => {
    const { message } = await answerTo({ fault: "malformed-arguments", name: "findOrder", arguments: '{"id": "47",}' }, streaming);
    expect(message.content).toMatchObject([{ type: "tool-call", name: "findOrder", arguments: '{"id": "47",}' }]);
  });

  test("streams in order, as slowly as the tokens come", async () => {
    const deltas = ["One ", "two ", "three ", "four"];
    await using provider = await simulatedProvider({ scenario: [{ fault: "slow-tokens", delayMs: 2, deltas }] });
    const pieces: string[] = [];
    await call(provider, { onText: (text) => pieces.push(text) });
    expect(pieces).toEqual(deltas);
  });
});

describe("finish reasons", () => {
  const reasons = [
    { wire: "stop", reply: { text: "x" }, ours: "stop" },
    { wire: "length", reply: { text: "x" }, ours: "length" },
    { wire: "content_filter", reply: { text: "x" }, ours: "content-filter" },
    { wire: "tool_calls", reply: { calls: [{ name: "a", arguments: "{}" }] }, ours: "tool-calls" },
    { wire: "function_call", reply: { calls: [{ name: "a", arguments: "{}" }] }, ours: "tool-calls" },
    { wire: "stop", reply: { calls: [{ name: "a", arguments: "{}" }] }, ours: "tool-calls" },
    { wire: "length", reply: { calls: [{ name: "a", arguments: '{"cut' }] }, ours: "length" },
    { wire: "constructor", reply: { text: "x" }, ours: "other" },
  ];
  test.for(reasons)("$wire is $ours", async ({ wire, reply, ours }) => {
    expect((await answerTo({ ...reply, finishReason: wire }, false)).finishReason).toBe(ours);
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

  test.for(ways)("while nothing is answered closes the connection $way", async ({ streaming }) => {
    const controller = new AbortController();
    await using provider = await simulatedProvider({
      rules: () => {
        controller.abort(halted);
        return { fault: "hang" };
      },
    });
    const exchange = { signal: controller.signal, ...(streaming ? { onText: () => {} } : {}) };
    expect(await failureOf(call(provider, exchange))).toBe(halted);
    await provider.requests[0]?.ended;
    expect(provider.requests[0]).toMatchObject({ disconnected: true });
  });

  test("in the middle of a stream closes the connection", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "Hello", afterChunks: 2 }] });
    const controller = new AbortController();
    const error = await failureOf(call(provider, { signal: controller.signal, onText: () => controller.abort(halted) }));
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
