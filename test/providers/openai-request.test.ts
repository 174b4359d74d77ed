// What is sent to Chat Completions: all that was asked for and nothing else.
import { describe, expect, test } from "vitest";
import type { FilePart, UserPart } from "../../src/core/message.ts";
import type { ModelSettings } from "../../src/core/model.ts";
import { bodyOf, failureOf, prompt } from "./exchange.ts";

const findOrder = { name: "findOrder", description: "Finds an order.", inputSchema: { type: "object" } };

describe("the body of a Chat Completion", () => {
  test("holds nothing that was not asked for", async () => {
    const settings: ModelSettings = { toolChoice: "required", parallelToolCalls: false };
    expect(await bodyOf({ settings })).toEqual({ model: "gpt-test", messages: [{ role: "user", content: prompt }] });
  });

  test("asks for usage when it asks for a stream", async () => {
    expect(await bodyOf({}, { streaming: true })).toMatchObject({ stream: true, stream_options: { include_usage: true } });
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

  test("holds files, as their media types want them", async () => {
    const content: readonly UserPart[] = [
      { type: "file", mediaType: "image/png", data: "aW1n" },
      { type: "file", mediaType: "image/png", url: "https://example.com/a.png" },
      { type: "file", mediaType: "audio/mpeg", data: "YXVk" },
      { type: "file", mediaType: "application/pdf", data: "cGRm" },
      { type: "file", mediaType: "application/pdf", data: "cGRm", filename: "bill.pdf" },
    ];
    expect((await bodyOf({ messages: [{ role: "user", content }] }))?.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "data:image/png;base64,aW1n" } },
          { type: "image_url", image_url: { url: "https://example.com/a.png" } },
          { type: "input_audio", input_audio: { data: "YXVk", format: "mp3" } },
          { type: "file", file: { filename: "file.pdf", file_data: "data:application/pdf;base64,cGRm" } },
          { type: "file", file: { filename: "bill.pdf", file_data: "data:application/pdf;base64,cGRm" } },
        ],
      },
    ]);
  });

  const refused: readonly FilePart[] = [
    { type: "file", mediaType: "application/pdf", url: "https://example.com/a.pdf" },
    { type: "file", mediaType: "audio/wav", url: "https://example.com/a.wav" },
    { type: "file", mediaType: "audio/flac", data: "YXVk" },
  ];
  test.for(refused)("is not made for a file the API cannot take: $mediaType", async (part) => {
    const error = await failureOf(bodyOf({ messages: [{ role: "user", content: [part] }] }));
    expect(error).toMatchObject({ code: "provider_rejected", retryable: false, details: { mediaType: part.mediaType } });
  });

  test("gives every call an id of its own, which its result shares", async () => {
    const calls = ["same", "same", "", "x".repeat(41)];
    const body = await bodyOf({
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", content: calls.map((callId) => ({ type: "tool-call", callId, name: "ping", arguments: "{}" })) },
        ...calls.map((callId, position) => ({ role: "tool", callId, name: "ping", content: `${position}` }) as const),
      ],
    });
    const ids = body?.messages?.[1]?.tool_calls?.map(({ id }) => id) ?? [];
    expect(new Set(ids).size).toBe(4);
    expect(ids[0]).toBe("same");
    expect(ids.every((id) => id !== "" && id.length <= 40)).toBe(true);
    expect(body?.messages?.slice(2).map(({ tool_call_id, content }) => [tool_call_id, content])).toEqual(
      ids.map((id, at) => [id, `${at}`]),
    );
  });

  test("holds what the options say of caching and keeping", async () => {
    const body = await bodyOf({}, { options: { promptCacheKey: "desk", promptCacheTtl: "30m", store: true } });
    expect(body).toMatchObject({ prompt_cache_key: "desk", prompt_cache_options: { ttl: "30m" }, store: true });
  });
});
