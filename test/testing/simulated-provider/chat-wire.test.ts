// The wire format of Chat Completions, byte by byte where a client looks.
import { describe, expect, test } from "vitest";
import type { SimulatedReply } from "../../../src/testing/index.ts";
import { eventsTo, questions, sentTo } from "./exchange.ts";

const question = questions.chat.body;
const sent = (reply: SimulatedReply, body: object = {}) => sentTo("chat", reply, body);

/** The data of each event of the stream. */
async function eventsOf(reply: SimulatedReply, body: object = { stream_options: { include_usage: true } }): Promise<readonly string[]> {
  return (await eventsTo("chat", reply, body)).map(({ data }) => data);
}

describe("a completion", () => {
  test("as JSON", async () => {
    expect(JSON.parse(await sent({ text: "On its way.", usage: { inputTokens: 9, outputTokens: 3 } }))).toEqual({
      id: "chatcmpl-0",
      object: "chat.completion",
      created: 1_767_225_600,
      model: "gpt-test",
      system_fingerprint: "fp_simulated",
      choices: [{ index: 0, message: { role: "assistant", content: "On its way.", refusal: null }, logprobs: null, finish_reason: "stop" }],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 3,
        total_tokens: 12,
        prompt_tokens_details: {},
        completion_tokens_details: {},
      },
    });
  });

  test("as a stream: role, text, finish reason, usage, end", async () => {
    const events = await eventsOf({ text: "On its way.", chunkSize: 6 });
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    expect(chunks.map(({ choices }) => choices)).toEqual([
      [{ index: 0, delta: { role: "assistant", content: "", refusal: null }, finish_reason: null }],
      [{ index: 0, delta: { content: "On its" }, finish_reason: null }],
      [{ index: 0, delta: { content: " way." }, finish_reason: null }],
      [{ index: 0, delta: {}, finish_reason: "stop" }],
      [],
    ]);
    expect(chunks.at(-1)).toMatchObject({ object: "chat.completion.chunk", usage: { completion_tokens: 3 } });
    expect(events.at(-1)).toBe("[DONE]");
  });

  test("has no usage in a stream that did not ask for it", async () => {
    expect((await eventsOf({ text: "x" }, {})).join()).not.toContain("usage");
  });

  test("with calls, in pieces under their index", async () => {
    const calls = [
      { name: "findOrder", arguments: { id: "4711" } },
      { name: "ping", arguments: "", callId: null },
    ];
    const chunks = (await eventsOf({ calls, chunkSize: 8 }))
      .slice(0, -1)
      .map((event) => JSON.parse(event).choices[0]?.delta.tool_calls?.[0]);
    expect(chunks.filter(Boolean)).toEqual([
      { index: 0, id: "call_0_0", type: "function", function: { name: "findOrder", arguments: "" } },
      { index: 0, function: { arguments: '{"id":"4' } },
      { index: 0, function: { arguments: '711"}' } },
      { index: 1, type: "function", function: { name: "ping", arguments: "" } },
    ]);
    expect(JSON.parse(await sent({ calls })).choices).toMatchObject([
      { message: { content: null, tool_calls: [{ id: "call_0_0" }, { function: { name: "ping" } }] }, finish_reason: "tool_calls" },
    ]);
  });

  test("estimates tokens by the length of what was sent and answered", async () => {
    const usageFor = async (body: object) => JSON.parse(await sent({ text: "x".repeat(40) }, body)).usage;
    const short = await usageFor(question);
    const long = await usageFor({ ...question, messages: [{ role: "user", content: "x".repeat(400) }] });
    expect(short.completion_tokens).toBe(10);
    expect(long.prompt_tokens - short.prompt_tokens).toBeGreaterThan(90);
  });

  test("with a refusal in pieces of its own", async () => {
    const chunks = (await eventsOf({ refusal: "I will not.", deltas: ["not", "said"], chunkSize: 7 }))
      .slice(0, -1)
      .map((event) => JSON.parse(event).choices[0]?.delta);
    expect(chunks.map((delta) => delta?.refusal)).toEqual([null, "I will ", "not.", undefined, undefined]);
    expect(JSON.parse(await sent({ refusal: "I will not." })).choices).toMatchObject([
      { message: { content: null, refusal: "I will not." } },
    ]);
  });

  test("leaves reasoning out, for which it has no place", async () => {
    expect(await sent({ text: "x", reasoning: "Hm." })).not.toContain("Hm.");
    expect((await eventsOf({ text: "x", reasoning: "Hm." })).join()).not.toContain("Hm.");
  });

  test("is the same bytes for the same requests", async () => {
    const reply: SimulatedReply = { text: "On its way.", calls: [{ name: "a", arguments: {} }] };
    expect(await eventsOf(reply)).toEqual(await eventsOf(reply));
    expect(await sent(reply)).toBe(await sent(reply));
  });

  test("is never cut inside a character", async () => {
    expect((await eventsOf({ text: "🚚🚚", chunkSize: 1 })).filter((event) => event.includes("🚚"))).toHaveLength(2);
  });
});
