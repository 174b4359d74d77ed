// Thinking and the conversations it has to fit: no thought without what it led to, and no thinking in a loop that has begun without.
import { describe, expect, test } from "vitest";
import type { AssistantPart, Message } from "../../src/core/message.ts";
import { simulatedProvider } from "../../src/testing/index.ts";
import { bodyOf, call, streamed, ways } from "./anthropic-exchange.ts";

const thinking = { type: "enabled", budget_tokens: 2_048 } as const;
const asked: Message = { role: "user", content: "Where is it?" };
const thought: AssistantPart = { type: "reasoning", text: "Hm.", providerMetadata: { anthropic: { signature: "signed" } } };
const redacted: AssistantPart = { type: "reasoning", text: "", providerMetadata: { anthropic: { redactedData: "opaque" } } };
const foreign: AssistantPart = { type: "reasoning", text: "Hm.", providerMetadata: { openai: { id: "rs_1" } } };
const said: AssistantPart = { type: "text", text: "Let me look." };
const calling = (callId: string): AssistantPart => ({ type: "tool-call", callId, name: "find", arguments: "{}" });
const result = (callId: string): Message => ({ role: "tool", callId, name: "find", content: "late" });
const assistant = (...content: readonly AssistantPart[]): Message => ({ role: "assistant", content });

describe("a turn that ends in thinking", () => {
  const sent = async (...content: readonly AssistantPart[]) => (await bodyOf({ messages: [asked, assistant(...content), asked] })).messages;

  test("goes back without the thoughts that led to nothing", async () => {
    const turns = await sent(thought, said, thought, redacted);
    expect(turns?.[1]).toEqual({
      role: "assistant",
      content: [
        { type: "thinking", thinking: "Hm.", signature: "signed" },
        { type: "text", text: "Let me look." },
      ],
    });
  });

  test("is left out when there is nothing else", async () => {
    const turns = await sent(thought, redacted);
    expect(turns?.map(({ role }) => role)).toEqual(["user"]);
  });
});

describe("thinking that is enabled", () => {
  const loops: readonly { readonly what: string; readonly messages: readonly Message[]; readonly thinks: boolean }[] = [
    { what: "no loop", messages: [asked], thinks: true },
    { what: "a loop of its own", messages: [asked, assistant(thought, calling("a")), result("a")], thinks: true },
    { what: "a loop of its own, redacted", messages: [asked, assistant(redacted, calling("a")), result("a")], thinks: true },
    {
      what: "a loop of its own that went on without a thought",
      messages: [asked, assistant(thought, calling("a")), result("a"), assistant(said, calling("b")), result("b")],
      thinks: true,
    },
    { what: "a loop of another provider", messages: [asked, assistant(foreign, calling("a")), result("a")], thinks: false },
    { what: "a loop that began with text", messages: [asked, assistant(said, thought, calling("a")), result("a")], thinks: false },
    {
      what: "a loop of another provider after one of its own",
      messages: [asked, assistant(thought, calling("a")), result("a"), assistant(said), asked, assistant(calling("b")), result("b")],
      thinks: false,
    },
    {
      what: "a loop of another provider after one that was not answered",
      messages: [asked, assistant(thought, calling("a")), result("a"), asked, assistant(calling("b")), result("b")],
      thinks: false,
    },
    { what: "a loop that is interrupted", messages: [asked, assistant(calling("a")), result("a"), asked], thinks: false },
    { what: "a loop that is over", messages: [asked, assistant(calling("a")), result("a"), assistant(said), asked], thinks: true },
  ];
  const cases = loops.flatMap((loop) => ways.map((way) => ({ ...loop, ...way })));
  test.for(cases)("in $what $way: $thinks", async ({ messages, thinks, streaming }) => {
    await using provider = await simulatedProvider({ scenario: [{ text: "It is late." }] });
    const { providerMetadata } = await call(provider.url, { request: { messages }, options: { thinking }, ...streamed(streaming) });
    expect(provider.requests[0]?.body["thinking"]).toEqual(thinks ? thinking : { type: "disabled" });
    expect(providerMetadata).toEqual(thinks ? undefined : { anthropic: { thinking: "disabled" } });
  });

  test("but no other way of thinking minds how a loop began", async () => {
    const messages = [asked, assistant(calling("a")), result("a")];
    expect(await bodyOf({ messages }, { thinking: { type: "adaptive" } })).toMatchObject({ thinking: { type: "adaptive" } });
  });
});
