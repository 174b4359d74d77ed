// Every fault, in every API, as JSON and as a stream: what goes over the wire, and that a client that leaves ends it.
import { describe, expect, test, vi } from "vitest";
import { type SimulatedApi, type SimulatedFault, type SimulatedReply, simulatedProvider } from "../../../src/testing/index.ts";
import { apis, ask, eventsIn, eventsTo, sentTo, ways, waysOfApis } from "./exchange.ts";

const text = "abcdef";
const eachWay = (faults: readonly SimulatedFault[]) =>
  faults.flatMap((reply) => waysOfApis.map((way) => ({ reply, fault: reply.fault, ...way })));

/** The text a reader has seen of a stream, whichever API it is. */
function seenIn(api: SimulatedApi, stream: string): string {
  const seen = eventsIn(stream).map(({ data }) => {
    const event = data.startsWith("{") ? JSON.parse(data) : {};
    if (api === "chat") return event.choices?.[0]?.delta.content ?? "";
    if (api === "responses") return event.type === "response.output_text.delta" ? event.delta : "";
    return event.delta?.text ?? "";
  });
  return seen.join("");
}

/** Asks until `enough` of the answer has come, then leaves; what came by then, and whether leaving was noticed. */
async function leave(api: SimulatedApi, stream: boolean, reply: SimulatedReply, enough: (seen: string) => boolean) {
  await using provider = await simulatedProvider({ scenario: [reply] });
  const controller = new AbortController();
  const response = await ask(provider, api, { stream }, { signal: controller.signal });
  const decoder = new TextDecoder();
  let seen = "";
  const reader = response.body?.getReader();
  while (!enough(seen)) seen += decoder.decode((await reader?.read())?.value, { stream: true });
  controller.abort();
  await provider.requests[0]?.ended;
  return { seen, disconnected: provider.requests[0]?.disconnected };
}

describe("an HTTP error", () => {
  const openai = (type: string, code: string | null) => ({
    error: { message: expect.stringContaining("secret prompt"), type, param: null, code },
  });
  const anthropic = (type: string) => ({
    type: "error",
    error: { type, message: expect.stringContaining("secret prompt") },
    request_id: "req_0",
  });

  test.for([
    { fault: "rate-limit", status: 429, ours: openai("requests", "rate_limit_exceeded"), theirs: anthropic("rate_limit_error") },
    {
      fault: "quota",
      status: 429,
      ours: openai("insufficient_quota", "insufficient_quota"),
      theirs: anthropic("billing_error"),
      theirStatus: 402,
    },
    { fault: "server-error", status: 500, ours: openai("server_error", null), theirs: anthropic("api_error") },
    { fault: "unavailable", status: 503, ours: openai("server_error", null), theirs: anthropic("api_error") },
    { fault: "overloaded", status: 529, ours: openai("server_error", "server_is_overloaded"), theirs: anthropic("overloaded_error") },
    { fault: "too-large", status: 413, ours: openai("invalid_request_error", "request_too_large"), theirs: anthropic("request_too_large") },
    {
      fault: "bad-request",
      status: 400,
      ours: openai("invalid_request_error", "unsupported_value"),
      theirs: anthropic("invalid_request_error"),
    },
    {
      fault: "context-too-long",
      status: 400,
      ours: openai("invalid_request_error", "context_length_exceeded"),
      theirs: anthropic("invalid_request_error"),
    },
    {
      fault: "unauthorized",
      status: 401,
      ours: openai("invalid_request_error", "invalid_api_key"),
      theirs: anthropic("authentication_error"),
    },
  ] as const)("$fault is spelled as the provider spells it", async ({ fault, status, ours, theirs, ...more }) => {
    for (const { api, stream } of waysOfApis) {
      await using provider = await simulatedProvider({ scenario: [{ fault }] });
      const response = await ask(provider, api, { stream });
      const expected = api === "messages" ? [("theirStatus" in more && more.theirStatus) || status, theirs] : [status, ours];
      expect([response.status, await response.json()], api).toEqual(expected);
    }
  });

  test("context-too-long can be told by its text alone in Messages", async () => {
    expect(await sentTo("messages", { fault: "context-too-long" })).toContain("prompt is too long");
  });

  test.for(apis)("bad-gateway-html is a page in %s", async (api) => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "bad-gateway-html" }] });
    const response = await ask(provider, api);
    expect([response.status, response.headers.get("content-type")]).toEqual([502, "text/html"]);
    expect(await response.text()).toContain("<html>");
  });

  test.for([{ retryAfter: "7" }, { retryAfter: "Thu, 01 Jan 2026 00:00:07 GMT" }, { retryAfterMs: "250" }])(
    "says how long to wait, as %o",
    async (wait) => {
      for (const api of apis) {
        await using provider = await simulatedProvider({ scenario: [{ fault: "rate-limit", ...wait }] });
        const { headers } = await ask(provider, api);
        const told = { retryAfter: headers.get("retry-after"), retryAfterMs: headers.get("retry-after-ms") };
        expect(told, api).toEqual({ retryAfter: null, retryAfterMs: null, ...wait });
      }
    },
  );
});

describe("under status 200", () => {
  test.for([
    { fault: "html-200", body: /^<!doctype html>/ },
    { fault: "empty-200", body: /^$/ },
    { fault: "error-200", body: /"error":\{.*"(server_error|api_error)"/ },
  ] as const)("$fault, whether a stream was asked for or not", async ({ fault, body }) => {
    for (const { api, stream } of waysOfApis) {
      await using provider = await simulatedProvider({ scenario: [{ fault }] });
      const response = await ask(provider, api, { stream });
      expect(response.status, api).toBe(200);
      expect(await response.text(), api).toMatch(body);
    }
  });

  test.for(waysOfApis)("stream-ignored is JSON by $api $way", async ({ api, stream }) => {
    expect(await sentTo(api, { fault: "stream-ignored", text }, { stream })).toBe(await sentTo(api, { text }));
  });
});

describe("on the way", () => {
  test.for(apis)("the chunks of %s are the opening and each piece of text", async (api) => {
    const upTo = async (afterChunks: number) => {
      const stream = await sentTo(api, { fault: "cut", text, chunkSize: 2, afterChunks }, { stream: true });
      return { begun: stream !== "", seen: seenIn(api, stream) };
    };
    expect([await upTo(0), await upTo(1), await upTo(2), await upTo(3)]).toEqual([
      { begun: false, seen: "" },
      { begun: true, seen: "" },
      { begun: true, seen: "ab" },
      { begun: true, seen: "abcd" },
    ]);
  });

  test.for(apis)("a call of %s starts in a chunk without arguments", async (api) => {
    const calls = [{ name: "find", arguments: "<arguments>" }];
    const started = await sentTo(api, { fault: "cut", calls, afterChunks: 2 }, { stream: true });
    expect(started).toContain("find");
    expect(started).not.toContain("<arguments>");
  });

  test.for(apis)("cut ends a stream of %s in good order", async (api) => {
    const events = await eventsTo(api, { fault: "cut", text });
    const whole = await eventsTo(api, { text });
    expect(events).toEqual(whole.slice(0, events.length));
    expect(events.length).toBeLessThan(whole.length);
  });

  test.for(apis)("half-event breaks a stream of %s off inside an event", async (api) => {
    const stream = await sentTo(api, { fault: "half-event", text, chunkSize: 2 }, { stream: true });
    const before = await sentTo(api, { fault: "cut", text, chunkSize: 2 }, { stream: true });
    const whole = await sentTo(api, { text, chunkSize: 2 }, { stream: true });
    expect(stream.startsWith(before) && whole.startsWith(stream)).toBe(true);
    expect(stream.slice(before.length)).toMatch(/^(event: .*\n)?data: .+[^\n]$/);
  });

  test.for(apis)("garbled sends %s an event that does not parse", async (api) => {
    const first = await eventsTo(api, { fault: "garbled", text });
    const later = await eventsTo(api, { fault: "garbled", text, afterChunks: 2 });
    expect(first).toHaveLength(1);
    expect(seenIn(api, await sentTo(api, { fault: "cut", text }, { stream: true }))).toBe(text);
    for (const { data } of [...first, ...later.slice(-1)]) expect(() => JSON.parse(data)).toThrow(SyntaxError);
    for (const { data } of later.slice(0, -1)) expect(() => JSON.parse(data)).not.toThrow();
  });

  test.for(apis)("error-mid-body ends a stream of %s with an error event", async (api) => {
    const last = async (error?: "overloaded" | "rate-limit") => {
      const stream = await sentTo(api, { fault: "error-mid-body", text, chunkSize: 2, ...(error ? { error } : {}) }, { stream: true });
      expect(seenIn(api, stream)).toBe("ab");
      const { name, data } = eventsIn(stream).at(-1) ?? { data: "" };
      const { type, code, error: inner } = JSON.parse(data);
      return { name, type, code, inner: inner && { type: inner.type, code: inner.code } };
    };
    const spelled = {
      chat: [
        { inner: { type: "server_error", code: null } },
        { inner: { type: "server_error", code: "server_is_overloaded" } },
        { inner: { type: "requests", code: "rate_limit_exceeded" } },
      ],
      responses: ["server_error", "server_is_overloaded", "rate_limit_exceeded"].map((code) => ({ name: "error", type: "error", code })),
      messages: ["api_error", "overloaded_error", "rate_limit_error"].map((type) => ({ name: "error", type: "error", inner: { type } })),
    };
    expect([await last(), await last("overloaded"), await last("rate-limit")]).toEqual(spelled[api]);
  });

  test("the error event of Responses has the next number", async () => {
    const numbers = (await eventsTo("responses", { fault: "error-mid-body", text })).map(({ data }) => JSON.parse(data).sequence_number);
    expect(numbers).toEqual(numbers.map((_, position) => position));
  });

  test.for(apis)("as JSON %s has half a body, or an error in its place", async (api) => {
    const whole = await sentTo(api, { text });
    for (const fault of ["cut", "half-event", "garbled"] as const) {
      expect(await sentTo(api, { fault, text })).toBe(whole.slice(0, whole.length / 2));
    }
    expect(await sentTo(api, { fault: "cut", text, afterChunks: 0 })).toBe("");
    expect(JSON.parse(await sentTo(api, { fault: "error-mid-body", text, error: "overloaded" }))).toMatchObject({ error: {} });
  });
});

describe("a broken connection", () => {
  test.for(eachWay([{ fault: "reset" }, { fault: "reset-mid-body", text }]))(
    "$fault by $api $way is not the client leaving",
    async ({ api, stream, reply }) => {
      await using provider = await simulatedProvider({ scenario: [reply] });
      await expect(ask(provider, api, { stream }).then((response) => response.text())).rejects.toThrow(TypeError);
      await provider.requests[0]?.ended;
      expect(provider.requests[0]?.disconnected).toBe(false);
    },
  );

  test.for(ways)("reset-mid-body has sent what came before it $way", async ({ stream }) => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "reset-mid-body", text }] });
    const reader = (await ask(provider, "messages", { stream })).body?.getReader();
    expect((await reader?.read())?.value?.length).toBeGreaterThan(50);
  });
});

describe("silence", () => {
  test.for(waysOfApis)("hang by $api $way answers nothing until the client leaves", async ({ api, stream }) => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "hang" }] });
    const controller = new AbortController();
    const asked = ask(provider, api, { stream }, { signal: controller.signal });
    await vi.waitFor(() => expect(provider.count).toBe(1), { interval: 1 });
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
    await provider.requests[0]?.ended;
    expect(provider.requests[0]).toMatchObject({ disconnected: true });
    expect(provider.requests[0]).not.toHaveProperty("status");
  });

  test.for(waysOfApis)("headers-then-silence by $api $way sends the head alone", async ({ api, stream }) => {
    expect(await leave(api, stream, { fault: "headers-then-silence" }, () => true)).toEqual({ seen: "", disconnected: true });
  });

  test.for(waysOfApis)("stall by $api $way sends the beginning", async ({ api, stream }) => {
    const { length } = await sentTo(api, { fault: "cut", text, afterChunks: 1 }, { stream });
    const { seen, disconnected } = await leave(api, stream, { fault: "stall", text, afterChunks: 1 }, (got) => got.length >= length);
    expect(disconnected).toBe(true);
    expect(seen).toHaveLength(length);
  });

  test.for(apis)("keep-alive sends %s signs of life without content", async (api) => {
    const reply: SimulatedReply = { fault: "keep-alive", text, chunkSize: 2, intervalMs: 1 };
    const before = await sentTo(api, { fault: "cut", text, chunkSize: 2 }, { stream: true });
    const { seen, disconnected } = await leave(api, true, reply, (got) => got.slice(before.length).split("\n\n").length > 6);
    expect(disconnected).toBe(true);
    expect(seenIn(api, seen.slice(0, seen.lastIndexOf("\n\n")))).toBe("ab");
    const signs = seen.slice(before.length).split("\n\n").slice(0, 2);
    const comment = ": keep-alive";
    const expected = {
      chat: [comment, expect.stringMatching(/^data: .*"delta":\{"content":""\}/)],
      responses: [comment, expect.stringMatching(/^event: response.in_progress\ndata: /)],
      messages: ['event: ping\ndata: {"type":"ping"}', comment],
    };
    expect(signs).toEqual(expected[api]);
  });

  test.for(apis)("keep-alive sends %s spaces in place of JSON", async (api) => {
    const { seen } = await leave(api, false, { fault: "keep-alive", text, intervalMs: 1 }, (got) => got.length > 3);
    expect(seen.trim()).toBe("");
  });
});

describe("slow tokens", () => {
  test.for(apis)("of %s are the same tokens", async (api) => {
    const slow = await sentTo(api, { fault: "slow-tokens", delayMs: 1, text, chunkSize: 2 }, { stream: true });
    expect(slow).toBe(await sentTo(api, { text, chunkSize: 2 }, { stream: true }));
  });

  test("end when the client leaves", async () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    const cleared = vi.spyOn(globalThis, "clearTimeout");
    const reply: SimulatedReply = { fault: "slow-tokens", delayMs: 3_600_000, text };
    expect(await leave("chat", true, reply, (seen) => seen !== "")).toMatchObject({ disconnected: true });
    const waiting = timers.mock.calls.findIndex(([, ms]) => ms === 3_600_000);
    expect(cleared).toHaveBeenCalledWith(timers.mock.results[waiting]?.value);
    vi.restoreAllMocks();
  });
});

describe("an answer that is odd", () => {
  test.for(waysOfApis)("missing-role by $api $way names no author", async ({ api, stream }) => {
    expect(await sentTo(api, { text }, { stream })).toContain('"role":"assistant"');
    expect(await sentTo(api, { fault: "missing-role", text }, { stream })).not.toContain('"role":');
  });

  test.for(waysOfApis)("empty-choices by $api $way has nothing in it, and ends", async ({ api, stream }) => {
    const odd = await sentTo(api, { fault: "empty-choices", text }, { stream });
    expect(odd).toMatch(/"(choices|output|content)":\[\]/);
    expect(odd).not.toContain(text);
    if (stream) expect(odd).toMatch(/(\[DONE\]|response\.completed.*|message_stop"\})\n\n$/);
  });

  test.for(waysOfApis)("duplicate-call-ids by $api $way has one id for every call", async ({ api, stream }) => {
    const calls = [
      { name: "a", arguments: {} },
      { name: "b", arguments: {} },
    ];
    const odd = await sentTo(api, { fault: "duplicate-call-ids", calls }, { stream });
    expect(odd).toContain("call_0_0");
    expect(odd).not.toContain("call_0_1");
    expect(odd).toContain('"b"');
  });

  test.for(waysOfApis)("duplicate-call-ids by $api $way has none where the first has none", async ({ api, stream }) => {
    const calls = [
      { name: "a", arguments: {}, callId: null },
      { name: "b", arguments: {} },
    ];
    expect(await sentTo(api, { fault: "duplicate-call-ids", calls }, { stream })).not.toMatch(/"call_0_1"|"call_id"/);
  });

  test.for(waysOfApis)("malformed-arguments by $api $way are as they were given", async ({ api, stream }) => {
    const odd = await sentTo(api, { fault: "malformed-arguments", name: "find", arguments: "{7,}" }, { stream });
    expect(odd).toContain("{7,}");
    expect(odd).toMatch(/"(tool_calls|completed|tool_use)"/);
  });

  test.for(waysOfApis)("truncated-arguments by $api $way say that they were cut off", async ({ api, stream }) => {
    const odd = await sentTo(api, { fault: "truncated-arguments", name: "find" }, { stream });
    expect(odd).toMatch(
      { chat: /"finish_reason":"length"/, responses: /"reason":"max_output_tokens"/, messages: /"stop_reason":"max_tokens"/ }[api],
    );
    expect(odd.includes('{\\"id\\": \\"47')).toBe(api !== "messages" || stream);
  });

  test.for(waysOfApis)("no usage by $api $way", async ({ api, stream }) => {
    expect(await sentTo(api, { text, usage: null }, { stream, stream_options: { include_usage: true } })).not.toContain('"usage"');
  });
});

test.for(eachWay([{ fault: "overloaded" }, { fault: "html-200" }, { fault: "cut", text }, { fault: "malformed-arguments", name: "find" }]))(
  "$fault by $api $way carries the headers of the reply",
  async ({ api, stream, reply }) => {
    await using provider = await simulatedProvider({ scenario: [{ ...reply, headers: { "X-Left": "7", "Content-Type": "text/x" } }] });
    const { headers } = await ask(provider, api, { stream });
    expect([headers.get("x-left"), headers.get("content-type")]).toEqual(["7", "text/x"]);
  },
);
