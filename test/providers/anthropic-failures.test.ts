// Whatever goes wrong at Anthropic: one request, one error of ours with the right code, and no word of the provider in it.
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/core/errors.ts";
import { simulatedProvider } from "../../src/testing/index.ts";
import { begin, call, end, eventsFetch, grow, jsonFetch, start, streamed, ways } from "./anthropic-exchange.ts";
import { failureOf, now } from "./exchange.ts";
import { type Failure, failures } from "./failures.ts";

const url = "http://127.0.0.1:9";

describe("a failure", () => {
  const own: Failure[] = [
    { reply: { fault: "half-event", text: "Half" }, code: "model_response_invalid", streamed: "provider_unavailable", retryable: true },
  ];
  const cases = [...failures, ...own].flatMap((failure) => ways.map((way) => ({ ...failure, ...way, what: failure.reply.fault })));
  test.for(cases)("$what $way is one request and $code", async ({ reply, code, streamed: inStream, retryable, streaming }) => {
    await using provider = await simulatedProvider({ rules: () => reply });
    const error = await failureOf(call(provider.url, streamed(streaming)));
    expect({ code: error.code, retryable: error.retryable }).toEqual({ code: streaming ? (inStream ?? code) : code, retryable });
    expect(error.details).toMatchObject({ provider: "anthropic" });
    expect(error.message + JSON.stringify(error.details)).not.toMatch(/secret|html/i);
    expect(provider.count).toBe(1);
  });

  test.for(ways)("says how long to wait $way", async ({ streaming }) => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "rate-limit", retryAfter: "7" }] });
    const { details } = await failureOf(call(provider.url, streamed(streaming)));
    expect(details).toMatchObject({ retryAfterMs: 7_000, retryAt: now + 7_000 });
  });

  test("carries what support asks for, and the SDK's error as its cause", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "bad-request" }] });
    const error = await failureOf(call(provider.url));
    expect(error.details).toEqual({ provider: "anthropic", status: 400, reason: "invalid_request_error", requestId: "req_0" });
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("in the middle of a stream carries the id of the request, too", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "error-mid-body", text: "Half", error: "overloaded" }] });
    const error = await failureOf(call(provider.url, streamed(true)));
    expect(error.details).toEqual({ provider: "anthropic", reason: "overloaded_error", requestId: "req_0" });
  });

  test("is a connection that cannot be made", async () => {
    const provider = await simulatedProvider({ scenario: [] });
    await provider.close();
    expect(await failureOf(call(provider.url))).toMatchObject({ code: "provider_unavailable", retryable: true });
  });

  const inWords: readonly { readonly message: string; readonly code: ErrorCode }[] = [
    { message: "prompt is too long: 204800 tokens > 200000 maximum", code: "context_too_long" },
    { message: "input length and `max_tokens` exceed context limit: 190000 + 16000 > 200000", code: "context_too_long" },
    { message: "Your credit balance is too low to access the Anthropic API.", code: "quota_exhausted" },
    { message: "You have reached your specified API usage limits.", code: "quota_exhausted" },
    { message: "messages.0: the text 'prompt is too long' is no role", code: "provider_rejected" },
  ];
  test.for(inWords)("told in words only is known by how they begin: $message", async ({ message, code }) => {
    const error = { type: "error", error: { type: "invalid_request_error", message } };
    const fetch = () => Promise.resolve(Response.json(error, { status: 400 }));
    expect(await failureOf(call(url, { options: { fetch } }))).toMatchObject({ code, details: { status: 400 } });
  });

  const reported = [
    { what: "a type", error: { type: "overloaded_error", message: "busy" }, code: "provider_unavailable" },
    { what: "no type", error: { message: "?" }, code: "model_response_invalid" },
    { what: "a text only", error: "model not loaded", code: "model_response_invalid" },
  ].flatMap((report) => ways.map((way) => ({ ...report, ...way })));
  test.for(reported)("reported under status 200 with $what $way is $code", async ({ error, code, streaming }) => {
    const fetch = streaming ? eventsFetch(start(), { type: "error", error }) : jsonFetch({ type: "error", error });
    expect(await failureOf(call(url, { options: { fetch }, ...streamed(streaming) }))).toMatchObject({ code });
  });

  test("reported under another name of an event is one all the same", async () => {
    const fetch: typeof globalThis.fetch = () => {
      const events = 'event: message_start\ndata: {"type":"error","error":{"type":"rate_limit_error"}}\n\n';
      return Promise.resolve(new Response(events, { headers: { "content-type": "text/event-stream" } }));
    };
    expect(await failureOf(call(url, { options: { fetch }, ...streamed(true) }))).toMatchObject({ code: "rate_limited" });
  });

  const wrong = [
    { what: "content that is a text", whole: { content: "Hello", stop_reason: "end_turn" } },
    { what: "a text that is none", whole: { content: [{ type: "text", text: ["Hello"] }], stop_reason: "end_turn" } },
    { what: "no reason to stop", whole: { content: [{ type: "text", text: "Hello" }], stop_reason: null } },
    { what: "nothing of an answer", whole: { choices: [] } },
  ];
  test.for(wrong)("is $what, not an answer without it", async ({ whole }) => {
    expect(await failureOf(call(url, { options: { fetch: jsonFetch(whole) } }))).toMatchObject({ code: "model_response_invalid" });
  });

  test("is a stream that is cut before the model has said why it stopped", async () => {
    const events = [start(), begin(0, { type: "text", text: "Hello" }), { type: "content_block_stop", index: 0 }];
    const cut = await failureOf(call(url, { options: { fetch: eventsFetch(...events) }, ...streamed(true) }));
    expect(cut).toMatchObject({ code: "provider_unavailable", retryable: true });
    const whole = await call(url, { options: { fetch: eventsFetch(...events, end("end_turn")) }, ...streamed(true) });
    expect(whole.message.content).toEqual([{ type: "text", text: "Hello" }]);
  });

  const openCall = begin(0, { type: "tool_use", id: "x", name: "refund", input: {} });
  const stopped = { type: "message_stop" };
  test.for([
    { what: "an open call", events: [openCall, stopped] },
    { what: "half a call", events: [openCall, grow(0, { type: "input_json_delta", partial_json: '{"id":' }), stopped] },
    { what: "a whole call", events: [openCall, { type: "content_block_stop", index: 0 }, end(null), stopped] },
    { what: "nothing", events: [stopped] },
  ])("is a message that has stopped without a reason after $what: no call of it is made", async ({ events }) => {
    const failure = await failureOf(call(url, { options: { fetch: eventsFetch(start(), ...events) }, ...streamed(true) }));
    expect(failure).toMatchObject({ code: "provider_unavailable", retryable: true });
  });

  test("is a piece that belongs to no block", async () => {
    const events = [start(), grow(3, { type: "text_delta", text: "?" }), end("end_turn")];
    expect(await failureOf(call(url, { options: { fetch: eventsFetch(...events) }, ...streamed(true) }))).toMatchObject({
      code: "model_response_invalid",
    });
  });

  test("of the consumer of the text stays the consumer's own, and ends the request", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "Hello", afterChunks: 2 }] });
    const bug = new TypeError("a bug in onText");
    const onText = () => {
      throw bug;
    };
    await expect(call(provider.url, { onText })).rejects.toBe(bug);
    await provider.requests[0]?.ended;
    expect(provider.requests[0]?.disconnected).toBe(true);
  });
});
