// Keys, options and the SDK's ways of its own: asked for per request, checked before anything is sent, never taken from the environment.
import { context, propagation, type Span, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { afterEach, describe, expect, test, vi } from "vitest";
import { anthropic } from "../../src/providers/anthropic/anthropic.ts";
import { simulatedProvider } from "../../src/testing/index.ts";
import { call, jsonFetch, streamed, ways } from "./anthropic-exchange.ts";
import { failureOf, now, plainRequest } from "./exchange.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const fine = { content: [], stop_reason: "end_turn" };

describe("the key", () => {
  test("is asked for before every request, so it may rotate", async () => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    let asked = 0;
    const model = anthropic("claude-test", { apiKey: () => Promise.resolve(`key-${++asked}`), baseURL: provider.url });
    const { signal } = new AbortController();
    for (let attempt = 1; attempt <= 3; attempt++) await model.call(plainRequest, { signal, attempt, now: () => now });
    expect(provider.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer key-1", "Bearer key-2", "Bearer key-3"]);
  });

  test("function that throws or answers none is `authentication_failed`, and nothing is sent", async () => {
    await using provider = await simulatedProvider({ scenario: [] });
    for (const apiKey of [() => "", () => Promise.reject(new TypeError("no vault"))]) {
      expect(await failureOf(call(provider.url, { options: { apiKey } }))).toMatchObject({ code: "authentication_failed" });
    }
    expect(provider.count).toBe(0);
  });

  test("and everything else come from the options, not from the environment", async () => {
    vi.stubEnv("ANTHROPIC_API_KEY", "ambient");
    vi.stubEnv("ANTHROPIC_AUTH_TOKEN", "ambient");
    vi.stubEnv("ANTHROPIC_PROFILE", "ambient");
    vi.stubEnv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9/ambient");
    vi.stubEnv("ANTHROPIC_LOG", "debug");
    vi.stubEnv("ANTHROPIC_CUSTOM_HEADERS", "Authorization: Bearer ambient\nX-Api-Key: ambient");
    const log = (["debug", "info", "log", "warn", "error"] as const).map((level) => vi.spyOn(console, level));
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    let requested = "";
    const spy: typeof fetch = (input, init) => {
      requested = String(input instanceof Request ? input.url : input);
      return fetch(`${provider.url}/v1/messages`, init);
    };
    // A model that the SDK, asked in its own words, writes to the console about.
    const model = anthropic("claude-3-opus-20240229", { apiKey: "key-1", fetch: spy });
    await model.call(plainRequest, { signal: new AbortController().signal, attempt: 1, now: () => now });
    expect(requested).toBe("https://api.anthropic.com/v1/messages");
    expect(provider.requests[0]?.headers).toMatchObject({ authorization: "Bearer key-1" });
    expect(JSON.stringify(provider.requests[0]?.headers)).not.toContain("ambient");
    for (const written of log) expect(written).not.toHaveBeenCalled();
  });

  test("goes along with headers, which win, also over the key", async () => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    await call(provider.url, { options: { headers: { "X-Team": "support", "anthropic-beta": "a" } } });
    await call(provider.url, { options: { headers: { "X-Api-Key": "other", Authorization: "Basic x" } } });
    expect(provider.requests[0]?.headers).toMatchObject({ authorization: "Bearer key-1", "x-team": "support", "anthropic-beta": "a" });
    expect(provider.requests[1]?.headers).toMatchObject({ authorization: "Basic x", "x-api-key": "other" });
  });
});

describe("the SDK", () => {
  test.for(ways)("makes no spans of its own and hands none of ours on $way", async ({ streaming }) => {
    const exporter = new InMemorySpanExporter();
    const tracing = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    tracing.register();
    await using provider = await simulatedProvider({ scenario: [{ text: "x" }] });
    const work = async (span: Span) => {
      await call(provider.url, streamed(streaming));
      span.end();
    };
    await trace.getTracer("test").startActiveSpan("ours", work);
    const names = exporter.getFinishedSpans().map(({ name }) => name);
    await tracing.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
    expect(provider.requests[0]?.headers).not.toHaveProperty("traceparent");
    expect(names).toEqual(["ours"]);
  });

  test("is asked for long answers without a word", async () => {
    await using provider = await simulatedProvider({ scenario: [{ text: "x" }] });
    await call(provider.url, { request: { settings: { maxOutputTokens: 128_000 } } });
    expect(provider.requests[0]?.body["max_tokens"]).toBe(128_000);
  });
});

describe("the options", () => {
  const wrong: readonly { readonly what: RegExp; readonly make: () => unknown }[] = [
    { what: /"apiKey".*environment/, make: () => anthropic("claude-test", JSON.parse("{}")) },
    { what: /"baseURL"/, make: () => anthropic("claude-test", { apiKey: "k", baseURL: "localhost:8080" }) },
    ...["https://gw.example/v1", "https://gw.example/a/v1/", "https://gw.example/v1/messages", "https://gw.example?key=1"].map(
      (baseURL) => ({
        what: /"baseURL".*without a query and without \/v1.*api\.example\.com/,
        make: () => anthropic("claude-test", { apiKey: "k", baseURL }),
      }),
    ),
    {
      what: /"promptCache".*"5m", "1h" or "off"/,
      make: () => anthropic("claude-test", JSON.parse('{"apiKey": "k", "promptCache": true}')),
    },
    { what: /"thinking".*adaptive/, make: () => anthropic("claude-test", JSON.parse('{"apiKey": "k", "thinking": "adaptive"}')) },
    { what: /"thinking"/, make: () => anthropic("claude-test", JSON.parse('{"apiKey": "k", "thinking": {"type": "deep"}}')) },
    {
      what: /"thinking".*budget_tokens/,
      make: () => anthropic("claude-test", JSON.parse('{"apiKey": "k", "thinking": {"type": "enabled"}}')),
    },
    { what: /"strictTools"/, make: () => anthropic("claude-test", JSON.parse('{"apiKey": "k", "strictTools": "yes"}')) },
    { what: /"settings"/, make: () => anthropic("claude-test", JSON.parse('{"apiKey": "k", "settings": 1}')) },
    {
      what: /settings of anthropic.*"stop"/,
      make: () => anthropic("claude-test", JSON.parse('{"apiKey": "k", "settings": {"stop": "x"}}')),
    },
    { what: /no option "maxRetries"/, make: () => anthropic("claude-test", JSON.parse('{"apiKey": "k", "maxRetries": 2}')) },
    { what: /id of a model/, make: () => anthropic("", { apiKey: "k" }) },
  ];
  test.for(wrong)("are checked when the model is made: $what", async ({ what, make }) => {
    const error = await failureOf((async () => await make())());
    expect(error.code).toBe("configuration_invalid");
    expect(error.message).toMatch(what);
  });

  test.for(["https://gw.example", "https://gw.example/", "https://gw.example/v1/anthropic"])("lead to %s", async (baseURL) => {
    let requested = "";
    const fetch: typeof globalThis.fetch = (input, init) => {
      requested = String(input instanceof Request ? input.url : input);
      return jsonFetch(fine)(input, init);
    };
    await call(baseURL, { options: { fetch } });
    expect(requested).toBe(`${baseURL.replace(/\/$/, "")}/v1/messages`);
  });

  test("say what they cost beyond the list: caches that are kept for an hour, and thinking that has to fit", () => {
    const make = (more: object) => anthropic("claude-sonnet-5-5", { apiKey: "k", ...more });
    expect(make({}).cacheWriteMultiple).toBeUndefined();
    expect(make({ promptCache: "1h" }).cacheWriteMultiple).toBe(1.6);
    expect(make({ thinking: { type: "enabled", budget_tokens: 2_000 } }).minOutputTokens).toBe(2_001);
  });

  test("make a model with settings of its own", () => {
    const settings = { maxOutputTokens: 100 };
    expect(anthropic("claude-test", { apiKey: "none", settings })).toMatchObject({ provider: "anthropic", id: "claude-test", settings });
    expect(anthropic("claude-test", { apiKey: "none" })).not.toHaveProperty("settings");
  });
});

describe("what the API does not have", () => {
  const offer = { tools: [], settings: {} };
  const check = (settings: object, options: object = {}) =>
    failureOf(Promise.resolve().then(() => anthropic("claude-test", { apiKey: "k", ...options }).check?.({ ...offer, settings })));

  const refused: readonly { readonly what: RegExp; readonly settings: object; readonly options?: object }[] = [
    { what: /no temperature/, settings: { temperature: 0 } },
    { what: /no topP/, settings: { topP: 1 } },
    { what: /no seed/, settings: { seed: 7 } },
    { what: /no temperature/, settings: {}, options: { settings: { temperature: 0 } } },
    { what: /blanks/, settings: { stop: ["END", " \n"] } },
    { what: /toolChoice/, settings: { toolChoice: "required" }, options: { thinking: { type: "adaptive" } } },
    { what: /budget_tokens/, settings: { maxOutputTokens: 2_000 }, options: { thinking: { type: "enabled", budget_tokens: 2_000 } } },
    { what: /budget_tokens/, settings: {}, options: { thinking: { type: "enabled", budget_tokens: 16_000 } } },
  ];
  test.for(refused)("is refused when the agent is made: $what", async ({ what, settings, options }) => {
    const error = await check(settings, options);
    expect(error.code).toBe("configuration_invalid");
    expect(error.message).toMatch(what);
  });

  test("and is never left out in silence when it is asked for later", async () => {
    const fetch = vi.fn(jsonFetch(fine));
    const error = await failureOf(call("http://127.0.0.1:9", { request: { settings: { temperature: 1 } }, options: { fetch } }));
    expect(error).toMatchObject({ code: "configuration_invalid", hint: expect.stringContaining("model that has it") });
    expect(fetch).not.toHaveBeenCalled();
  });
});
