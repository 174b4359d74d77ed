// Names of tools in a history: a model may have called what does not exist by any name, and no provider may refuse the rest for it.
import { expect, test } from "vitest";
import type { Message } from "../../src/core/message.ts";
import type { SimulatedBody } from "../../src/testing/index.ts";
import { bodyOf as messagesBodyOf } from "./anthropic-exchange.ts";
import { bodyOf } from "./exchange.ts";

const names = ["findOrder", "functions.find order", "", "é🚚", "x".repeat(80)];
const sent = ["findOrder", "functions_find_order", "unnamed", "___", "x".repeat(64)];
const messages: readonly Message[] = [
  { role: "user", content: "Where is it?" },
  { role: "assistant", content: names.map((name, index) => ({ type: "tool-call", callId: `c${index}`, name, arguments: "{}" })) },
  ...names.map((name, index): Message => ({ role: "tool", callId: `c${index}`, name, content: `result ${index}` })),
];

const apis: readonly {
  readonly api: string;
  readonly body: () => Promise<SimulatedBody | undefined>;
  readonly namesIn: (body: SimulatedBody | undefined) => unknown;
}[] = [
  {
    api: "Chat Completions",
    body: () => bodyOf({ messages }),
    namesIn: (body) => body?.messages?.[1]?.tool_calls?.map((call) => call.function.name),
  },
  {
    api: "Responses",
    body: () => bodyOf({ messages }, { options: { api: "responses" } }),
    namesIn: (body) => fieldsOf(body?.input, "function_call", "name"),
  },
  {
    api: "Messages",
    body: () => messagesBodyOf({ messages }),
    namesIn: (body) => fieldsOf(body?.messages?.[1]?.content, "tool_use", "name"),
  },
];

function fieldsOf(items: unknown, type: string, field: string): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(items) ? items : [];
  return list
    .map((item): Readonly<Record<string, unknown>> => Object(item))
    .flatMap((item) => (item["type"] === type ? [item[field]] : []));
}

test.for(apis)("are sent so that the API takes them, and those that fit as they are: $api", async ({ body, namesIn }) => {
  expect(namesIn(await body())).toEqual(sent);
});
