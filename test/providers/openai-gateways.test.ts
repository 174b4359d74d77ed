// Streams as gateways really send them: what can be understood is understood, what cannot is an error, nothing gets lost silently.
import { describe, expect, test } from "vitest";
import { simulatedProvider } from "../../src/testing/index.ts";
import { answerOf, call, chatWays, chunk, eventsFetch, failureOf } from "./exchange.ts";

const callChunk = (...tool_calls: readonly object[]) => chunk({ tool_calls });

describe("what gateways do to a stream of Chat Completions", () => {
  const streams = [
    {
      what: "every call has index 0",
      events: [
        callChunk({ index: 0, id: "x", function: { name: "a", arguments: "{}" } }),
        callChunk({ index: 0, id: "y", function: { name: "b", arguments: '{"n":1}' } }),
      ],
      calls: [
        { callId: "x", name: "a", arguments: "{}" },
        { callId: "y", name: "b", arguments: '{"n":1}' },
      ],
    },
    {
      what: "no index",
      events: [
        callChunk({ id: "x", function: { name: "a", arguments: "{" } }, { id: "y", function: { name: "b" } }),
        callChunk({ function: { arguments: "}" } }),
      ],
      calls: [
        { callId: "x", name: "a", arguments: "{}" },
        { callId: "y", name: "b", arguments: "" },
      ],
    },
    {
      what: "a new id with every piece",
      events: [
        callChunk({ index: 0, id: "x", function: { name: "a", arguments: "{" } }),
        callChunk({ index: 0, id: "y", function: { arguments: "}" } }),
      ],
      calls: [{ callId: "x", name: "a", arguments: "{}" }],
    },
    {
      what: "interleaved pieces",
      events: [
        callChunk({ index: 0, id: "x", function: { name: "a" } }, { index: 1, id: "y", function: { name: "b" } }),
        callChunk({ index: 1, function: { arguments: "[1" } }),
        callChunk({ index: 0, function: { arguments: "[0" } }),
        callChunk({ index: 1, function: { arguments: "]" } }, { index: 0, function: { arguments: "]" } }),
      ],
      calls: [
        { callId: "x", name: "a", arguments: "[0]" },
        { callId: "y", name: "b", arguments: "[1]" },
      ],
    },
    {
      what: "arguments as an object",
      events: [callChunk({ index: 0, function: { name: "a", arguments: { n: 1 } } })],
      calls: [{ callId: "call_0", name: "a", arguments: '{"n":1}' }],
    },
    {
      what: "the old spelling of calls",
      events: [chunk({ function_call: { name: "a", arguments: "{" } }), chunk({ function_call: { arguments: "}" } })],
      calls: [{ callId: "call_0", name: "a", arguments: "{}" }],
    },
    {
      what: "empty and null chunks",
      events: [{}, { choices: null }, { choices: [] }, chunk({ content: null, tool_calls: null })],
      calls: [],
    },
  ];
  test.for(streams)("$what", async ({ events, calls }) => {
    await using provider = await simulatedProvider({ scenario: [] });
    const fetch = eventsFetch(...events, chunk({}, "tool_calls"));
    const { message } = await call(provider, { options: { fetch }, onText: () => {} });
    expect(message.content).toEqual(calls.map((made) => ({ type: "tool-call", ...made })));
  });

  test.for(chatWays)("a refusal is visible text and counts as filtered $way", async ({ streaming }) => {
    await using provider = await simulatedProvider({ scenario: [] });
    const whole = { choices: [{ index: 0, message: { role: "assistant", content: null, refusal: "I will not." }, finish_reason: "stop" }] };
    const json = () => Promise.resolve(Response.json(whole));
    const fetch = streaming ? eventsFetch(chunk({ refusal: "I will" }), chunk({ refusal: " not." }), chunk({}, "stop")) : json;
    expect(await call(provider, { options: { fetch }, ...(streaming ? { onText: () => {} } : {}) })).toMatchObject({
      message: { content: [{ type: "text", text: "I will not." }] },
      finishReason: "content-filter",
    });
  });

  const completion = (content: unknown) => () =>
    Promise.resolve(Response.json({ choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] }));
  const part = (text: unknown) => ({ type: "text", text });

  test.for(chatWays)("content in parts of text is their text $way", async ({ api, streaming }) => {
    const pieces: string[] = [];
    const fetch = streaming
      ? eventsFetch(
          chunk({ content: [part("It is "), part("on ")] }),
          chunk({ content: [] }),
          chunk({ content: "its way." }),
          chunk({}, "stop"),
        )
      : completion([part("It is "), part("on "), part(""), part("its way.")]);
    const { message } = await answerOf(fetch, { api, streaming }, (text) => pieces.push(text));
    expect(message.content).toEqual([{ type: "text", text: "It is on its way." }]);
    expect(pieces).toEqual(streaming ? ["It is on ", "its way."] : []);
  });

  const odd = [
    { what: "an image among texts", content: [part("x"), { type: "image_url", image_url: { url: "https://x.example" } }] },
    { what: "a reference", content: [{ type: "reference", text: "x" }] },
    { what: "a text that is none", content: [part(7)] },
    { what: "bare texts", content: ["x"] },
    { what: "an object", content: part("x") },
    { what: "a number", content: 7 },
  ].flatMap((one) => chatWays.map((way) => ({ ...one, ...way })));
  test.for(odd)("content that is not text is an error, not an answer without it: $what $way", async ({ content, api, streaming }) => {
    const fetch = streaming ? eventsFetch(chunk({ content }), chunk({}, "stop")) : completion(content);
    expect(await failureOf(answerOf(fetch, { api, streaming }))).toMatchObject({ code: "model_response_invalid" });
  });

  test("a connection that dies once the model has finished costs the usage, not the answer", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "reset-mid-body", text: "Done.", afterChunks: 3 }] });
    const response = await call(provider, { onText: () => {} });
    expect(response).toMatchObject({ message: { content: [{ text: "Done." }] }, finishReason: "stop" });
    expect(response).not.toHaveProperty("usage");
  });

  test("numbers that are none are left out of the usage", async () => {
    await using provider = await simulatedProvider({ scenario: [] });
    const usage = {
      prompt_tokens: null,
      completion_tokens: 3,
      prompt_tokens_details: { cached_tokens: "9", cache_write_tokens: -1 },
      completion_tokens_details: null,
    };
    const fetch = eventsFetch({ ...chunk({ content: "x" }, "stop"), usage });
    expect((await call(provider, { options: { fetch }, onText: () => {} })).usage).toEqual({ outputTokens: 3 });
  });
});
