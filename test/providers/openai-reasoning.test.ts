// What a model thinks: a part of the answer that goes back to that model, in the words of the API it came by.
import { describe, expect, test } from "vitest";
import type { Message } from "../../src/core/message.ts";
import type { ModelResponse } from "../../src/core/model.ts";
import { openai } from "../../src/providers/openai/openai.ts";
import { simulatedProvider } from "../../src/testing/index.ts";
import { answerOf, answerTo, chatWays, chunk, eventsFetch, now, plainRequest, responsesWays, sentIn } from "./exchange.ts";

describe("reasoning of Responses", () => {
  test.for(responsesWays)("is a part before the text, with what is needed to hand it back $way", async (way) => {
    const { message } = await answerTo({ reasoning: "The order is late.", text: "It is late." }, way);
    expect(message.content).toEqual([
      {
        type: "reasoning",
        text: "The order is late.",
        providerMetadata: { openai: { model: "gpt-test", id: "rs_0_0", encryptedContent: "encrypted_0_0" } },
      },
      { type: "text", text: "It is late." },
    ]);
  });

  test.for(responsesWays)("of several summaries, or none, stays as it was $way", async ({ streaming }) => {
    const summary = ["One.", "Two."].map((text) => ({ type: "summary_text", text }));
    const output = [
      { type: "reasoning", id: "rs_1", summary, encrypted_content: "e1" },
      { type: "reasoning", id: "rs_2", summary: [], encrypted_content: "e2" },
      { type: "reasoning", id: "rs_3", summary: [] },
      { type: "message", content: [{ type: "output_text", text: "So." }] },
    ];
    const response = { object: "response", status: "completed", output };
    const items = output.map((item, output_index) => ({ type: "response.output_item.done", output_index, item }));
    const fetch = streaming
      ? eventsFetch(...items, { type: "response.completed", response })
      : () => Promise.resolve(Response.json(response));
    const { message } = await answerOf(fetch, { api: "responses", streaming });
    const own = (more: object) => ({ openai: { model: "gpt-test", ...more } });
    expect(message.content).toEqual([
      { type: "reasoning", text: "One.\n\nTwo.", providerMetadata: own({ id: "rs_1", encryptedContent: "e1", summary: ["One.", "Two."] }) },
      { type: "reasoning", text: "", providerMetadata: own({ id: "rs_2", encryptedContent: "e2" }) },
      { type: "text", text: "So." },
    ]);
  });

  test("goes back as it came, before the call it led to", async () => {
    const replies = [{ reasoning: "Look it up.", calls: [{ name: "find", arguments: "{}", callId: "c1" }] }, { text: "Done." }];
    const { second } = await twoTurns("responses", replies, "gpt-test");
    expect(second?.input).toMatchObject([
      { role: "user" },
      { type: "reasoning", id: "rs_0_0", summary: [{ type: "summary_text", text: "Look it up." }], encrypted_content: "encrypted_0_0" },
      { type: "function_call", call_id: "c1" },
      { type: "function_call_output", call_id: "c1" },
    ]);
  });

  test("does not go to another model of the same provider", async () => {
    const replies = [{ reasoning: "Look it up.", calls: [{ name: "find", arguments: "{}", callId: "c1" }] }, { text: "Done." }];
    const { second } = await twoTurns("responses", replies, "gpt-other");
    expect(JSON.stringify(second?.input)).not.toContain("encrypted_0_0");
    expect(second?.input).toHaveLength(3);
  });

  async function twoTurns(api: "responses", scenario: readonly object[], secondModel: string) {
    await using provider = await simulatedProvider({ scenario });
    const options = { apiKey: "k", baseURL: provider.baseURL, api };
    const context = { signal: new AbortController().signal, attempt: 1, now: () => now };
    const first: ModelResponse = await openai("gpt-test", options).call(plainRequest, context);
    const result: Message = { role: "tool", callId: "c1", name: "find", content: "It is late." };
    const messages = [...plainRequest.messages, first.message, result];
    await openai(secondModel, options).call({ ...plainRequest, messages }, context);
    return { second: provider.requests[1]?.body };
  }
});

describe("reasoning of Chat Completions", () => {
  test.for(chatWays.flatMap((way) => ["reasoning_content", "reasoning"].map((field) => ({ ...way, field }))))(
    "that a server tells as $field is a part, and goes back by that name $way",
    async ({ streaming, field }) => {
      const whole = { choices: [{ message: { role: "assistant", [field]: "Hm. So.", content: "Yes." }, finish_reason: "stop" }] };
      const events = [chunk({ [field]: "Hm." }), chunk({ [field]: " So." }), chunk({ content: "Yes." }), chunk({}, "stop")];
      const bodies: string[] = [];
      const model = openai("gpt-test", {
        apiKey: "k",
        fetch: (url, init) => {
          bodies.push(sentIn(init));
          return streaming ? eventsFetch(...events)(url, init) : Promise.resolve(Response.json(whole));
        },
      });
      const context = { signal: new AbortController().signal, attempt: 1, now: () => now, ...(streaming ? { onText: () => {} } : {}) };
      const { message } = await model.call(plainRequest, context);
      expect(message.content).toEqual([
        { type: "reasoning", text: "Hm. So.", providerMetadata: { openai: { model: "gpt-test", field } } },
        { type: "text", text: "Yes." },
      ]);
      await model.call({ ...plainRequest, messages: [message, ...plainRequest.messages] }, context);
      expect(JSON.parse(bodies[1] ?? "{}").messages[0]).toEqual({ role: "assistant", content: "Yes.", [field]: "Hm. So." });
    },
  );
});
