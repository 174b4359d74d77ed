// What the log says about a request: the same conversation whichever API it came in by, and which one that was.
import { describe, expect, test } from "vitest";
import { type SimulatedApi, type SimulatedTurn, simulatedProvider } from "../../../src/testing/index.ts";
import { ask, waysOfApis } from "./exchange.ts";

async function conversationOf(api: SimulatedApi, body: object): Promise<readonly SimulatedTurn[] | undefined> {
  await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
  await ask(provider, api, body);
  return provider.requests[0]?.conversation;
}

const bodies: readonly { readonly api: SimulatedApi; readonly body: object }[] = [
  {
    api: "chat",
    body: {
      messages: [
        { role: "developer", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "Where is " },
            { type: "text", text: "it?" },
          ],
        },
        {
          role: "assistant",
          content: "I look.",
          tool_calls: [
            { id: "c1", type: "function", function: { name: "find", arguments: "{}" } },
            { id: "c2", type: "function", function: { name: "ping", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "c1", content: "Late." },
        { role: "tool", tool_call_id: "c2", content: "Pong." },
        { role: "assistant", content: "It is late." },
        { role: "user", content: "Thanks." },
      ],
    },
  },
  {
    api: "responses",
    body: {
      instructions: "Be brief.",
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "Where is " },
            { type: "input_text", text: "it?" },
          ],
        },
        { type: "reasoning", id: "r", summary: [{ type: "summary_text", text: "Hm." }] },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "I look." }] },
        { type: "function_call", call_id: "c1", name: "find", arguments: "{}" },
        { type: "function_call", call_id: "c2", name: "ping", arguments: "{}" },
        { type: "function_call_output", call_id: "c1", output: "Late." },
        { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "Pong." }] },
        { role: "assistant", content: "It is late." },
        { role: "user", content: "Thanks." },
      ],
    },
  },
  {
    api: "messages",
    body: {
      system: [{ type: "text", text: "Be brief." }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Where is " },
            { type: "text", text: "it?" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm.", signature: "s" },
            { type: "text", text: "I look." },
            { type: "tool_use", id: "c1", name: "find", input: {} },
            { type: "tool_use", id: "c2", name: "ping", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "c1", content: "Late." },
            { type: "tool_result", tool_use_id: "c2", content: [{ type: "text", text: "Pong." }] },
          ],
        },
        { role: "assistant", content: "It is late." },
        { role: "user", content: "Thanks." },
      ],
    },
  },
];

describe("the conversation", () => {
  test.each(bodies)("of $api is turns of text", async ({ api, body }) => {
    expect(await conversationOf(api, body)).toEqual([
      { role: "system", text: "Be brief." },
      { role: "user", text: "Where is it?" },
      { role: "assistant", text: "I look." },
      { role: "tool", text: "Late.", tool: "find" },
      { role: "tool", text: "Pong.", tool: "ping" },
      { role: "assistant", text: "It is late." },
      { role: "user", text: "Thanks." },
    ]);
  });

  test("may have a turn of calls alone and results nobody asked for", async () => {
    const input = [
      { type: "function_call", call_id: "c1", name: "find", arguments: "{}" },
      { type: "function_call_output", call_id: "other", output: "Late." },
    ];
    expect(await conversationOf("responses", { input })).toEqual([
      { role: "assistant", text: "" },
      { role: "tool", text: "Late." },
    ]);
  });

  test("of Messages keeps what the user adds to results", async () => {
    const content = [
      { type: "tool_result", tool_use_id: "c1", content: "Late." },
      { type: "text", text: "And now?" },
    ];
    expect(await conversationOf("messages", { messages: [{ role: "user", content }] })).toEqual([
      { role: "tool", text: "Late." },
      { role: "user", text: "And now?" },
    ]);
  });
});

describe("the log", () => {
  test.each(waysOfApis)("says that a request came by $api, asking for an answer $way", async ({ api, stream }) => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    const { headers } = await ask(provider, api, { stream });
    expect(headers.get(api === "messages" ? "request-id" : "x-request-id")).toBe("req_0");
    expect(provider.requests).toMatchObject([{ index: 0, api, streamed: stream, status: 200, reply: { text: "x" }, body: { stream } }]);
  });

  test("rules can decide by the conversation alone", async () => {
    await using provider = await simulatedProvider({
      rules: [{ when: (_body, { conversation }) => conversation.at(-1)?.text.includes("order") ?? false, reply: { text: "Found." } }],
    });
    for (const { api, stream } of waysOfApis) expect(await (await ask(provider, api, { stream })).text(), api).toContain("Found.");
  });
});
