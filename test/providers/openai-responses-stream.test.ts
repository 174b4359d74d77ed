// Responses as servers really stream them: what the pieces say is what is shown, whole items only add to it, and silence is no end.
import { describe, expect, test } from "vitest";
import { answerOf, eventsFetch, failureOf, responsesWays } from "./exchange.ts";

const streamed = { api: "responses", streaming: true } as const;
const created = { type: "response.created", response: { id: "resp_1", model: "gpt-test", status: "in_progress", output: [] } };
const completed = (...output: readonly object[]) => ({
  type: "response.completed",
  response: { id: "resp_1", object: "response", model: "gpt-test", status: "completed", output },
});
const delta = (text: string, place: object = { output_index: 0, item_id: "msg_1" }) => ({
  type: "response.output_text.delta",
  delta: text,
  ...place,
});
const message = (text: string, id = "msg_1") => ({ type: "message", id, role: "assistant", content: [{ type: "output_text", text }] });
const functionCall = (args: unknown, extra: object = {}) => ({
  type: "function_call",
  id: "fc_1",
  call_id: "c1",
  name: "a",
  arguments: args,
  ...extra,
});

async function answerWith(...events: readonly object[]) {
  const pieces: string[] = [];
  const { message: answered, finishReason } = await answerOf(eventsFetch(...events), streamed, (text) => pieces.push(text));
  return { pieces, content: answered.content, finishReason };
}

describe("text", () => {
  const text = [{ type: "text", text: "Hello" }];
  test.for([
    { what: "with everything there is", events: [created, delta("Hel"), delta("lo"), completed(message("Hello"))] },
    { what: "without the items at the end", events: [created, delta("Hel"), delta("lo"), completed()] },
    { what: "under other ids at the end", events: [delta("Hel"), delta("lo"), completed(message("Hello", "msg_other"))] },
    { what: "at other positions at the end", events: [delta("Hello", { output_index: 3 }), completed(message("Hello"))] },
    { what: "of nobody and nowhere", events: [delta("Hel", {}), delta("lo", {}), completed(message("Hello"))] },
    { what: "the end of which comes whole", events: [delta("Hel"), completed(message("Hello"))] },
    { what: "that comes whole", events: [created, completed(message("Hello"))] },
    {
      what: "in an item that comes whole",
      events: [{ type: "response.output_item.done", output_index: 0, item: message("Hello") }, completed()],
    },
    { what: "that is told differently at the end", events: [delta("Hello"), completed(message("Goodbye"))] },
    {
      what: "between events of the future",
      events: [{ type: "response.moon.phase" }, delta("Hello"), { type: 7 }, { nothing: true }, completed()],
    },
  ])("$what is what was shown", async ({ events }) => {
    const { pieces, content, finishReason } = await answerWith(...events);
    expect(pieces.join("")).toBe("Hello");
    expect({ content, finishReason }).toEqual({ content: text, finishReason: "stop" });
  });

  test("of several items keeps its order, also when they take turns", async () => {
    const place = (index: number) => ({ output_index: index, item_id: `msg_${index}` });
    const { pieces, content } = await answerWith(delta("1", place(0)), delta("2", place(1)), delta("3", place(0)), completed());
    expect(pieces).toEqual(["1", "2", "3"]);
    expect(content).toEqual(["1", "2", "3"].map((one) => ({ type: "text", text: one })));
  });
});

describe("calls", () => {
  const one = [{ type: "tool-call", callId: "c1", name: "a", arguments: '{"n":1}' }];
  const added = { type: "response.output_item.added", output_index: 0, item: functionCall("") };
  const piece = (text: string) => ({ type: "response.function_call_arguments.delta", output_index: 0, item_id: "fc_1", delta: text });
  test.for([
    { what: "in pieces", events: [added, piece('{"n"'), piece(":1}"), completed()] },
    {
      what: "in pieces and whole",
      events: [
        added,
        piece('{"n":1}'),
        { ...added, type: "response.output_item.done", item: functionCall('{"n":1}') },
        completed(functionCall('{"n":1}')),
      ],
    },
    { what: "whole at the end only", events: [created, completed(functionCall('{"n":1}'))] },
    { what: "with an object for arguments", events: [created, completed(functionCall({ n: 1 }))] },
  ])("$what are one call each", async ({ events }) => {
    expect(await answerWith(...events)).toEqual({ pieces: [], content: one, finishReason: "tool-calls" });
  });

  test("in parallel are told apart by their places", async () => {
    const at = (index: number, name: string) => ({
      type: "response.output_item.added",
      output_index: index,
      item: { type: "function_call", name },
    });
    const of = (index: number, text: string) => ({ type: "response.function_call_arguments.delta", output_index: index, delta: text });
    const { content } = await answerWith(at(0, "a"), at(1, "b"), of(1, "[1"), of(0, "[0"), of(1, "]"), of(0, "]"), completed());
    expect(content).toEqual([
      { type: "tool-call", callId: "call_0", name: "a", arguments: "[0]" },
      { type: "tool-call", callId: "call_1", name: "b", arguments: "[1]" },
    ]);
  });
});

describe("calls without ids of items", () => {
  const reasoning = (index: number) => ({
    type: "response.output_item.added",
    output_index: index,
    item: { type: "reasoning", summary: [] },
  });
  const added = (index: number, callId?: string) => ({
    type: "response.output_item.added",
    output_index: index,
    item: { type: "function_call", ...(callId === undefined ? {} : { call_id: callId }), name: `tool_${index}`, arguments: "" },
  });
  const piece = (index: number, text: string) => ({ type: "response.function_call_arguments.delta", output_index: index, delta: text });
  const whole = (index: number, callId: string, args: string) => ({
    type: "function_call",
    call_id: callId,
    name: `tool_${index}`,
    arguments: args,
  });
  const made = (index: number, callId: string, args: string) => ({ type: "tool-call", callId, name: `tool_${index}`, arguments: args });

  test("are told by their own ids when positions shift, for reasoning is left out in the end", async () => {
    const { content } = await answerWith(
      reasoning(0),
      added(1, "c1"),
      piece(1, "[1]"),
      added(2, "c2"),
      piece(2, "[2]"),
      added(3, "c3"),
      piece(3, "[3"),
      completed(whole(1, "c1", "[1]"), whole(2, "c2", "[2]"), whole(3, "c3", "[3]")),
    );
    expect(content).toEqual([made(1, "c1", "[1]"), made(2, "c2", "[2]"), made(3, "c3", "[3]")]);
  });

  test("are told by their order when they share an id", async () => {
    const { content } = await answerWith(
      reasoning(0),
      added(1, "c"),
      added(2, "c"),
      piece(1, "[1]"),
      piece(2, "[2]"),
      completed(whole(1, "c", "[1]"), whole(2, "c", "[2]")),
    );
    expect(content).toEqual([made(1, "c", "[1]"), made(2, "c", "[2]")]);
  });

  test("stay the same calls when they have other ids, or none, in the end", async () => {
    for (const ids of [
      ["x1", "x2"],
      ["", ""],
    ] as const) {
      const events = [added(1, "c1"), piece(1, "[1]"), added(2, "c2"), piece(2, "[2]")];
      const { content } = await answerWith(reasoning(0), ...events, completed(whole(1, ids[0], "[1]"), whole(2, ids[1], "[2]")));
      expect(content).toEqual([made(1, "c1", "[1]"), made(2, "c2", "[2]")]);
    }
  });

  test("get theirs in the end when they had none", async () => {
    const { content } = await answerWith(
      reasoning(0),
      added(1),
      added(2),
      piece(2, "[2]"),
      completed(whole(1, "c1", "[1]"), whole(2, "c2", "[2]")),
    );
    expect(content).toEqual([made(1, "c1", "[1]"), made(2, "c2", "[2]")]);
  });

  test("that come in the end only are added", async () => {
    const { content } = await answerWith(reasoning(0), added(1, "c1"), completed(whole(1, "c1", "[1]"), whole(2, "c2", "[2]")));
    expect(content).toEqual([made(1, "c1", "[1]"), made(2, "c2", "[2]")]);
  });
});

describe("an end", () => {
  test("that is not said is a broken stream", async () => {
    expect(await failureOf(answerWith(created, delta("Hel")))).toMatchObject({ code: "provider_unavailable", retryable: true });
  });

  test("with nothing in it is no answer", async () => {
    expect(await failureOf(answerWith(created, completed()))).toMatchObject({ code: "model_response_invalid", retryable: true });
  });

  test.for(responsesWays)("says how it was cut off, with all there is to it $way", async ({ streaming }) => {
    const response = {
      object: "response",
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [message("Hel")],
      usage: {
        input_tokens: 5,
        input_tokens_details: { cached_tokens: 2 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 6 },
      },
    };
    const fetch = streaming ? eventsFetch({ type: "response.incomplete", response }) : () => Promise.resolve(Response.json(response));
    expect(await answerOf(fetch, { api: "responses", streaming })).toMatchObject({
      finishReason: "length",
      usage: { inputTokens: 5, inputTokenDetails: { cacheReadTokens: 2 }, outputTokens: 7, outputTokenDetails: { reasoningTokens: 6 } },
    });
  });

  test.for(responsesWays)("with a refusal is shown and counts as filtered $way", async ({ streaming }) => {
    const item = { type: "message", id: "msg_1", content: [{ type: "refusal", refusal: "I will not." }] };
    const pieces = ["I will", " not."].map((text) => ({ type: "response.refusal.delta", output_index: 0, delta: text }));
    const { response } = completed(item);
    const fetch = streaming ? eventsFetch(...pieces, completed(item)) : () => Promise.resolve(Response.json(response));
    expect(await answerOf(fetch, { api: "responses", streaming })).toMatchObject({
      message: { content: [{ type: "text", text: "I will not." }] },
      finishReason: "content-filter",
    });
  });

  const failures = [
    { error: { code: "server_error", message: "secret" }, code: "provider_unavailable", retryable: true },
    { error: { code: "rate_limit_exceeded", message: "secret" }, code: "rate_limited", retryable: true },
    { error: { code: "invalid_prompt", message: "secret" }, code: "content_filtered", retryable: false },
    { error: { code: "image_too_large", message: "secret" }, code: "provider_rejected", retryable: false },
    { error: { code: "moon_phase", message: "secret" }, code: "provider_unavailable", retryable: true },
  ];
  const cases = failures.flatMap((failure) => responsesWays.map((way) => ({ ...failure, ...way })));
  test.for(cases)("by failure is told by its code: $error.code $way", async ({ error, code, retryable, streaming }) => {
    const response = { object: "response", status: "failed", error, output: [], usage: { input_tokens: 5, output_tokens: 0 } };
    const fetch = streaming ? eventsFetch(created, { type: "response.failed", response }) : () => Promise.resolve(Response.json(response));
    const failure = await failureOf(answerOf(fetch, { api: "responses", streaming }));
    expect({ code: failure.code, retryable: failure.retryable }).toEqual({ code, retryable });
    expect(failure.details).toMatchObject({ reason: error.code });
    expect(failure.message).not.toContain("secret");
  });

  test("by an error event is told by its code, too", async () => {
    const event = { type: "error", code: "rate_limit_exceeded", message: "secret", param: null };
    expect(await failureOf(answerWith(created, event))).toMatchObject({ code: "rate_limited", details: { reason: "rate_limit_exceeded" } });
  });
});
