// The simulated provider against plain fetch: the wire format, every fault, and nothing left behind after close().
import { afterEach, describe, expect, test, vi } from "vitest";
import { type SimulatedProvider, type SimulatedReply, simulatedProvider } from "../../src/testing/index.ts";

const question = { model: "gpt-test", messages: [{ role: "user", content: "Where is my order?" }] };

afterEach(() => vi.restoreAllMocks());

function post(provider: SimulatedProvider, body: object = question, more: RequestInit = {}): Promise<Response> {
  return fetch(`${provider.baseURL}/chat/completions`, { method: "POST", body: JSON.stringify(body), ...more });
}

async function sent(reply: SimulatedReply, body: object = question): Promise<string> {
  await using provider = await simulatedProvider({ scenario: [reply] });
  return await (await post(provider, body)).text();
}

/** The data of each event of the stream. */
async function eventsOf(reply: SimulatedReply, body: object = { stream_options: { include_usage: true } }): Promise<readonly string[]> {
  const stream = await sent(reply, { ...question, stream: true, ...body });
  return stream
    .trimEnd()
    .split("\n\n")
    .map((event) => event.replace(/^data: /, ""));
}

async function jsonOf(response: Response): Promise<unknown> {
  return await response.json();
}

describe("a completion", () => {
  test("as JSON", async () => {
    expect(JSON.parse(await sent({ text: "On its way.", usage: { inputTokens: 9, outputTokens: 3 } }))).toEqual({
      id: "chatcmpl-0",
      object: "chat.completion",
      created: 1_767_225_600,
      model: "gpt-test",
      system_fingerprint: "fp_simulated",
      choices: [{ index: 0, message: { role: "assistant", content: "On its way.", refusal: null }, logprobs: null, finish_reason: "stop" }],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 3,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    });
  });

  test("as a stream: role, text, finish reason, usage, end", async () => {
    const events = await eventsOf({ text: "On its way.", chunkSize: 6 });
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    expect(chunks.map(({ choices }) => choices)).toEqual([
      [{ index: 0, delta: { role: "assistant", content: "", refusal: null }, finish_reason: null }],
      [{ index: 0, delta: { content: "On its" }, finish_reason: null }],
      [{ index: 0, delta: { content: " way." }, finish_reason: null }],
      [{ index: 0, delta: {}, finish_reason: "stop" }],
      [],
    ]);
    expect(chunks.at(-1)).toMatchObject({ object: "chat.completion.chunk", usage: { completion_tokens: 3 } });
    expect(events.at(-1)).toBe("[DONE]");
  });

  test("has no usage in a stream that did not ask for it", async () => {
    expect((await eventsOf({ text: "x" }, {})).join()).not.toContain("usage");
  });

  test("with calls, in pieces under their index", async () => {
    const calls = [
      { name: "findOrder", arguments: { id: "4711" } },
      { name: "ping", arguments: "", callId: null },
    ];
    const chunks = (await eventsOf({ calls, chunkSize: 8 }))
      .slice(0, -1)
      .map((event) => JSON.parse(event).choices[0]?.delta.tool_calls?.[0]);
    expect(chunks.filter(Boolean)).toEqual([
      { index: 0, id: "call_0_0", type: "function", function: { name: "findOrder", arguments: "" } },
      { index: 0, function: { arguments: '{"id":"4' } },
      { index: 0, function: { arguments: '711"}' } },
      { index: 1, type: "function", function: { name: "ping", arguments: "" } },
    ]);
    expect(JSON.parse(await sent({ calls })).choices).toMatchObject([
      { message: { content: null, tool_calls: [{ id: "call_0_0" }, { function: { name: "ping" } }] }, finish_reason: "tool_calls" },
    ]);
  });

  test("estimates tokens by the length of what was sent and answered", async () => {
    const usageFor = async (body: object) => JSON.parse(await sent({ text: "x".repeat(40) }, body)).usage;
    const short = await usageFor(question);
    const long = await usageFor({ ...question, messages: [{ role: "user", content: "x".repeat(400) }] });
    expect(short.completion_tokens).toBe(10);
    expect(long.prompt_tokens - short.prompt_tokens).toBeGreaterThan(90);
  });

  test("is the same bytes for the same requests", async () => {
    const reply: SimulatedReply = { text: "On its way.", calls: [{ name: "a", arguments: {} }] };
    expect(await eventsOf(reply)).toEqual(await eventsOf(reply));
    expect(await sent(reply)).toBe(await sent(reply));
  });

  test("is never cut inside a character", async () => {
    expect((await eventsOf({ text: "🚚🚚", chunkSize: 1 })).filter((event) => event.includes("🚚"))).toHaveLength(2);
  });
});

describe("what is answered", () => {
  test("follows the scenario until it has run out", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "server-error" }, { text: "x" }] });
    const statuses = [];
    for (let request = 0; request < 3; request++) statuses.push((await post(provider)).status);
    expect(statuses).toEqual([500, 200, 500]);
    expect(await jsonOf(await post(provider))).toMatchObject({ error: { message: expect.stringContaining("run out after 2 replies") } });
    expect(provider.requests.map(({ reply, status }) => ({ fault: reply?.fault, status }))).toEqual([
      { fault: "server-error", status: 500 },
      { fault: undefined, status: 200 },
      { fault: undefined, status: 500 },
      { fault: undefined, status: 500 },
    ]);
  });

  test("is the first rule that holds", async () => {
    await using provider = await simulatedProvider({
      rules: [
        { when: ({ messages }) => messages?.at(-1)?.role === "tool", reply: { text: "Found." } },
        { when: ({ model }) => model === "gpt-test", reply: { calls: [{ name: "findOrder", arguments: {} }] } },
      ],
    });
    expect(await (await post(provider)).text()).toContain("findOrder");
    expect(await (await post(provider, { messages: [{ role: "tool", content: "" }] })).text()).toContain("Found.");
    expect(await jsonOf(await post(provider, { messages: [] }))).toMatchObject({ error: { message: "No rule matches the request." } });
  });

  test("is up to a function of the request", async () => {
    await using provider = await simulatedProvider({ rules: ({ index, headers }) => ({ text: `${index} ${String(headers["x-team"])}` }) });
    await post(provider);
    expect(await (await post(provider, question, { headers: { "x-team": "support" } })).text()).toContain("1 support");
  });

  test("is an error when the rules throw", async () => {
    const rules = () => {
      throw new Error("my mistake");
    };
    await using provider = await simulatedProvider({ rules });
    expect(await jsonOf(await post(provider))).toMatchObject({ error: { message: expect.stringContaining("my mistake") } });
  });

  test.for([
    { what: "another path", path: "/models", body: "{}", status: 404 },
    { what: "no JSON", path: "/chat/completions", body: "{", status: 400 },
    { what: "no messages", path: "/chat/completions", body: "{}", status: 400 },
    { what: "messages that are no list", path: "/chat/completions", body: '{"messages": {}}', status: 400 },
  ])("is an error for $what", async ({ path, body, status }) => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    expect((await fetch(provider.baseURL + path, { method: "POST", body })).status).toBe(status);
    expect(provider.count).toBe(0);
  });

  test("has to be given", async () => {
    await expect(simulatedProvider(JSON.parse("{}"))).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});

describe("faults", () => {
  test.for([
    { fault: "rate-limit", status: 429, body: /rate_limit_exceeded/ },
    { fault: "quota", status: 429, body: /insufficient_quota/ },
    { fault: "server-error", status: 500, body: /server_error/ },
    { fault: "bad-gateway-html", status: 502, body: /<html>/ },
    { fault: "bad-request", status: 400, body: /unsupported_value/ },
    { fault: "context-too-long", status: 400, body: /context_length_exceeded/ },
    { fault: "unauthorized", status: 401, body: /invalid_api_key/ },
    { fault: "html-200", status: 200, body: /<html>/ },
    { fault: "empty-200", status: 200, body: /^$/ },
    { fault: "error-200", status: 200, body: /"error"/ },
    { fault: "garbled", status: 200, body: /^\{"id":"chatcmpl-0".*[^}]$/ },
    { fault: "error-mid-body", status: 200, body: /^\{"error"/ },
  ] as const)("$fault", async ({ fault, status, body }) => {
    await using provider = await simulatedProvider({ scenario: [{ fault }] });
    const response = await post(provider);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(body);
  });

  test("carry the headers that say how long to wait", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "rate-limit", retryAfter: "7", retryAfterMs: "250" }] });
    const { headers } = await post(provider);
    expect([headers.get("retry-after"), headers.get("retry-after-ms")]).toEqual(["7", "250"]);
  });

  test("cut ends the stream in good order, too early", async () => {
    const events = await eventsOf({ fault: "cut", text: "abc", chunkSize: 1, afterChunks: 3 });
    expect(events.map((event) => JSON.parse(event).choices[0].delta.content)).toEqual(["", "a", "b"]);
  });

  test("garbled breaks off inside an event", async () => {
    expect(await eventsOf({ fault: "garbled" })).toEqual([expect.stringMatching(/^\{"id":"chatcmpl-0".*[^}]$/)]);
  });

  test("error-mid-body ends the stream with an error event", async () => {
    expect((await eventsOf({ fault: "error-mid-body", text: "abc", chunkSize: 1 })).at(-1)).toMatch(/^\{"error"/);
  });

  test.for(["reset", "reset-mid-body"] as const)("%s destroys the socket, which is not the client leaving", async (fault) => {
    await using provider = await simulatedProvider({ scenario: [{ fault, text: "abc" }] });
    await expect(post(provider).then((response) => response.text())).rejects.toThrow(TypeError);
    await provider.requests[0]?.ended;
    expect(provider.requests[0]?.disconnected).toBe(false);
  });

  test.for(["hang", "stall"] as const)("%s lasts until the client leaves, which is recorded", async (fault) => {
    const controller = new AbortController();
    await using provider = await simulatedProvider({ scenario: [{ fault, text: "abc" }] });
    const asked = post(provider, { ...question, stream: true }, { signal: controller.signal }).then((response) => response.text());
    while (provider.count === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
    await provider.requests[0]?.ended;
    expect(provider.requests[0]?.disconnected).toBe(true);
  });

  test("a client that leaves ends the wait for the next slow token", async () => {
    const controller = new AbortController();
    const timers = vi.spyOn(globalThis, "setTimeout");
    const cleared = vi.spyOn(globalThis, "clearTimeout");
    await using provider = await simulatedProvider({ scenario: [{ fault: "slow-tokens", delayMs: 3_600_000, text: "abc" }] });
    const response = await post(provider, { ...question, stream: true }, { signal: controller.signal });
    controller.abort();
    await expect(response.text()).rejects.toMatchObject({ name: "AbortError" });
    await provider.requests[0]?.ended;
    expect(provider.requests[0]?.disconnected).toBe(true);
    const waiting = timers.mock.calls.findIndex(([, ms]) => ms === 3_600_000);
    expect(cleared).toHaveBeenCalledWith(timers.mock.results[waiting]?.value);
  });
});

describe("close", () => {
  test("cuts what is open, leaves nothing behind and may be called twice", async () => {
    const provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "abc" }] });
    const response = await post(provider, { ...question, stream: true });
    const order: string[] = [];
    const over = provider.requests[0]?.ended.then(() => order.push("answer over"));
    await Promise.all([provider.close(), provider.close()]);
    order.push("closed");
    await over;
    expect(order).toEqual(["answer over", "closed"]);
    await provider.close();
    await expect(response.text()).rejects.toThrow(TypeError);
    await expect(post(provider)).rejects.toThrow(TypeError);
    expect(provider.requests[0]?.disconnected).toBe(false);
  });
});
