// What is sent: all that was asked for and nothing else.
import { describe, expect, test } from "vitest";
import type { ModelRequest, ModelSettings } from "../../src/core/model.ts";
import { simulatedProvider } from "../../src/testing/index.ts";
import { call, plainRequest, prompt } from "./exchange.ts";

const findOrder = { name: "findOrder", description: "Finds an order.", inputSchema: { type: "object" } };

describe("the request body", () => {
  async function bodyOf(request: Partial<ModelRequest>, streaming = false) {
    await using provider = await simulatedProvider({ scenario: [{ text: "x" }] });
    await call(provider, { request: { ...plainRequest, ...request }, ...(streaming ? { onText: () => {} } : {}) });
    return provider.requests[0]?.body;
  }

  test("holds nothing that was not asked for", async () => {
    const settings: ModelSettings = { toolChoice: "required", parallelToolCalls: false };
    expect(await bodyOf({ settings })).toEqual({ model: "gpt-test", messages: [{ role: "user", content: prompt }] });
  });

  test("asks for usage when it asks for a stream", async () => {
    expect(await bodyOf({}, true)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  test("holds every setting, the tools and the shape of the answer", async () => {
    // An object that does not say what it has cannot be strict, and OpenAI wants even that said.
    const loose = { type: "object", properties: {} };
    const settings: Required<ModelSettings> = {
      maxOutputTokens: 100,
      temperature: 0,
      topP: 0.9,
      seed: 7,
      stop: ["END"],
      reasoningEffort: "low",
      toolChoice: "auto",
      parallelToolCalls: false,
    };
    expect(await bodyOf({ settings, tools: [findOrder], output: { name: "reply", schema: { type: "object" } } })).toEqual({
      model: "gpt-test",
      messages: [{ role: "user", content: prompt }],
      max_completion_tokens: 100,
      temperature: 0,
      top_p: 0.9,
      seed: 7,
      stop: ["END"],
      reasoning_effort: "low",
      tools: [{ type: "function", function: { name: "findOrder", description: "Finds an order.", parameters: loose } }],
      tool_choice: "auto",
      parallel_tool_calls: false,
      response_format: { type: "json_schema", json_schema: { name: "reply", schema: loose, strict: false } },
    });
  });

  test("holds the conversation", async () => {
    const body = await bodyOf({
      messages: [
        { role: "system", content: "Be kind." },
        { role: "user", content: [{ type: "text", text: "Hello" }] },
        { role: "assistant", content: [{ type: "reasoning", text: "Hm." }] },
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "Hm." },
            { type: "tool-call", callId: "c1", name: "findOrder", arguments: '{"id":' },
          ],
        },
        { role: "tool", callId: "c1", name: "findOrder", content: "No such order.", isError: true },
        {
          role: "assistant",
          content: [
            { type: "text", text: "One " },
            { type: "text", text: "moment." },
            { type: "tool-call", callId: "c2", name: "ping", arguments: "" },
          ],
        },
        { role: "tool", callId: "c2", name: "ping", content: "pong" },
      ],
    });
    expect(body?.messages).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: [{ type: "text", text: "Hello" }] },
      { role: "assistant", content: "" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ type: "function", id: "c1", function: { name: "findOrder", arguments: '{"id":' } }],
      },
      { role: "tool", tool_call_id: "c1", content: "No such order." },
      {
        role: "assistant",
        content: "One moment.",
        tool_calls: [{ type: "function", id: "c2", function: { name: "ping", arguments: "" } }],
      },
      { role: "tool", tool_call_id: "c2", content: "pong" },
    ]);
  });
});
