// Whole requests are counted from above, each message once, and whatever a user's own function does.
import type { Message, ModelOffer } from "airworthy";
import { countTokens, createTokenCounter } from "airworthy/tokens";
import fc from "fast-check";
import { expect, test, vi } from "vitest";

const user = (content: string): Message => ({ role: "user", content });
const counter = createTokenCounter();
const schema = { type: "object", properties: { id: { type: "string" } } };
const find = { name: "find", description: "Finds an order.", inputSchema: schema };
const offer: ModelOffer = { tools: [find], settings: {} };

test("a message has more tokens than its texts, whatever its role", () => {
  const text = "Where is my order?";
  const call = { type: "tool-call", callId: "c1", name: "find", arguments: '{"id":"4711"}' } as const;
  for (const message of [
    user(text),
    { role: "system", content: text },
    { role: "user", content: [{ type: "text", text }] },
    { role: "assistant", content: [{ type: "text", text }] },
    { role: "assistant", content: [{ type: "reasoning", text }] },
    { role: "tool", callId: "c1", name: "find", content: text },
  ] as const)
    expect.soft(counter.message(message)).toBeGreaterThan(countTokens(text));
  expect(counter.message({ role: "assistant", content: [call] })).toBeGreaterThan(countTokens(call.arguments) + countTokens("find"));
});

test("what is added never lowers the count", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 300 });
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      const parts = (...all: string[]) => counter.message({ role: "user", content: all.map((text) => ({ type: "text", text })) });
      expect(parts(one, other)).toBeGreaterThan(parts(one));
      const tools = (...all: string[]) =>
        counter.offer({ ...offer, tools: all.map((description, at) => ({ ...find, name: `t${at}`, description })) });
      expect(tools(one, other)).toBeGreaterThan(tools(one));
    }),
    { seed: 5 },
  );
});

test("reasoning is counted with what is handed back to its provider", () => {
  const plain = counter.message({ role: "assistant", content: [{ type: "reasoning", text: "hm" }] });
  const signed = { type: "reasoning", text: "hm", providerMetadata: { anthropic: { signature: "x".repeat(400) } } } as const;
  expect(counter.message({ role: "assistant", content: [signed] })).toBeGreaterThan(plain + 40);
});

test("tools cost their schema and, once, what providers say about their use; an output schema costs too", () => {
  const none = counter.offer({ ...offer, tools: [] });
  const one = counter.offer(offer);
  const two = counter.offer({ ...offer, tools: [find, { ...find, name: "other" }] });
  expect(none).toBe(0);
  expect(one).toBeGreaterThan(700 + countTokens(JSON.stringify(schema)));
  expect(two - one).toBeLessThan(200);
  expect(counter.offer({ ...offer, output: { name: "answer", schema } })).toBeGreaterThan(one + countTokens(JSON.stringify(schema)));
});

test("files count for fixed bounds, documents for half their bytes", () => {
  const file = (mediaType: string, source: { data: string } | { url: string }) =>
    counter.message({ role: "user", content: [{ type: "file", mediaType, ...source }] });
  const small = Buffer.alloc(3_000).toString("base64");
  expect(file("image/png", { data: small })).toBe(file("image/png", { url: "https://example.com/a.png" }));
  expect(file("image/png", { data: small })).toBeGreaterThanOrEqual(5_000);
  expect(file("application/pdf", { data: small })).toBe(1_512);
  expect(file("application/pdf", { data: "A".repeat(4_000_000) })).toBe(1_000_012);
  expect(file("application/pdf", { url: "https://example.com/a.pdf" })).toBe(200_012);
});

test("a message is counted once, and another one that says the same again", () => {
  const count = vi.fn((text: string) => text.length);
  const own = createTokenCounter(count);
  const message = user("Hello.");
  expect([own.message(message), own.message(message), own.offer(offer), own.offer(offer)]).toEqual([
    14,
    14,
    own.offer(offer),
    own.offer(offer),
  ]);
  expect(count).toHaveBeenCalledTimes(4);
  own.message(user("Hello."));
  expect(count).toHaveBeenCalledTimes(5);
});

test.each<[string, () => number]>([
  ["throws", () => JSON.parse("{")],
  ["answers NaN", () => Number.NaN],
  ["answers less than nothing", () => -1],
  ["answers no end", () => Number.POSITIVE_INFINITY],
  ["answers no number", () => JSON.parse('"12"')],
])("a function of the user's that %s gives way to the estimate", (_, count) => {
  expect(createTokenCounter(count).message(user("Where is my order?"))).toBe(counter.message(user("Where is my order?")));
});

test("a function of the user's is rounded up", () => {
  expect(createTokenCounter(() => 2.1).message(user("x"))).toBe(11);
});
