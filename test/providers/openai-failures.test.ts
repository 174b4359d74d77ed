// Whatever goes wrong at the provider: one request, one error of ours with the right code, and no word of the provider in it.
import { describe, expect, test } from "vitest";
import { simulatedProvider } from "../../src/testing/index.ts";
import { answerOf, call, eventsFetch, failureOf, listening, now, ways } from "./exchange.ts";
import { type Failure, failures } from "./failures.ts";

describe("a failure", () => {
  const own: Failure[] = [
    { reply: { text: "x", finishReason: null }, code: "model_response_invalid", streamed: "provider_unavailable", retryable: true },
  ];
  const cases = [...failures, ...own].flatMap((failure) =>
    ways.map((way) => ({ ...failure, ...way, what: failure.reply.fault ?? "no finish reason" })),
  );

  test.for(cases)("$what $way is one request and $code", async ({ reply, code, streamed, retryable, api, streaming }) => {
    await using provider = await simulatedProvider({ rules: () => reply });
    const error = await failureOf(call(provider, { options: { api }, ...listening(streaming) }));
    expect({ code: error.code, retryable: error.retryable }).toEqual({ code: streaming ? (streamed ?? code) : code, retryable });
    expect(error.details).toMatchObject({ provider: "openai" });
    expect(error.message + JSON.stringify(error.details)).not.toMatch(/secret|html/i);
    expect(provider.count).toBe(1);
  });

  const spellings = [
    { header: { retryAfter: "7" }, wait: 7_000 },
    { header: { retryAfter: "0.5" }, wait: 500 },
    { header: { retryAfterMs: "250", retryAfter: "7" }, wait: 250 },
    { header: { retryAfter: new Date(now + 90_000).toUTCString() }, wait: 90_000 },
    { header: { retryAfter: "soon" }, wait: undefined },
    { header: {}, wait: undefined },
  ];
  test.for(spellings)("says how long to wait: $header", async ({ header, wait }) => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "rate-limit", ...header }] });
    const { details } = await failureOf(call(provider));
    expect(details["retryAfterMs"]).toBe(wait);
    expect(details["retryAt"]).toBe(wait === undefined ? undefined : now + wait);
  });

  test("carries what support asks for, and the SDK's error as its cause", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "bad-request" }] });
    const error = await failureOf(call(provider));
    expect(error.details).toEqual({ provider: "openai", status: 400, reason: "unsupported_value", requestId: "req_0" });
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("is a connection that cannot be made", async () => {
    const provider = await simulatedProvider({ scenario: [] });
    await provider.close();
    expect(await failureOf(call(provider))).toMatchObject({ code: "provider_unavailable", retryable: true });
  });

  const reported = [
    { what: "the status of another provider", error: { message: "upstream", code: 429 }, code: "rate_limited", details: { status: 429 } },
    {
      what: "a type",
      error: { message: "busy", type: "overloaded_error" },
      code: "provider_unavailable",
      details: { reason: "overloaded_error" },
    },
    { what: "neither code nor type", error: { message: "?" }, code: "model_response_invalid", details: {} },
    { what: "a text only", error: "model not loaded", code: "model_response_invalid", details: {} },
  ];
  const reportedCases = reported.flatMap((report) => ways.map((way) => ({ ...report, ...way })));
  test.for(reportedCases)("reported under status 200 with $what $way is $code", async ({ error, code, details, api, streaming }) => {
    const fetch = streaming ? eventsFetch({ error }) : () => Promise.resolve(Response.json({ error }));
    const failure = await failureOf(answerOf(fetch, { api, streaming }));
    expect(failure).toMatchObject({ code, details });
  });

  test("of the consumer of the text stays the consumer's own, and ends the request", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "Hello", afterChunks: 2 }] });
    const bug = new TypeError("a bug in onText");
    const onText = () => {
      throw bug;
    };
    await expect(call(provider, { onText })).rejects.toBe(bug);
    await provider.requests[0]?.ended;
    expect(provider.requests[0]?.disconnected).toBe(true);
  });
});
