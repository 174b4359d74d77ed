// Keys and options: asked for per request, checked before anything is sent, never taken from the environment.
import { getEventListeners } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import { AgentError } from "../../src/core/errors.ts";
import { type OpenAIOptions, openai } from "../../src/providers/openai/openai.ts";
import { type SimulatedProvider, simulatedProvider } from "../../src/testing/index.ts";
import { call, failureOf, now, plainRequest } from "./exchange.ts";

afterEach(() => vi.unstubAllEnvs());

describe("the key", () => {
  const authorizations = (provider: SimulatedProvider) => provider.requests.map(({ headers }) => headers.authorization);

  test("is asked for before every request, so it may rotate", async () => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    let asked = 0;
    const model = openai("gpt-test", { apiKey: () => Promise.resolve(`key-${++asked}`), baseURL: provider.baseURL });
    const { signal } = new AbortController();
    for (let attempt = 1; attempt <= 3; attempt++) await model.call(plainRequest, { signal, attempt, now: () => now });
    expect(authorizations(provider)).toEqual(["Bearer key-1", "Bearer key-2", "Bearer key-3"]);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  const failing = [
    { what: "throws", apiKey: () => Promise.reject(new Error("the vault said: key-1 expired")) },
    { what: "throws at once", apiKey: (): string => JSON.parse("{") },
    { what: "answers nothing", apiKey: () => Promise.resolve("") },
    { what: "answers more than a key", apiKey: () => Promise.resolve("key-1\n") },
  ];
  test.for(failing)("that cannot be had is an authentication failure: $what", async ({ apiKey }) => {
    await using provider = await simulatedProvider({ scenario: [] });
    const error = await failureOf(call(provider, { options: { apiKey } }));
    expect(error.code).toBe("authentication_failed");
    expect(error.message).not.toContain("key-1");
    expect(provider.count).toBe(0);
  });

  test("that never comes does not outlast an abort", async () => {
    await using provider = await simulatedProvider({ scenario: [] });
    const halted = new AgentError("halted", "Somebody halted the run.");
    const controller = new AbortController();
    const apiKey = () => {
      controller.abort(halted);
      return new Promise<string>(() => {});
    };
    expect(await failureOf(call(provider, { options: { apiKey }, signal: controller.signal }))).toBe(halted);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("function may throw an error of ours", async () => {
    await using provider = await simulatedProvider({ scenario: [] });
    const busy = new AgentError("provider_unavailable", "The vault is busy.");
    expect(await failureOf(call(provider, { options: { apiKey: () => Promise.reject(busy) } }))).toBe(busy);
  });

  test("and everything else come from the options, not from the environment", async () => {
    vi.stubEnv("OPENAI_API_KEY", "ambient");
    vi.stubEnv("OPENAI_ADMIN_KEY", "ambient");
    vi.stubEnv("OPENAI_ORG_ID", "ambient");
    vi.stubEnv("OPENAI_PROJECT_ID", "ambient");
    vi.stubEnv("OPENAI_BASE_URL", "http://127.0.0.1:9/ambient");
    vi.stubEnv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer ambient");
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    let requested = "";
    const spy: typeof fetch = (input, init) => {
      requested = String(input instanceof Request ? input.url : input);
      return fetch(`${provider.baseURL}/chat/completions`, init);
    };
    const model = openai("gpt-test", { apiKey: "key-1", fetch: spy });
    await model.call(plainRequest, { signal: new AbortController().signal, attempt: 1, now: () => now });
    expect(requested).toBe("https://api.openai.com/v1/chat/completions");
    expect(JSON.stringify(provider.requests[0]?.headers)).not.toContain("ambient");
  });

  test("goes along with organization, project and headers", async () => {
    await using provider = await simulatedProvider({ scenario: [{ text: "x" }] });
    await call(provider, { options: { organization: "org", project: "proj", headers: { "X-Team": "support" } } });
    expect(provider.requests[0]?.headers).toMatchObject({
      authorization: "Bearer key-1",
      "openai-organization": "org",
      "openai-project": "proj",
      "x-team": "support",
    });
  });
});

describe("the options", () => {
  const wrong: readonly { readonly what: RegExp; readonly make: () => unknown }[] = [
    { what: /"apiKey".*environment/, make: () => openai("gpt-test", JSON.parse("{}")) },
    { what: /"apiKey"/, make: () => openai("gpt-test", JSON.parse("null")) },
    { what: /"apiKey"/, make: () => openai("gpt-test", { apiKey: "" }) },
    { what: /"apiKey".*line breaks/, make: () => openai("gpt-test", { apiKey: "key-1\n" }) },
    { what: /"headers"/, make: () => openai("gpt-test", { apiKey: "k", headers: { "X Team": "support" } }) },
    { what: /"baseURL"/, make: () => openai("gpt-test", { apiKey: "k", baseURL: "localhost:8080" }) },
    ...[
      "https://user@gw.example/v1",
      "https://:pass@gw.example/v1",
      "https://gw.example/#/v1",
      " https://gw.example/v1",
      "https://gw.example/v1 ",
      "",
    ].map((baseURL) => ({ what: /"baseURL"/, make: () => openai("gpt-test", { apiKey: "k", baseURL }) })),
    { what: /"headers"/, make: () => openai("gpt-test", { apiKey: "k", headers: JSON.parse('{"x": 1}') }) },
    { what: /"organization"/, make: () => openai("gpt-test", { apiKey: "k", organization: "" }) },
    { what: /no option "maxRetries"/, make: () => openai("gpt-test", JSON.parse('{"apiKey": "k", "maxRetries": 2}')) },
    { what: /"api".*"responses"/, make: () => openai("gpt-test", JSON.parse('{"apiKey": "k", "api": "assistants"}')) },
    { what: /"strict"/, make: () => openai("gpt-test", JSON.parse('{"apiKey": "k", "strict": "yes"}')) },
    { what: /"store"/, make: () => openai("gpt-test", JSON.parse('{"apiKey": "k", "store": 0}')) },
    { what: /"promptCacheTtl"/, make: () => openai("gpt-test", JSON.parse('{"apiKey": "k", "promptCacheTtl": "1h"}')) },
    { what: /"12h".*responses/, make: () => openai("gpt-test", { apiKey: "k", promptCacheTtl: "12h" }) },
    { what: /"reasoningSummary".*responses/, make: () => openai("gpt-test", { apiKey: "k", reasoningSummary: "auto" }) },
    { what: /settings.*"maxTokens"/, make: () => openai("gpt-test", JSON.parse('{"apiKey": "k", "settings": {"maxTokens": 1}}')) },
    { what: /settings.*"temperature"/, make: () => openai("gpt-test", JSON.parse('{"apiKey": "k", "settings": {"temperature": "hot"}}')) },
    { what: /id of a model/, make: () => openai("", { apiKey: "k" }) },
  ];
  test.for(wrong)("are checked when the model is made: $what", async ({ what, make }) => {
    const error = await failureOf((async () => await make())());
    expect(error.code).toBe("configuration_invalid");
    expect(error.message).toMatch(what);
  });

  test("that are undefined count as not given", () => {
    const options = Object.assign<OpenAIOptions, object>({ apiKey: "none" }, { baseURL: undefined });
    expect(openai("gpt-test", options)).toMatchObject({ provider: "openai", id: "gpt-test" });
  });
});
