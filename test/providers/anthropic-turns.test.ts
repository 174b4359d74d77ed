// Any conversation that a run can be started with is a request that keeps the rules of the API: told by properties, not by examples.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AssistantPart, Message, UserPart } from "../../src/core/message.ts";
import { conversationOf, type Turn } from "../../src/providers/anthropic/messages-turns.ts";
import { checkConversation } from "../../src/runs/check-conversation.ts";

const text = fc.oneof(fc.constantFrom("", " ", "\n", "Hello."), fc.string());
// Few ids, so that they repeat within a message and over messages; some that the API refuses.
const callId = fc.oneof(fc.constantFrom("call_0", "call_1", "call_2", "toolu_1", "", "a|b", "ü"), fc.string());
const metadata = fc.constantFrom(
  { anthropic: { signature: "s" } },
  { anthropic: { redactedData: "r" } },
  { openai: { id: "x" } },
  {},
  null,
);

const textPart = fc.record({ type: fc.constant("text" as const), text });
const file = fc.constant<UserPart>({ type: "file", mediaType: "image/png", data: "AAAA" });
const reasoning = fc.record({ type: fc.constant("reasoning" as const), text, providerMetadata: metadata });
const toolCall = fc.record({
  type: fc.constant("tool-call" as const),
  callId,
  name: text,
  arguments: fc.oneof(text, fc.json(), fc.constantFrom("[]", "null", '{"a":1}', '{"a":')),
});

const user = fc.oneof(text, fc.array<UserPart>(fc.oneof(textPart, file))).map((content): Message => ({ role: "user", content }));
const system = text.map((content): Message => ({ role: "system", content }));

/** A message of the model and the results of its calls, in any order. */
const round = fc
  .array<AssistantPart>(fc.oneof(textPart, reasoning, toolCall))
  .chain((content) => {
    const calls = content.filter((part) => part.type === "tool-call");
    const results = fc.shuffledSubarray(calls, { minLength: calls.length, maxLength: calls.length });
    return fc.tuple(fc.constant<Message>({ role: "assistant", content }), results, text, fc.boolean());
  })
  .map(([message, calls, content, isError]): readonly Message[] => [
    message,
    ...calls.map(({ callId: id, name }): Message => ({ role: "tool", callId: id, name, content, isError })),
  ]);

const conversation = fc
  .tuple(
    fc.array(
      fc.oneof(
        user.map((one) => [one]),
        system.map((one) => [one]),
        round,
      ),
    ),
    user,
  )
  .map(([said, last]): readonly Message[] => [...said.flat(), last]);

const blocksOf = (turns: readonly Turn[]) => turns.flatMap(({ content }) => content);
const idsOf = (turn: Turn | undefined, type: "tool_use" | "tool_result") =>
  (turn?.content ?? []).flatMap((block) => {
    if (block.type === "tool_use" && type === "tool_use") return [block.id];
    return block.type === "tool_result" && type === "tool_result" ? [block.tool_use_id] : [];
  });

const property = (holds: (turns: readonly Turn[], messages: readonly Message[]) => void) =>
  fc.assert(
    fc.property(conversation, (messages) => {
      checkConversation(messages);
      holds(conversationOf(messages).turns, messages);
    }),
    { numRuns: 500 },
  );

test("turns alternate, beginning and ending with the user, and none is empty", () => {
  property((turns) => {
    expect(turns.map(({ role }) => role)).toEqual(turns.map((_, position) => (position % 2 === 0 ? "user" : "assistant")));
    expect(turns.at(-1)?.role).toBe("user");
    for (const { content } of turns) expect(content.length).toBeGreaterThan(0);
  });
});

test("no text is blank, and no error says nothing", () => {
  const texts = (turns: readonly Turn[]) =>
    blocksOf(turns).flatMap((block) => {
      if (block.type === "text") return [block.text];
      return block.type === "tool_result" && block.is_error ? [block.content] : [];
    });
  property((turns) => expect(texts(turns).filter((said) => typeof said !== "string" || said.trim() === "")).toEqual([]));
});

test("calls have ids of their own that the API takes, names that it takes, and objects as input", () => {
  property((turns) => {
    const calls = blocksOf(turns).filter((block) => block.type === "tool_use");
    expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
    for (const { id, name, input } of calls) {
      expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
      expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(JSON.stringify(input)).toMatch(/^\{/);
    }
  });
});

test("the results of all calls of a turn, and no others, begin the turn after it", () => {
  property((turns, messages) => {
    for (const [position, turn] of turns.entries()) {
      const calls = idsOf(turn, "tool_use");
      const after = turns[position + 1];
      expect(idsOf(after, "tool_result").toSorted()).toEqual(calls.toSorted());
      expect((after?.content ?? []).slice(0, calls.length).every(({ type }) => type === "tool_result")).toBe(true);
    }
    expect(turns.flatMap((turn) => idsOf(turn, "tool_result"))).toHaveLength(messages.filter(({ role }) => role === "tool").length);
  });
});

test("what was said gives the same turns when more is said", () => {
  fc.assert(
    fc.property(conversation, round, user, (messages, next, last) => {
      const before = conversationOf(messages).turns;
      const after = conversationOf([...messages, ...next, last]).turns;
      // The turn in which it ended may go on.
      expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      const end = before.at(-1)?.content ?? [];
      expect(after[before.length - 1]?.content.slice(0, end.length)).toEqual(end);
    }),
  );
});
