// The wire format of Messages, byte by byte where a client looks: the order of events, cumulative usage, arguments as a value.
import { expect, test } from "vitest";
import type { SimulatedReply } from "../../../src/testing/index.ts";
import { eventsTo, sentTo } from "./exchange.ts";

const reply: SimulatedReply = { reasoning: "It left.", text: "On its way.", calls: [{ name: "find", arguments: { id: 7 } }], chunkSize: 6 };

async function parsed(answer: SimulatedReply) {
  return (await eventsTo("messages", answer)).map(({ name, data }) => ({ name, ...JSON.parse(data) }));
}

test("a stream goes block by block, with a ping on the way", async () => {
  const events = await parsed(reply);
  expect(events.map(({ type, index, delta }) => [type, index, delta?.type].filter((part) => part !== undefined).join(" "))).toEqual([
    "message_start",
    "content_block_start 0",
    "ping",
    "content_block_delta 0 thinking_delta",
    "content_block_delta 0 thinking_delta",
    "content_block_delta 0 signature_delta",
    "content_block_stop 0",
    "content_block_start 1",
    "content_block_delta 1 text_delta",
    "content_block_delta 1 text_delta",
    "content_block_stop 1",
    "content_block_start 2",
    "content_block_delta 2 input_json_delta",
    "content_block_delta 2 input_json_delta",
    "content_block_stop 2",
    "message_delta",
    "message_stop",
  ]);
  expect(events.map(({ name, type }) => name === type)).not.toContain(false);
});

test("a block starts empty", async () => {
  const starts = (await parsed(reply)).filter(({ type }) => type === "content_block_start");
  expect(starts.map(({ content_block }) => content_block)).toEqual([
    { type: "thinking", thinking: "", signature: "" },
    { type: "text", text: "", citations: null },
    { type: "tool_use", id: "call_0_0", name: "find", caller: { type: "direct" }, input: {} },
  ]);
});

test("usage is cumulative, and the cache is no part of the input", async () => {
  const usage = { inputTokens: 100, inputTokenDetails: { cacheReadTokens: 60, cacheWriteTokens: 30 }, outputTokens: 20 };
  const events = await parsed({ text: "x", usage });
  const input = { input_tokens: 10, cache_read_input_tokens: 60, cache_creation_input_tokens: 30 };
  expect(events[0].message.usage).toMatchObject({ ...input, output_tokens: 1 });
  expect(events.find(({ type }) => type === "message_delta").usage).toEqual({
    ...input,
    output_tokens: 20,
    output_tokens_details: null,
    server_tool_use: null,
  });
});

test("no usage is none anywhere", async () => {
  expect(await sentTo("messages", { text: "x", usage: null })).not.toContain("usage");
  expect(await sentTo("messages", { text: "x", usage: null }, { stream: true })).not.toContain("usage");
});

test("no finish reason is a null", async () => {
  const events = await parsed({ text: "x", finishReason: null });
  expect(events.slice(-2)).toMatchObject([{ type: "message_delta", delta: { stop_reason: null } }, { type: "message_stop" }]);
});

test.for([
  { what: "an object", args: { id: 7 }, input: { id: 7 } },
  { what: "JSON", args: '{"id": 7}', input: { id: 7 } },
  { what: "nothing", args: "", input: {} },
  { what: "a text that is no JSON", args: '{"id": 7,}', input: '{"id": 7,}' },
])("arguments in JSON are a value: $what", async ({ args, input }) => {
  const { content } = JSON.parse(await sentTo("messages", { calls: [{ name: "find", arguments: args }] }));
  expect(content[0].input).toEqual(input);
});
