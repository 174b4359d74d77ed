// What is told besides the text: signs of life and usage while an answer comes, allowances with it.
import { describe, expect, test } from "vitest";
import type { Usage } from "../../src/core/usage.ts";
import { openai } from "../../src/providers/openai/openai.ts";
import { simulatedProvider } from "../../src/testing/index.ts";
import { answerOf, answerTo, apis, call, chunk, eventsFetch, failureOf, now, type OpenAIApi, plainRequest, ways } from "./exchange.ts";

describe("progress", () => {
  const responses = (type: string, more: object) => ({ type: `response.${type}`, output_index: 0, ...more });
  const call0 = { type: "function_call", name: "a", arguments: "" };
  const streams: readonly { readonly api: OpenAIApi; readonly what: string; readonly event: object; readonly told: boolean }[] = [
    { api: "chat", what: "text", event: chunk({ content: "x" }), told: true },
    { api: "chat", what: "reasoning", event: chunk({ reasoning_content: "hm" }), told: true },
    { api: "chat", what: "a call", event: chunk({ tool_calls: [{ index: 0, function: { name: "a" } }] }), told: true },
    { api: "chat", what: "arguments", event: chunk({ tool_calls: [{ index: 0, function: { arguments: "{" } }] }), told: true },
    { api: "chat", what: "a role", event: chunk({ role: "assistant", content: "" }), told: false },
    { api: "chat", what: "empty arguments", event: chunk({ tool_calls: [{ index: 0, function: { arguments: "" } }] }), told: false },
    { api: "chat", what: "nothing", event: { choices: [] }, told: false },
    { api: "responses", what: "text", event: responses("output_text.delta", { delta: "x" }), told: true },
    { api: "responses", what: "a summary", event: responses("reasoning_summary_text.delta", { delta: "hm" }), told: true },
    { api: "responses", what: "reasoning", event: responses("reasoning_text.delta", { delta: "hm" }), told: true },
    { api: "responses", what: "a call", event: responses("output_item.added", { item: call0 }), told: true },
    { api: "responses", what: "arguments", event: responses("function_call_arguments.delta", { delta: "{" }), told: true },
    { api: "responses", what: "an empty delta", event: responses("output_text.delta", { delta: "" }), told: false },
    { api: "responses", what: "empty arguments", event: responses("function_call_arguments.delta", { delta: "" }), told: false },
    {
      api: "responses",
      what: "an empty item",
      event: responses("output_item.added", { item: { type: "message", content: [] } }),
      told: false,
    },
    { api: "responses", what: "a keep-alive", event: responses("in_progress", { response: {} }), told: false },
    { api: "responses", what: "an unknown event", event: responses("moon.phase", { delta: "full" }), told: false },
  ];
  test.for(streams)("is told of $what of $api: $told", async ({ api, event, told }) => {
    let signs = 0;
    const model = openai("gpt-test", { apiKey: "k", api, fetch: eventsFetch(event) });
    const context = { signal: new AbortController().signal, attempt: 1, now: () => now, onText: () => {}, onProgress: () => void signs++ };
    await failureOf(model.call(plainRequest, context)); // The stream breaks off.
    expect(signs).toBe(told ? 1 : 0);
  });
});

describe("usage", () => {
  test.for(ways)("is told as soon as it is there, also of an answer that fails $way", async ({ api, streaming }) => {
    const told: Usage[] = [];
    const chat = { choices: [], usage: { prompt_tokens: 5, completion_tokens: 2 } };
    const response = {
      object: "response",
      status: "failed",
      error: { code: "server_error" },
      usage: { input_tokens: 5, output_tokens: 2 },
    };
    const events = { chat, responses: { type: "response.failed", response } };
    const wholes = { chat, responses: response };
    const fetch = streaming ? eventsFetch(events[api]) : () => Promise.resolve(Response.json(wholes[api]));
    const model = openai("gpt-test", { apiKey: "k", api, fetch });
    const context = { signal: new AbortController().signal, attempt: 1, now: () => now, onUsage: (usage: Usage) => void told.push(usage) };
    await failureOf(model.call(plainRequest, streaming ? { ...context, onText: () => {} } : context));
    expect(told).toEqual([{ inputTokens: 5, outputTokens: 2 }]);
  });
});

describe("rate limits", () => {
  const headers = {
    "x-ratelimit-limit-requests": "5000",
    "x-ratelimit-remaining-requests": "4999",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "800000",
    "x-ratelimit-remaining-tokens": "799000",
    "x-ratelimit-reset-tokens": "6m0s",
  };
  test.for(ways)("are told with the answer $way", async (way) => {
    expect((await answerTo({ text: "x", headers }, way)).rateLimits).toEqual({
      requests: { limit: 5_000, remaining: 4_999, resetAt: now + 120 },
      tokens: { limit: 800_000, remaining: 799_000, resetAt: now + 360_000 },
    });
  });

  test.for([
    { reset: "1s", wait: 1_000 },
    { reset: "1h2m3.5s", wait: 3_723_500 },
    { reset: "2d", wait: 172_800_000 },
    { reset: "0s", wait: 0 },
    { reset: "500us", wait: 1 },
  ])("know the duration $reset", async ({ reset, wait }) => {
    const { rateLimits } = await answerTo({ text: "x", headers: { "x-ratelimit-reset-tokens": reset } }, { api: "chat", streaming: false });
    expect(rateLimits).toEqual({ tokens: { resetAt: now + wait } });
  });

  test.for(["soon", "-1s", "1", "s", "1y", "", "NaNs", "1s2"])("leave out what is none: %j", async (garbage) => {
    const fetch = () => {
      const body = { choices: [{ message: { content: "x" }, finish_reason: "stop" }] };
      const names = ["limit-requests", "remaining-tokens"].map((name) => [`x-ratelimit-${name}`, `${garbage}!`]);
      return Promise.resolve(Response.json(body, { headers: Object.fromEntries([...names, ["x-ratelimit-reset-requests", garbage]]) }));
    };
    expect(await answerOf(fetch, { api: "chat", streaming: false })).not.toHaveProperty("rateLimits");
  });
});

test.for(apis)("the address, organization, project and headers are the same for %s", async (api) => {
  await using provider = await simulatedProvider({ scenario: [{ text: "x" }] });
  await call(provider, { options: { api, organization: "org", project: "proj", headers: { "X-Team": "support" } } });
  expect(provider.requests[0]?.headers).toMatchObject({
    authorization: "Bearer key-1",
    "openai-organization": "org",
    "openai-project": "proj",
    "x-team": "support",
  });
});
