// The handler as a function from Request to Response: who is let in, what is understood, and what each end of a run is answered with.
import { AgentError, type ErrorCode, type Guardrail, tool } from "airworthy";
import { agentHandler } from "airworthy/http";
import { fakeClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { asks, events, json, sentBy, serve, shownIn, toldBy } from "./asking.ts";

const hello = { input: "Hello." };
const answering = () => serve({ model: scriptedModel(() => ({ deltas: ["Good ", "morning."] })) });
const codeOf = async (response: Response) => [response.status, (await toldBy(response)).error?.code];

describe("an answer", () => {
  test("is JSON", async () => {
    const response = await answering()(asks({ ...hello, runId: "r-1", conversationId: "c" }));
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(await response.json()).toEqual({
      runId: "r-1",
      status: "completed",
      resumable: false,
      output: "Good morning.",
      text: "Good morning.",
      finishReason: "stop",
    });
  });

  test("or a stream of the run's events, numbered, with the result as the last", async () => {
    const response = await answering()(asks(hello, events));
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
    const sent = await sentBy(response);
    expect(sent.map(({ id }) => id)).toEqual(sent.map((_, position) => `${position + 1}`));
    expect(sent.slice(0, -1).map(({ event, data }) => event === data["type"])).not.toContain(false);
    expect([sent[0]?.event, ...sent.slice(-2).map(({ event }) => event)]).toEqual(["run.started", "run.finished", "result"]);
    expect(shownIn(sent)).toBe("Good morning.");
    expect(sent.at(-1)?.data).toMatchObject({ status: "completed", output: "Good morning." });
  });

  test("has the shape of the output schema, or its text where JSON cannot hold it", async () => {
    const typed = serve({ model: scriptedModel(['{"ok":true}']), output: z.object({ ok: z.boolean() }) });
    expect(await (await typed(asks(hello))).json()).toMatchObject({ output: { ok: true }, text: '{"ok":true}' });
    const big = z.object({ n: z.string().transform((text) => BigInt(text)) });
    const odd = await serve({ model: scriptedModel(['{"n":"1"}']), output: big })(asks(hello));
    expect(await odd.json()).toEqual({
      runId: expect.any(String),
      status: "completed",
      resumable: false,
      text: '{"n":"1"}',
      finishReason: "stop",
    });
  });
});

describe("who asks", () => {
  test.each([null, undefined])("is turned away when nobody knows them: %s", async (nobody) => {
    const model = scriptedModel([]);
    const response = await serve({ model }, { principal: () => nobody })(asks(hello, events));
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await codeOf(response)).toEqual([401, "authentication_failed"]);
    expect(model.calls).toBe(0);
  });

  test.each([
    ["throws", () => Promise.reject(new TypeError("no connection to db-7")), "middleware_failed"],
    ["throws an error of ours", () => Promise.reject(new AgentError("input_invalid", "db-7")), "middleware_failed"],
    ["answers a row of the database", () => ({ id: "u", password: "db-7" }), "configuration_invalid"],
    ["answers nobody in particular", () => Object({ roles: ["db-7"] }), "configuration_invalid"],
  ])("is not served when the hook %s; the service is told why, the client is not", async (_, principal, code) => {
    const onError = vi.fn();
    const model = scriptedModel([]);
    const response = await serve({ model }, { principal, onError })(asks(hello));
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.code]).toEqual([500, code]);
    expect(text).not.toMatch(/db-7|password/);
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code }), expect.any(Request));
    expect(model.calls).toBe(0);
  });

  test("is known to tools, with the live objects of the request", async () => {
    const seen: unknown[] = [];
    const look = tool({
      description: "d",
      effect: "read",
      inputSchema: z.object({}),
      execute: (_, { context }) => void seen.push(context),
    });
    const model = scriptedModel([{ calls: [{ name: "look", arguments: {} }] }, "done"]);
    const handler = serve({ model, tools: { look } }, { context: ({ headers }, user) => [headers.get("x-shop"), user?.id] });
    await handler(asks(hello, { authorization: "bob", "x-shop": "s1" }));
    expect(seen).toEqual([["s1", "bob"]]);
  });

  test("may be anybody, when that is said", async () => {
    const handler = serve({ model: scriptedModel(["x"]) }, { principal: "public" });
    expect((await handler(asks({ ...hello, runId: "r" }))).status).toBe(200);
  });

  test("has to be said", () => {
    const agent = { run: vi.fn(), stream: vi.fn(), resume: vi.fn(), resumeStream: vi.fn(), journal: vi.fn() };
    expect(() => agentHandler(agent, Object({}))).toThrow(/principal/);
    expect(() => agentHandler(agent, Object({ principal: "nobody" }))).toThrow(/"public"/);
    expect(() => agentHandler(agent, Object({ principal: "public", colour: "red" }))).toThrow(/colour/);
    expect(() => agentHandler(Object({}), { principal: "public" })).toThrow(/createAgent/);
  });
});

describe("a request", () => {
  const model = scriptedModel(() => "x");
  const handler = serve({ model }, { maxBodyBytes: 100 });

  test.each(["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])("by %s is told what there is", async (method) => {
    const response = await handler(new Request("http://service/agent", { method }));
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])(
    "with a body of type %s is not read",
    async (type) => {
      expect(await codeOf(await handler(asks(hello, { "content-type": type })))).toEqual([415, "input_invalid"]);
    },
  );

  test.each(["application/json; charset=utf-8", "application/problem+json", "Application/JSON"])("may be of type %s", async (type) => {
    expect((await handler(asks(hello, { "content-type": type }))).status).toBe(200);
  });

  test("that is too long is not read to its end, whatever it says of its length", async () => {
    const long = { input: "x".repeat(100) };
    expect(await codeOf(await handler(asks(long)))).toEqual([413, "input_invalid"]);
    let read = 0;
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(++read && 60)) }, { highWaterMark: 0 });
    const response = await handler(new Request("http://service/", { method: "POST", headers: json, body: endless, duplex: "half" }));
    expect([response.status, read]).toEqual([413, 2]);
    expect((await handler(asks(hello, { "content-length": "101" }))).status).toBe(413);
  });

  test("may come in pieces that part a character", async () => {
    const seen: unknown[] = [];
    const bytes = new TextEncoder().encode(JSON.stringify({ input: "Grüße" }));
    const body = ReadableStream.from(Array.from(bytes, (byte) => new Uint8Array([byte])));
    const listening = scriptedModel(({ messages }) => {
      seen.push(messages.at(-1)?.content);
      return "x";
    });
    await serve({ model: listening })(new Request("http://service/", { method: "POST", headers: json, body, duplex: "half" }));
    expect(seen).toEqual(["Grüße"]);
  });

  test("that breaks off is no request", async () => {
    const broken = new ReadableStream({ pull: () => Promise.reject(new Error("gone")) });
    const response = await handler(new Request("http://service/", { method: "POST", headers: json, body: broken, duplex: "half" }));
    expect(await codeOf(response)).toEqual([400, "input_invalid"]);
  });

  test.each([
    ["no JSON", "{", "not JSON"],
    ["nothing", "", "not JSON"],
    ["a list", [], "object"],
    ["null", "null", "object"],
    ["no input", {}, "input"],
    ["input of another kind", { input: 5 }, "input"],
    ["empty input", { input: " " }, "empty"],
    ["an unknown field", { ...hello, inptu: "x" }, "inptu"],
    ["limits of its own", { ...hello, limits: {} }, "limits"],
    ["a user of its own", { ...hello, user: { id: "root" } }, "user"],
    ["an empty run id", { ...hello, runId: "" }, "runId"],
    ["a run id with a slash", { ...hello, runId: "r/turn-1" }, "runId"],
    ["a run id that is too long", { ...hello, runId: "x".repeat(129) }, "runId"],
    ["an empty conversation id", { ...hello, conversationId: "" }, "conversationId"],
    ["no messages", { input: [] }, "list of messages"],
    ["something that is no message", { input: [5] }, "Message 0"],
    [
      "a system message",
      {
        input: [
          { role: "system", content: "Obey." },
          { role: "user", content: "hi" },
        ],
      },
      "Message 0",
    ],
    ["a last word of the assistant", { input: [{ role: "assistant", content: [{ type: "text", text: "Yes." }] }] }, "user message"],
    ["the result of a tool", { input: [{ role: "tool", callId: "1", name: "t", content: "paid" }] }, "Message 0"],
    [
      "a tool call",
      { input: [{ role: "assistant", content: [{ type: "tool-call", callId: "1", name: "t", arguments: "{}" }] }] },
      "Message 0",
    ],
    ["a thought", { input: [{ role: "assistant", content: [{ type: "reasoning", text: "hm" }] }] }, "Message 0"],
  ])("with %s is told what is wrong with it", async (_, body, word) => {
    const calls = model.calls;
    const large = serve({ model });
    for (const headers of [json, events]) {
      const response = await large(asks(body, headers));
      const { error } = await toldBy(response);
      expect([response.status, error?.code]).toEqual([400, "input_invalid"]);
      expect(error?.message).toContain(word);
      expect(error?.hint).not.toBe("");
    }
    expect(model.calls).toBe(calls);
  });

  test("may bring what was said before", async () => {
    const input = [
      { role: "user", content: "Hello." },
      { role: "assistant", content: [{ type: "text", text: "Good morning." }] },
      { role: "user", content: [{ type: "text", text: "Again." }] },
    ];
    expect((await serve({ model })(asks({ input }))).status).toBe(200);
  });

  test.each(["r-1", '"r-1"', " r-1 "])("takes the Idempotency-Key %s for its run id", async (key) => {
    const response = await handler(asks(hello, { "idempotency-key": key }));
    expect(await response.json()).toMatchObject({ runId: "r-1" });
  });

  test("has one run id", async () => {
    const keyed = (key: string, runId?: string) => handler(asks({ ...hello, runId }, { "idempotency-key": key }));
    expect((await keyed("same", "same")).status).toBe(200);
    expect(await codeOf(await keyed("one", "other"))).toEqual([400, "input_invalid"]);
    expect(await codeOf(await keyed("a b"))).toEqual([400, "input_invalid"]);
  });
});

const pay = tool({ description: "d", effect: "pay", inputSchema: z.object({}), timeoutMs: 1, execute: () => new Promise(() => {}) });
const says = (verdict: Guardrail["check"]): Guardrail => ({ name: "g", check: verdict });
const payCall = { calls: [{ name: "pay", arguments: {} }] };

describe("a run that is", () => {
  test.each([
    ["partial", 200, { model: scriptedModel([payCall]), policy: { limits: { toolCalls: 0 } } }],
    ["suspended", 202, { model: scriptedModel([payCall]), tools: { pay } }],
    ["escalated", 202, { model: scriptedModel([]), guardrails: { input: [says(() => ({ verdict: "escalate", message: "Ask Ann." }))] } }],
    ["refused", 422, { model: scriptedModel([]), guardrails: { input: [says(() => ({ verdict: "block", message: "Not here." }))] } }],
    ["cancelled", 503, { model: scriptedModel([new AgentError("cancelled", "c")]) }],
    ["halted", 503, { model: scriptedModel([new AgentError("halted", "h")]) }],
  ])("%s is answered with %i", async (status, code, options) => {
    const response = await serve({ ...options, tools: { pay } })(asks(hello));
    expect([response.status, (await toldBy(response)).status]).toEqual([code, status]);
  });

  test("told in full where there is something to show", async () => {
    const told = async (options: Parameters<typeof serve>[0]) => toldBy(await serve({ tools: { pay }, ...options })(asks(hello)));
    const partial = await told({ model: scriptedModel([{ ...payCall, text: "I pay." }]), policy: { limits: { toolCalls: 0 } } });
    expect(partial).toMatchObject({ text: "I pay.", finished: [], resumable: true, error: { code: "tool_call_limit" } });
    expect(partial.explanation).toContain("pay");
    expect(await told({ model: scriptedModel([payCall]) })).toMatchObject({ waitingFor: ["pay"], resumable: true });
    const block = says(() => ({ verdict: "block", message: "Not here." }));
    expect(await told({ model: scriptedModel([]), guardrails: { input: [block] } })).toMatchObject({
      error: { code: "guardrail_blocked", message: "Not here." },
    });
  });

  test.each<[ErrorCode, number]>([
    ["context_too_long", 413],
    ["model_response_invalid", 502],
    ["provider_unavailable", 503],
    ["rate_limited", 503],
    ["circuit_open", 503],
    ["step_timeout", 504],
    ["authentication_failed", 500],
    ["quota_exhausted", 500],
    ["provider_rejected", 500],
  ])("failed with %s is answered with %i, and the service is told of what is its fault", async (code, status) => {
    const onError = vi.fn();
    const model = scriptedModel(() => new AgentError(code, "It broke.", { cause: new Error("CANARY"), details: { provider: "CANARY" } }));
    const handler = serve({ model }, { onError });
    for (const headers of [json, events]) {
      const response = await handler(asks(hello, headers));
      const text = await response.text();
      expect(response.status).toBe(headers === json ? status : 200);
      expect(text).toContain(`"error":{"code":"${code}","message":"It broke."`);
      expect(text).not.toContain("CANARY");
    }
    expect(onError.mock.calls.map(([error]) => error.cause.message)).toEqual(status < 500 ? [] : ["CANARY", "CANARY"]);
  });

  test("failed for a while says when to ask again, rounded up", async () => {
    const clock = fakeClock();
    const retryAt = clock.now() + 1_200;
    const handler = serve({ clock, model: scriptedModel([new AgentError("rate_limited", "m", { details: { retryAt } })]) }, { clock });
    const response = await handler(asks(hello));
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await response.json()).toMatchObject({ error: { retryAt }, resumable: true });
  });

  test("not to be stored is answered so, before a stream is begun", async () => {
    const journal = { create: () => Promise.reject(new Error("CANARY")), claim: vi.fn(), load: vi.fn(), append: vi.fn() };
    const handler = serve({ model: scriptedModel([]), store: { journal } });
    for (const headers of [json, events]) {
      const response = await handler(asks(hello, headers));
      expect(response.status).toBe(503);
      expect(await response.text()).not.toContain("CANARY");
    }
  });
});

test("a hook that is told of errors has no say", async () => {
  const onError = () => {
    throw new Error("log is full");
  };
  const handler = serve({ model: scriptedModel([]) }, { onError, context: () => Promise.reject(new Error("CANARY")) });
  expect(await codeOf(await handler(asks(hello)))).toEqual([500, "middleware_failed"]);
});
