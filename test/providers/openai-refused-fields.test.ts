// Servers that refuse a field an answer can do without: one attempt fails, the next goes without it, and nobody but the runtime retries.
import { createAgent } from "airworthy";
import { expect, test } from "vitest";
import { openai } from "../../src/providers/openai/openai.ts";
import { chunk, eventsFetch, failureOf, now, type OpenAIApi, plainRequest, sentIn } from "./exchange.ts";

const good = {
  chat: eventsFetch(chunk({ content: "Hello." }), chunk({}, "stop")),
  responses: eventsFetch({
    type: "response.completed",
    response: { status: "completed", output: [{ type: "message", content: [{ type: "output_text", text: "Hello." }] }] },
  }),
};

/** A server that refuses requests with `field`, in these words. */
function pickyServer(api: OpenAIApi, field: string, error: object, status = 400) {
  const bodies: Record<string, unknown>[] = [];
  const fetch: typeof globalThis.fetch = (url, init) => {
    const body = JSON.parse(sentIn(init));
    bodies.push(body);
    return field in body ? Promise.resolve(Response.json({ error }, { status })) : good[api](url, init);
  };
  return { bodies, fetch };
}

const refusals = [
  { api: "chat", field: "stream_options", error: { message: "Unknown.", param: "stream_options" } },
  { api: "chat", field: "stream_options", error: { message: "Unknown.", param: "stream_options.include_usage" } },
  { api: "chat", field: "stream_options", error: { message: "extra fields not permitted: stream_options", code: 422 }, status: 422 },
  {
    api: "responses",
    field: "include",
    error: { message: "Encrypted content is not supported.", type: "invalid_request_error", param: "include" },
  },
  { api: "responses", field: "include", error: { message: "Unsupported: reasoning.encrypted_content" } },
] as const;

test.for(refusals)("$field of $api is left out once it was refused", async ({ api, field, error, ...more }) => {
  const { bodies, fetch } = pickyServer(api, field, error, "status" in more ? more.status : 400);
  const model = openai("gpt-test", { apiKey: "k", api, fetch });
  const context = { signal: new AbortController().signal, attempt: 1, now: () => now, onText: () => {} };
  const failure = await failureOf(model.call(plainRequest, context));
  expect(failure).toMatchObject({ code: "provider_rejected", retryable: true, details: { refused: field } });
  expect(failure.hint).toContain(field);
  const answer = await model.call(plainRequest, context);
  expect(answer).toMatchObject({ finishReason: "stop", providerMetadata: { openai: { without: [field] } } });
  expect(answer).not.toHaveProperty("usage");
  expect(bodies.map((body) => field in body)).toEqual([true, false]);
});

test("two requests at once that are refused both may be tried again", async () => {
  const { fetch } = pickyServer("chat", "stream_options", { param: "stream_options" });
  const model = openai("gpt-test", { apiKey: "k", fetch });
  const context = { signal: new AbortController().signal, attempt: 1, now: () => now, onText: () => {} };
  const failures = await Promise.all([0, 1].map(() => failureOf(model.call(plainRequest, context))));
  expect(failures.map(({ retryable }) => retryable)).toEqual([true, true]);
});

test.for([
  { error: { message: "stream_options are fine, the prompt is not", param: "messages" } },
  { error: { message: "This does not include a user message." } },
])("another refusal stays final, and nothing is left out: $error.message", async ({ error }) => {
  const bodies: string[] = [];
  const fetch: typeof globalThis.fetch = (_, init) => {
    bodies.push(sentIn(init));
    return Promise.resolve(Response.json({ error }, { status: 400 }));
  };
  for (const api of ["chat", "responses"] as const) {
    const model = openai("gpt-test", { apiKey: "k", api, fetch });
    const context = { signal: new AbortController().signal, attempt: 1, now: () => now, onText: () => {} };
    for (const _ of [1, 2])
      expect(await failureOf(model.call(plainRequest, context))).toMatchObject({ code: "provider_rejected", retryable: false });
  }
  expect(bodies.map((body) => /"stream_options"|"include"/.test(body))).toEqual([true, true, true, true]);
});

test("a failure of the server is no refusal, whatever it names", async () => {
  const { bodies, fetch } = pickyServer("chat", "stream_options", { param: "stream_options" }, 500);
  const model = openai("gpt-test", { apiKey: "k", fetch });
  const context = { signal: new AbortController().signal, attempt: 1, now: () => now, onText: () => {} };
  for (const _ of [1, 2]) expect(await failureOf(model.call(plainRequest, context))).toMatchObject({ code: "provider_unavailable" });
  expect(bodies.map((body) => "stream_options" in body)).toEqual([true, true]);
});

test("a run gets its answer in two requests", async () => {
  const { bodies, fetch } = pickyServer("chat", "stream_options", { param: "stream_options" });
  const agent = createAgent({
    name: "desk",
    model: openai("gpt-test", { apiKey: "k", fetch }),
    resilience: { retry: { attempts: 2, baseMs: 1 } },
  });
  const stream = agent.stream("Hello");
  for await (const _ of stream);
  expect(await stream.result).toMatchObject({ status: "completed", output: "Hello." });
  expect(bodies).toHaveLength(2);
});
