// What is sent to Anthropic: all that was asked for and nothing else, marked for its cache.
import { describe, expect, test } from "vitest";
import type { Message, UserPart } from "../../src/core/message.ts";
import type { ModelSettings } from "../../src/core/model.ts";
import type { AnthropicOptions } from "../../src/providers/anthropic/anthropic.ts";
import { bodyOf } from "./anthropic-exchange.ts";
import { failureOf, prompt } from "./exchange.ts";

const schema = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
const findOrder = { name: "findOrder", description: "Finds an order.", inputSchema: schema };
const asked: Message = { role: "user", content: prompt };
const askedBlock = { type: "text", text: prompt };
const mark = { cache_control: { type: "ephemeral" } };

describe("the request body", () => {
  test("holds nothing that was not asked for", async () => {
    const settings: ModelSettings = { toolChoice: "required", parallelToolCalls: false };
    expect(await bodyOf({ settings })).toEqual({
      model: "claude-test",
      max_tokens: 16_000,
      messages: [{ role: "user", content: [askedBlock] }],
    });
  });

  test("holds every setting, the tools and the shape of the answer", async () => {
    const settings: ModelSettings = {
      maxOutputTokens: 100,
      stop: ["END"],
      reasoningEffort: "medium",
      toolChoice: "auto",
      parallelToolCalls: false,
    };
    const output = { name: "reply", schema };
    expect(await bodyOf({ settings, tools: [findOrder], output }, { promptCache: "off" })).toEqual({
      model: "claude-test",
      max_tokens: 100,
      stop_sequences: ["END"],
      thinking: { type: "adaptive" },
      output_config: { effort: "medium", format: { type: "json_schema", schema: { ...schema, additionalProperties: false } } },
      messages: [{ role: "user", content: [askedBlock] }],
      tools: [
        {
          name: "findOrder",
          description: "Finds an order.",
          input_schema: { ...schema, additionalProperties: false },
          strict: true,
        },
      ],
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
    });
  });

  const choices: readonly { readonly settings: ModelSettings; readonly sent: object | undefined }[] = [
    { settings: {}, sent: undefined },
    { settings: { toolChoice: "required" }, sent: { type: "any" } },
    { settings: { toolChoice: "none", parallelToolCalls: true }, sent: { type: "none" } },
    { settings: { parallelToolCalls: true }, sent: { type: "auto", disable_parallel_tool_use: false } },
    { settings: { toolChoice: "required", parallelToolCalls: false }, sent: { type: "any", disable_parallel_tool_use: true } },
  ];
  test.for(choices)("chooses tools: $settings", async ({ settings, sent }) => {
    expect((await bodyOf({ settings, tools: [findOrder] }))["tool_choice"]).toEqual(sent);
  });

  const thoughts: readonly {
    readonly settings: ModelSettings;
    readonly thinking?: AnthropicOptions["thinking"];
    readonly sent: object;
  }[] = [
    { settings: { reasoningEffort: "none" }, sent: { thinking: { type: "disabled" } } },
    { settings: { reasoningEffort: "minimal" }, sent: { thinking: { type: "adaptive" }, output_config: { effort: "low" } } },
    { settings: { reasoningEffort: "max" }, sent: { thinking: { type: "adaptive" }, output_config: { effort: "max" } } },
    { settings: { reasoningEffort: "high" }, sent: { thinking: { type: "adaptive" }, output_config: { effort: "high" } } },
    { settings: { reasoningEffort: "low", toolChoice: "required" }, sent: { thinking: undefined, output_config: { effort: "low" } } },
    {
      settings: {},
      thinking: { type: "enabled", budget_tokens: 2_048 },
      sent: { thinking: { type: "enabled", budget_tokens: 2_048 }, output_config: undefined },
    },
    {
      settings: { reasoningEffort: "high" },
      thinking: { type: "adaptive", display: "summarized" },
      sent: { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "high" } },
    },
  ];
  test.for(thoughts)("asks for thinking: $settings $thinking", async ({ settings, thinking, sent }) => {
    const body = await bodyOf({ settings }, thinking ? { thinking } : {});
    expect({ thinking: body["thinking"], output_config: body["output_config"] }).toEqual(sent);
  });
});

describe("the conversation", () => {
  const turnsOf = async (...messages: readonly Message[]) => (await bodyOf({ messages }, { promptCache: "off" })).messages;

  test("is system blocks and turns, with thinking of Anthropic's own in its place", async () => {
    const body = await bodyOf(
      {
        messages: [
          { role: "system", content: "Be kind." },
          { role: "system", content: " " },
          { role: "user", content: [{ type: "text", text: "Hello" }] },
          { role: "user", content: "there" },
          {
            role: "assistant",
            content: [
              { type: "reasoning", text: "Hm.", providerMetadata: { anthropic: { signature: "signed" }, openai: { id: "x" } } },
              { type: "reasoning", text: "", providerMetadata: { anthropic: { redactedData: "opaque" } } },
              { type: "reasoning", text: "of others", providerMetadata: { openai: { signature: "signed" } } },
              { type: "reasoning", text: "unsigned" },
              { type: "text", text: "" },
              { type: "text", text: "One moment." },
              { type: "tool-call", callId: "toolu_1", name: "findOrder", arguments: '{"id":"4711"}' },
              { type: "tool-call", callId: "toolu_2", name: "ping", arguments: "" },
            ],
          },
          { role: "tool", callId: "toolu_2", name: "ping", content: "" },
          { role: "tool", callId: "toolu_1", name: "findOrder", content: "No such order.", isError: true },
          { role: "user", content: "And now?" },
        ],
        tools: [findOrder],
      },
      { promptCache: "off" },
    );
    expect(body["system"]).toEqual([{ type: "text", text: "Be kind." }]);
    expect(body.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "Hello" },
          { type: "text", text: "there" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Hm.", signature: "signed" },
          { type: "redacted_thinking", data: "opaque" },
          { type: "text", text: "One moment." },
          { type: "tool_use", id: "toolu_1", name: "findOrder", input: { id: "4711" } },
          { type: "tool_use", id: "toolu_2", name: "ping", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_2" },
          { type: "tool_result", tool_use_id: "toolu_1", content: "No such order.", is_error: true },
          { type: "text", text: "And now?" },
        ],
      },
    ]);
  });

  test("gives every call an id and a name the API takes, and its result the same id", async () => {
    const round = (names: readonly string[], callId: string): readonly Message[] => [
      { role: "assistant", content: names.map((name) => ({ type: "tool-call", callId, name, arguments: "[1]" })) },
      ...names.map((name): Message => ({ role: "tool", callId, name, content: name })),
    ];
    const turns = await turnsOf(asked, ...round(["a b", "b"], "call_1"), ...round(["c"], "call_1"), ...round([""], "an|id"), asked);
    const seen = turns?.flatMap(({ content }) => (Array.isArray(content) ? content : []));
    expect(seen).toEqual([
      askedBlock,
      { type: "tool_use", id: "call_1", name: "a_b", input: { INVALID_JSON: "[1]" } },
      { type: "tool_use", id: "call_2", name: "b", input: { INVALID_JSON: "[1]" } },
      { type: "tool_result", tool_use_id: "call_1", content: "a b" },
      { type: "tool_result", tool_use_id: "call_2", content: "b" },
      { type: "tool_use", id: "call_3", name: "c", input: { INVALID_JSON: "[1]" } },
      { type: "tool_result", tool_use_id: "call_3", content: "c" },
      { type: "tool_use", id: "call_4", name: "unnamed", input: { INVALID_JSON: "[1]" } },
      { type: "tool_result", tool_use_id: "call_4" },
      askedBlock,
    ]);
  });

  test("hands broken arguments back as the text they were", async () => {
    const broken: Message = { role: "assistant", content: [{ type: "tool-call", callId: "x", name: "a", arguments: '{"id":' }] };
    const turns = await turnsOf(asked, broken, { role: "tool", callId: "x", name: "a", content: "?" });
    expect(turns?.[1]?.content).toEqual([{ type: "tool_use", id: "x", name: "a", input: { INVALID_JSON: '{"id":' } }]);
  });

  test("says something where the API wants it said", async () => {
    const nothing = { role: "user", content: [{ type: "text", text: "(nothing was said)" }] };
    expect(await turnsOf({ role: "system", content: "x" })).toEqual([nothing]);
    expect(await turnsOf({ role: "assistant", content: [{ type: "text", text: "Hi." }] }, { role: "user", content: " " })).toEqual([
      nothing,
      { role: "assistant", content: [{ type: "text", text: "Hi." }] },
      nothing,
    ]);
  });

  test("describes tools it calls that are no longer offered, not to be called", async () => {
    const call: Message = { role: "assistant", content: [{ type: "tool-call", callId: "x", name: "gone", arguments: "{}" }] };
    const body = await bodyOf({ messages: [asked, call, { role: "tool", callId: "x", name: "gone", content: "1" }, asked] });
    expect(body).toMatchObject({ tools: [{ name: "gone", input_schema: { type: "object" } }], tool_choice: { type: "none" } });
  });

  const bytes = Buffer.from("Grüße").toString("base64");
  const files: readonly { readonly part: UserPart; readonly sent: object }[] = [
    {
      part: { type: "file", mediaType: "image/png", data: "AAAA" },
      sent: { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
    },
    {
      part: { type: "file", mediaType: "image/JPG", data: "AAAA" },
      sent: { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "AAAA" } },
    },
    {
      part: { type: "file", mediaType: "image/*", url: "https://example.com/a" },
      sent: { type: "image", source: { type: "url", url: "https://example.com/a" } },
    },
    {
      part: { type: "file", mediaType: "application/pdf", filename: "a.pdf", data: "AAAA" },
      sent: { type: "document", source: { type: "base64", media_type: "application/pdf", data: "AAAA" }, title: "a.pdf" },
    },
    {
      part: { type: "file", mediaType: "application/pdf", url: "https://example.com/a.pdf" },
      sent: { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } },
    },
    {
      part: { type: "file", mediaType: "text/markdown; charset=utf-8", data: bytes },
      sent: { type: "document", source: { type: "text", media_type: "text/plain", data: "Grüße" } },
    },
  ];
  test.for(files)("holds a file: $part.mediaType", async ({ part, sent }) => {
    const turns = await turnsOf({ role: "user", content: [{ type: "text", text: "Look." }, part] });
    expect(turns?.[0]?.content).toEqual([{ type: "text", text: "Look." }, sent]);
  });

  const strange: readonly UserPart[] = [
    { type: "file", mediaType: "audio/mpeg", data: "AAAA" },
    { type: "file", mediaType: "image/tiff", data: "AAAA" },
    { type: "file", mediaType: "text/plain", url: "https://example.com/a.txt" },
  ];
  test.for(strange)("does not leave out a file of a kind the API does not take: $mediaType", async (part) => {
    const error = await failureOf(turnsOf({ role: "user", content: [part] }));
    expect(error).toMatchObject({ code: "provider_rejected", details: { provider: "anthropic" } });
  });
});

describe("marks for the cache", () => {
  const system: Message = { role: "system", content: "Be kind." };
  const turn = (number: number): readonly Message[] => [
    { role: "assistant", content: [{ type: "tool-call", callId: `c${number}`, name: "findOrder", arguments: "{}" }] },
    { role: "tool", callId: `c${number}`, name: "findOrder", content: `${number}` },
  ];
  const markedIn = (value: unknown): number => JSON.stringify(value).split('"cache_control"').length - 1;

  test("stand at the end of the instructions and of the two latest turns of the user", async () => {
    const body = await bodyOf({ messages: [system, asked, ...turn(1), ...turn(2)], tools: [findOrder] });
    expect(body["system"]).toEqual([{ type: "text", text: "Be kind.", ...mark }]);
    expect(markedIn(body.tools)).toBe(0);
    const ends = body.messages?.filter(({ role }) => role === "user").map(({ content }) => markedIn(content));
    expect(ends).toEqual([0, 1, 1]);
    expect(body.messages?.at(-1)?.content).toEqual([{ type: "tool_result", tool_use_id: "c2", content: "2", ...mark }]);
    expect(markedIn(body)).toBe(3);
  });

  test("stand where the request before ended, so that all of it is read again", async () => {
    const withoutMarks = (body: object): unknown =>
      JSON.parse(JSON.stringify(body, (key, value: unknown) => (key === "cache_control" ? undefined : value)));
    const first = await bodyOf({ messages: [system, asked, ...turn(1)], tools: [findOrder] });
    const second = await bodyOf({ messages: [system, asked, ...turn(1), ...turn(2)], tools: [findOrder] });
    const shared = first.messages?.length ?? 0;
    expect(withoutMarks(second.messages?.slice(0, shared) ?? [])).toEqual(withoutMarks(first.messages ?? []));
    expect(second.messages?.[shared - 1]).toEqual(first.messages?.at(-1));
  });

  test("stand at the end of the tools where there are no instructions, and last an hour if asked to", async () => {
    const body = await bodyOf({ tools: [findOrder] }, { promptCache: "1h" });
    const hour = { cache_control: { type: "ephemeral", ttl: "1h" } };
    expect(body.tools?.[0]).toMatchObject(hour);
    expect(body.messages).toEqual([{ role: "user", content: [{ ...askedBlock, ...hour }] }]);
  });

  test("do not stand in a first question without tools, which may be the last", async () => {
    const body = await bodyOf({ messages: [system, asked] });
    expect([markedIn(body["system"]), markedIn(body.messages)]).toEqual([1, 0]);
  });

  test("can be left out", async () => {
    const body = await bodyOf({ messages: [system, asked, ...turn(1)], tools: [findOrder] }, { promptCache: "off" });
    expect(markedIn(body)).toBe(0);
  });
});
