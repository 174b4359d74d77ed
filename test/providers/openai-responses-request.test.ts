// What is sent to Responses: all that was asked for and nothing else, in the order in which it was said.
import { describe, expect, test } from "vitest";
import type { AssistantPart, Message, UserPart } from "../../src/core/message.ts";
import { bodyOf, failureOf, prompt } from "./exchange.ts";

const options = { api: "responses" } as const;
const always = {
  model: "gpt-test",
  input: [{ type: "message", role: "user", content: prompt }],
  store: false,
  include: ["reasoning.encrypted_content"],
};
const findOrder = { name: "findOrder", description: "Finds an order.", inputSchema: { type: "object" } };

const inputOf = async (...messages: readonly Message[]) => (await bodyOf({ messages }, { options }))?.input;

describe("the body of a response", () => {
  test("holds nothing that was not asked for, and lets nothing be kept", async () => {
    expect(await bodyOf({ settings: { toolChoice: "required", parallelToolCalls: false } }, { options })).toEqual(always);
    expect(await bodyOf({}, { options, streaming: true })).toEqual({ ...always, stream: true });
  });

  test("holds every setting the API has, the tools and the shape of the answer", async () => {
    const settings = {
      maxOutputTokens: 100,
      temperature: 0,
      topP: 0.9,
      reasoningEffort: "xhigh",
      toolChoice: "auto",
      parallelToolCalls: false,
    } as const;
    const loose = { type: "object", properties: {} };
    const body = await bodyOf(
      { settings, tools: [findOrder], output: { name: "reply", schema: { type: "object" } } },
      {
        options: { ...options, store: true, promptCacheKey: "desk", promptCacheTtl: "12h", reasoningSummary: "auto" },
      },
    );
    expect(body).toEqual({
      ...always,
      store: true,
      max_output_tokens: 100,
      temperature: 0,
      top_p: 0.9,
      reasoning: { effort: "xhigh", summary: "auto" },
      tools: [{ type: "function", name: "findOrder", description: "Finds an order.", parameters: loose, strict: false }],
      tool_choice: "auto",
      parallel_tool_calls: false,
      text: { format: { type: "json_schema", name: "reply", schema: loose, strict: false } },
      prompt_cache_key: "desk",
      prompt_cache_options: { ttl: "12h" },
    });
  });

  test("holds the conversation", async () => {
    const input = await inputOf(
      { role: "system", content: "Be kind." },
      { role: "user", content: [{ type: "text", text: "Hello" }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "One moment." },
          { type: "tool-call", callId: "c1", name: "findOrder", arguments: '{"id":' },
          { type: "tool-call", callId: "c2", name: "ping", arguments: "" },
        ],
      },
      { role: "tool", callId: "c2", name: "ping", content: "pong" },
      { role: "tool", callId: "c1", name: "findOrder", content: "No such order.", isError: true },
      { role: "assistant", content: [{ type: "text", text: "" }] },
      { role: "user", content: "Thanks" },
    );
    expect(input).toEqual([
      { type: "message", role: "system", content: "Be kind." },
      { type: "message", role: "user", content: [{ type: "input_text", text: "Hello" }] },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "One moment." }] },
      { type: "function_call", call_id: "c1", name: "findOrder", arguments: '{"id":' },
      { type: "function_call", call_id: "c2", name: "ping", arguments: "" },
      { type: "function_call_output", call_id: "c2", output: "pong" },
      { type: "function_call_output", call_id: "c1", output: "No such order." },
      { type: "message", role: "user", content: "Thanks" },
    ]);
  });

  test("holds files, as their media types want them", async () => {
    const content: readonly UserPart[] = [
      { type: "file", mediaType: "image/png", data: "aW1n" },
      { type: "file", mediaType: "image/png", url: "https://example.com/a.png" },
      { type: "file", mediaType: "application/pdf", data: "cGRm" },
      { type: "file", mediaType: "application/pdf", data: "cGRm", filename: "bill.pdf" },
      { type: "file", mediaType: "application/pdf", url: "https://example.com/a.pdf" },
    ];
    expect(await inputOf({ role: "user", content })).toEqual([
      {
        type: "message",
        role: "user",
        content: [
          { type: "input_image", image_url: "data:image/png;base64,aW1n", detail: "auto" },
          { type: "input_image", image_url: "https://example.com/a.png", detail: "auto" },
          { type: "input_file", filename: "file.pdf", file_data: "data:application/pdf;base64,cGRm" },
          { type: "input_file", filename: "bill.pdf", file_data: "data:application/pdf;base64,cGRm" },
          { type: "input_file", file_url: "https://example.com/a.pdf" },
        ],
      },
    ]);
    const audio = inputOf({ role: "user", content: [{ type: "file", mediaType: "audio/wav", data: "YXVk" }] });
    expect(await failureOf(audio)).toMatchObject({ code: "provider_rejected", hint: expect.stringContaining("chat") });
  });

  test("gives every call an id of its own over all turns, which its result shares", async () => {
    const turn = (callId: string, content: string): readonly Message[] => [
      { role: "assistant", content: [{ type: "tool-call", callId, name: "ping", arguments: "{}" }] },
      { role: "tool", callId, name: "ping", content },
    ];
    const input = await inputOf(
      { role: "user", content: "go" },
      ...turn("call", "1"),
      ...turn("call", "2"),
      ...turn("", "3"),
      ...turn("x".repeat(65), "4"),
    );
    const items: readonly unknown[] = Array.isArray(input) ? input.slice(1) : [];
    const ids = items.map((item) => Object(item).call_id);
    expect(ids[0]).toBe("call");
    expect(new Set(ids).size).toBe(4);
    for (let position = 0; position < 8; position += 2) expect(ids[position]).toBe(ids[position + 1]);
    expect(ids.every((id) => typeof id === "string" && id !== "" && id.length <= 64)).toBe(true);
  });
});

describe("reasoning in the input", () => {
  const thought = (openai: object): AssistantPart => ({
    type: "reasoning",
    text: "Hm.",
    providerMetadata: JSON.parse(JSON.stringify({ openai })),
  });
  const answer: AssistantPart = { type: "text", text: "Yes." };
  const itemsOf = async (...content: readonly AssistantPart[]) => {
    const input = await inputOf({ role: "user", content: "?" }, { role: "assistant", content }, { role: "user", content: "!" });
    return Array.isArray(input) ? input.slice(1, -1) : [];
  };
  const said = { type: "message", role: "assistant", content: [{ type: "output_text", text: "Yes." }] };

  test("stands before what it led to, as it was", async () => {
    expect(await itemsOf(thought({ id: "rs_1", encryptedContent: "secret" }), answer)).toEqual([
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "secret" },
      said,
    ]);
    expect(await itemsOf(thought({ id: "rs_1", encryptedContent: "secret", summary: ["H", "m."] }), answer)).toMatchObject([
      { summary: [{ text: "H" }, { text: "m." }] },
      said,
    ]);
    expect(await itemsOf(thought({ id: "rs_1", summary: [], content: ["Hm."] }), answer)).toEqual([
      { type: "reasoning", id: "rs_1", summary: [], content: [{ type: "reasoning_text", text: "Hm." }] },
      said,
    ]);
  });

  test.for([
    { what: "another provider's", part: { type: "reasoning", text: "Hm.", providerMetadata: { anthropic: { signature: "s" } } } },
    { what: "another model's", part: thought({ id: "rs_1", encryptedContent: "secret", model: "gpt-other" }) },
    { what: "kept at the provider only", part: thought({ id: "rs_1" }) },
    { what: "of Chat Completions", part: thought({ field: "reasoning_content" }) },
    { what: "nobody's", part: { type: "reasoning", text: "Hm." } },
    { what: "malformed", part: thought(["rs_1"]) },
  ] as const)("is left out when it is $what", async ({ part }) => {
    expect(await itemsOf(part, answer)).toEqual([said]);
  });

  test("is left out where nothing follows it", async () => {
    expect(await itemsOf(answer, thought({ id: "rs_1", encryptedContent: "secret" }))).toEqual([said]);
    expect(await itemsOf(thought({ id: "rs_1", encryptedContent: "secret" }))).toEqual([]);
  });
});
