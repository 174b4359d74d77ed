// anthropic() over real HTTP: an answer is the same streamed and not, with all there is to say about it, and an abort closes the connection.
import { describe, expect, test, vi } from "vitest";
import { createAgent } from "../../src/agent.ts";
import { AgentError } from "../../src/core/errors.ts";
import { tool } from "../../src/core/tool.ts";
import type { Usage } from "../../src/core/usage.ts";
import { anthropic } from "../../src/providers/anthropic/anthropic.ts";
import { type SimulatedReply, simulatedProvider } from "../../src/testing/index.ts";
import { answerTo, begin, bothWays, call, end, eventsFetch, grow, jsonFetch, start, streamed, ways } from "./anthropic-exchange.ts";
import { failureOf } from "./exchange.ts";

const url = "http://127.0.0.1:9";
const usageInDetail: Usage = {
  inputTokens: 120,
  inputTokenDetails: { cacheReadTokens: 100, cacheWriteTokens: 15 },
  outputTokens: 30,
  outputTokenDetails: { reasoningTokens: 8 },
};

describe("a good answer", () => {
  const answers: readonly { readonly what: string; readonly reply: SimulatedReply }[] = [
    { what: "text", reply: { text: "The order of 2026 — 🚚 is on its way to you.", chunkSize: 3 } },
    { what: "no text at all", reply: { text: "" } },
    { what: "one call", reply: { calls: [{ name: "findOrder", arguments: { id: "4711" } }], chunkSize: 4 } },
    { what: "a call whose arguments have blanks in them", reply: { calls: [{ name: "a", arguments: '{ "id" : 1 }' }], chunkSize: 4 } },
    {
      what: "thinking, text and parallel calls",
      reply: {
        reasoning: "First I look, then I tell.",
        text: "Let me look.",
        calls: ["1", "2", "3"].map((id) => ({ name: "findOrder", arguments: { id } })),
        chunkSize: 5,
      },
    },
    { what: "calls without ids", reply: { calls: ["a", "b"].map((name) => ({ name, arguments: "{}", callId: null })) } },
    { what: "calls with the same id", reply: { calls: ["a", "b"].map((name) => ({ name, arguments: "{}", callId: "call" })) } },
    { what: "a call without arguments", reply: { calls: [{ name: "ping", arguments: "" }] } },
    { what: "malformed arguments", reply: { fault: "malformed-arguments", name: "findOrder", arguments: '{"id": "47",}' } },
    { what: "a reason to stop we do not know", reply: { text: "Hm", finishReason: "moon_phase" } },
    { what: "a refusal", reply: { refusal: "I will not." } },
    { what: "usage in detail", reply: { text: "x", usage: usageInDetail } },
    { what: "no usage", reply: { text: "x", usage: null } },
  ];
  test.for(answers)("is the same streamed and not: $what", async ({ reply }) => {
    expect(await answerTo(reply, true)).toEqual(await answerTo(reply, false));
  });

  test.for(ways)("holds all there is to say about it $way", async ({ streaming }) => {
    const reply: SimulatedReply = {
      reasoning: "I need the order.",
      text: "Let me look.",
      calls: [
        { name: "findOrder", arguments: { id: "4711" }, callId: "toolu_x" },
        { name: "ping", arguments: "" },
      ],
      usage: usageInDetail,
      model: "claude-test-20260101",
      headers: {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-01-01T00:01:00Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-output-tokens-limit": "many",
        "anthropic-ratelimit-output-tokens-remaining": "99999999999999999999",
      },
    };
    expect(await answerTo(reply, streaming)).toEqual({
      message: {
        role: "assistant",
        content: [
          { type: "reasoning", text: "I need the order.", providerMetadata: { anthropic: { signature: "signature_0" } } },
          { type: "text", text: "Let me look." },
          { type: "tool-call", callId: "toolu_x", name: "findOrder", arguments: '{"id":"4711"}' },
          { type: "tool-call", callId: "call_0_1", name: "ping", arguments: "{}" },
        ],
      },
      finishReason: "tool-calls",
      usage: usageInDetail,
      modelId: "claude-test-20260101",
      responseId: "msg_0",
      requestId: "req_0",
      rateLimits: { requests: { limit: 50, remaining: 49, resetAt: Date.UTC(2026, 0, 1, 0, 1) }, inputTokens: { remaining: 0 } },
    });
  });

  const redacted = { type: "redacted_thinking", data: "opaque" };
  const silent = { type: "thinking", thinking: "", signature: "signed" };
  const interleaved = bothWays(
    {
      content: [redacted, silent, { type: "text", text: "a" }, { type: "moon_phase", text: "?" }, { type: "text", text: "b" }],
      stop_reason: "end_turn",
    },
    [
      start(),
      begin(0, redacted),
      begin(1, { ...silent, signature: "" }),
      grow(1, { type: "signature_delta", signature: "signed" }),
      begin(2, { type: "text", text: "" }),
      grow(2, { type: "text_delta", text: "a" }),
      begin(3, { type: "moon_phase", text: "" }),
      grow(3, { type: "text_delta", text: "?" }),
      begin(4, { type: "text", text: "b" }),
      end("end_turn"),
    ],
  );
  test.for(interleaved)("keeps thinking that cannot be read in its place $way", async ({ told, fetch }) => {
    const { message } = await call(url, { ...told, options: { fetch } });
    expect(message.content).toEqual([
      { type: "reasoning", text: "", providerMetadata: { anthropic: { redactedData: "opaque" } } },
      { type: "reasoning", text: "", providerMetadata: { anthropic: { signature: "signed" } } },
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]);
  });

  test("comes whole when a gateway ignores that a stream was asked for", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stream-ignored", text: "All at once.", chunkSize: 3 }] });
    const pieces: string[] = [];
    const response = await call(provider.url, { onText: (text) => pieces.push(text) });
    expect(pieces).toEqual(["All at once."]);
    expect(response.finishReason).toBe("stop");
  });

  test("streams in order, as slowly as the tokens come", async () => {
    const deltas = ["One ", "two ", "three ", "four"];
    await using provider = await simulatedProvider({ scenario: [{ fault: "slow-tokens", delayMs: 2, deltas }] });
    const pieces: string[] = [];
    await call(provider.url, { onText: (text) => pieces.push(text) });
    expect(pieces).toEqual(deltas);
  });

  test("is complete with any reason to stop", async () => {
    const fetch = eventsFetch(start(), begin(0, { type: "text", text: "x" }), end("pause_turn"));
    expect(await call(url, { ...streamed(true), options: { fetch } })).toMatchObject({ finishReason: "other" });
  });

  test("says by which rule the provider refused", async () => {
    const whole = { content: [], stop_reason: "refusal", stop_details: { type: "refusal", category: "cyber", explanation: "secret" } };
    const response = await call(url, { options: { fetch: jsonFetch(whole) } });
    expect(response).toMatchObject({ finishReason: "content-filter", providerMetadata: { anthropic: { refusal: "cyber" } } });
    expect(JSON.stringify(response)).not.toContain("secret");
  });
});

describe("while streaming", () => {
  test("what is no visible text is progress; what says nothing is not", async () => {
    const heard: string[] = [];
    const events = [
      start(),
      { type: "ping" },
      begin(0, { type: "thinking", thinking: "", signature: "" }),
      grow(0, { type: "thinking_delta", thinking: "" }),
      grow(0, { type: "thinking_delta", thinking: "Hm." }),
      grow(0, { type: "signature_delta", signature: "s" }),
      begin(1, { type: "text", text: "" }),
      grow(1, { type: "text_delta", text: "" }),
      begin(2, { type: "tool_use", id: "x", name: "a", input: {} }),
      grow(2, { type: "input_json_delta", partial_json: "" }),
      grow(2, { type: "input_json_delta", partial_json: "{}" }),
      { type: "content_block_stop", index: 2 },
      end("tool_use"),
    ];
    await call(url, { onText: (text) => heard.push(text), onProgress: () => heard.push("+"), options: { fetch: eventsFetch(...events) } });
    expect(heard).toEqual(["+", "+", "+", "+"]);
  });

  test("the input is known from the start, so that a broken answer is charged too", async () => {
    const reply: SimulatedReply = { fault: "reset-mid-body", text: "Half an answer", usage: usageInDetail, afterChunks: 2 };
    await using provider = await simulatedProvider({ scenario: [reply] });
    const reports: Usage[] = [];
    await failureOf(call(provider.url, { ...streamed(true), onUsage: (usage) => reports.push(usage) }));
    expect(reports).toEqual([{ inputTokens: 120, inputTokenDetails: { cacheReadTokens: 100, cacheWriteTokens: 15 }, outputTokens: 1 }]);
  });

  test("a later report takes the place of an earlier one and keeps what it does not say", async () => {
    const reports: Usage[] = [];
    const fetch = eventsFetch(
      start({ usage: { input_tokens: 5, cache_read_input_tokens: 90, cache_creation_input_tokens: null, output_tokens: 1 } }),
      end("end_turn", { usage: { output_tokens: 40, input_tokens: null, output_tokens_details: { thinking_tokens: 30 } } }),
      { type: "message_stop" },
    );
    const response = await call(url, { ...streamed(true), options: { fetch }, onUsage: (usage) => reports.push(usage) });
    const first = { inputTokens: 95, inputTokenDetails: { cacheReadTokens: 90 } };
    const last = { ...first, outputTokens: 40, outputTokenDetails: { reasoningTokens: 30 } };
    expect(reports).toEqual([{ ...first, outputTokens: 1 }, last]);
    expect(response.usage).toEqual(last);
  });

  test("numbers that are none are left out of the usage", async () => {
    const usage = { input_tokens: -1, cache_read_input_tokens: "9", output_tokens: 3, output_tokens_details: null };
    const fetch = jsonFetch({ content: [], stop_reason: "end_turn", usage });
    expect((await call(url, { options: { fetch } })).usage).toEqual({ outputTokens: 3 });
  });
});

describe("in an agent", () => {
  test.for(ways)("a loop hands back what was thought and called $way", async ({ streaming }) => {
    const scenario: readonly SimulatedReply[] = [
      { reasoning: "I need the order.", calls: [{ name: "findOrder", arguments: { id: "4711" }, callId: "toolu_x" }] },
      { text: "It is on its way." },
    ];
    await using provider = await simulatedProvider({ scenario });
    const inputSchema = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
    const findOrder = tool({ description: "Finds an order.", effect: "read", inputSchema, execute: () => "sent" });
    const model = anthropic("claude-test", { apiKey: "key-1", baseURL: provider.url, promptCache: "off" });
    const agent = createAgent({ name: "desk", model, tools: { findOrder } });
    const result = await (streaming ? agent.stream("Where is it?").result : agent.run("Where is it?"));
    expect(result).toMatchObject({ status: "completed", output: "It is on its way." });
    expect(provider.requests.map((request) => request.streamed)).toEqual([streaming, streaming]);
    expect(provider.requests[1]?.body.messages?.slice(1)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "I need the order.", signature: "signature_0" },
          { type: "tool_use", id: "toolu_x", name: "findOrder", input: { id: "4711" } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_x", content: "sent" }] },
    ]);
  });
});

describe("finish reasons", () => {
  const reasons = [
    { wire: "end_turn", reply: { text: "x" }, ours: "stop" },
    { wire: "stop_sequence", reply: { text: "x" }, ours: "stop" },
    { wire: "max_tokens", reply: { text: "x" }, ours: "length" },
    { wire: "model_context_window_exceeded", reply: { text: "x" }, ours: "length" },
    { wire: "refusal", reply: { text: "x" }, ours: "content-filter" },
    { wire: "pause_turn", reply: { text: "x" }, ours: "other" },
    { wire: "constructor", reply: { text: "x" }, ours: "other" },
    { wire: "tool_use", reply: { calls: [{ name: "a", arguments: "{}" }] }, ours: "tool-calls" },
    { wire: "end_turn", reply: { calls: [{ name: "a", arguments: "{}" }] }, ours: "tool-calls" },
    { wire: "max_tokens", reply: { calls: [{ name: "a", arguments: "{}" }] }, ours: "length" },
  ].flatMap((reason) => ways.map((way) => ({ ...reason, ...way })));
  test.for(reasons)("$wire is $ours $way", async ({ wire, reply, ours, streaming }) => {
    expect((await answerTo({ ...reply, finishReason: wire }, streaming)).finishReason).toBe(ours);
  });
});

describe("abort", () => {
  const halted = new AgentError("halted", "Somebody halted the run.");

  test("before the call asks for no key and sends nothing", async () => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    const apiKey = vi.fn(() => "key-1");
    expect(await failureOf(call(provider.url, { options: { apiKey }, signal: AbortSignal.abort(halted) }))).toBe(halted);
    expect(apiKey).not.toHaveBeenCalled();
    expect(provider.count).toBe(0);
  });

  const silences = ways.flatMap((way) => (["hang", "headers-then-silence", "stall"] as const).map((fault) => ({ ...way, fault })));
  test.for(silences)("ends $fault $way and closes the connection", async ({ fault, streaming }) => {
    const controller = new AbortController();
    const abort = () => setImmediate(() => controller.abort(halted));
    await using provider = await simulatedProvider({
      rules: () => {
        if (fault === "hang") abort();
        return { fault, text: "Hello, and a good morning to all of you." };
      },
    });
    // Once there is a head, the SDK is reading the body.
    const fetch: typeof globalThis.fetch = (...request) => globalThis.fetch(...request).finally(abort);
    const exchange = { signal: controller.signal, options: { fetch }, ...streamed(streaming) };
    expect(await failureOf(call(provider.url, exchange))).toBe(halted);
    await provider.requests[0]?.ended;
    expect(provider.requests[0]).toMatchObject({ disconnected: true });
  });

  test("for a reason that is not ours is `cancelled`, with the reason as its cause", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "Hello", afterChunks: 2 }] });
    const controller = new AbortController();
    const error = await failureOf(call(provider.url, { signal: controller.signal, onText: () => controller.abort("enough") }));
    expect(error).toMatchObject({ code: "cancelled", cause: "enough" });
  });
});
