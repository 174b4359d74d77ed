// Every good answer of the simulated provider, read by the SDKs of the providers: streamed and not, they make the same of it.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { type SimulatedProvider, type SimulatedReply, simulatedProvider } from "../../../src/testing/index.ts";

const prompt = "Where is my order?";
const ways = [{ way: "as JSON" }, { way: "as a stream" }] as const;
type Way = (typeof ways)[number]["way"];

const openaiClient = ({ baseURL }: SimulatedProvider) => new OpenAI({ apiKey: "none", baseURL, maxRetries: 0 });
const anthropicClient = ({ url }: SimulatedProvider) => new Anthropic({ apiKey: "none", baseURL: url, maxRetries: 0 });

async function completion(reply: SimulatedReply, way: Way) {
  await using provider = await simulatedProvider({ scenario: [reply] });
  const { completions } = openaiClient(provider).chat;
  const body = { model: "gpt-test", messages: [{ role: "user" as const, content: prompt }] };
  if (way === "as JSON") return await completions.create(body);
  return await completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion();
}

async function response(reply: SimulatedReply, way: Way, more: { readonly include?: ["reasoning.encrypted_content"] } = {}) {
  await using provider = await simulatedProvider({ scenario: [reply] });
  const { responses } = openaiClient(provider);
  const body = { model: "gpt-test", input: prompt, ...more };
  return way === "as JSON" ? await responses.create(body) : await responses.stream(body).finalResponse();
}

async function message(reply: SimulatedReply, way: Way) {
  await using provider = await simulatedProvider({ scenario: [reply] });
  const { messages } = anthropicClient(provider);
  const body = { model: "claude-test", max_tokens: 100, messages: [{ role: "user" as const, content: prompt }] };
  return way === "as JSON" ? await messages.create(body) : await messages.stream(body).finalMessage();
}

const answer: SimulatedReply = {
  reasoning: "The order has left the house, so it is on its way.",
  text: "I look it up, and I look up the other one, too.",
  calls: [
    { name: "findOrder", arguments: { id: "4711", note: "a long note that takes several pieces" } },
    { name: "ping", arguments: "" },
  ],
  usage: {
    inputTokens: 100,
    inputTokenDetails: { cacheReadTokens: 60, cacheWriteTokens: 30 },
    outputTokens: 20,
    outputTokenDetails: { reasoningTokens: 8 },
  },
};
const callText = '{"id":"4711","note":"a long note that takes several pieces"}';

describe.each(ways)("the SDKs read $way", ({ way }) => {
  test("a completion", async () => {
    const { choices, usage, model } = await completion(answer, way);
    expect(choices).toMatchObject([
      {
        finish_reason: "tool_calls",
        message: {
          role: "assistant",
          content: answer.text,
          tool_calls: [
            { id: "call_0_0", type: "function", function: { name: "findOrder", arguments: callText } },
            { id: "call_0_1", type: "function", function: { name: "ping", arguments: "" } },
          ],
        },
      },
    ]);
    expect(usage).toEqual({
      prompt_tokens: 100,
      completion_tokens: 20,
      total_tokens: 120,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
      completion_tokens_details: { reasoning_tokens: 8 },
    });
    expect(model).toBe("gpt-test");
  });

  test("a response", async () => {
    const { id, status, output, output_text, usage, model } = await response(answer, way);
    expect({ id, status, model, output_text }).toEqual({ id: "resp_0", status: "completed", model: "gpt-test", output_text: answer.text });
    expect(output).toMatchObject([
      { id: "rs_0_0", type: "reasoning", summary: [{ type: "summary_text", text: answer.reasoning }] },
      { id: "msg_0_1", type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: answer.text }] },
      { id: "fc_0_2", type: "function_call", status: "completed", call_id: "call_0_0", name: "findOrder", arguments: callText },
      { id: "fc_0_3", type: "function_call", status: "completed", call_id: "call_0_1", name: "ping", arguments: "" },
    ]);
    expect(output[0]).not.toHaveProperty("encrypted_content");
    expect(usage).toEqual({
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 8 },
      total_tokens: 120,
    });
  });

  test("a response with its reasoning encrypted, where it was asked for", async () => {
    const { output } = await response(answer, way, { include: ["reasoning.encrypted_content"] });
    expect(output[0]).toMatchObject({ type: "reasoning", encrypted_content: "encrypted_0_0" });
  });

  test("a message", async () => {
    const { id, type, role, content, stop_reason, usage, model } = await message(answer, way);
    expect({ id, type, role, stop_reason, model }).toEqual({
      id: "msg_0",
      type: "message",
      role: "assistant",
      stop_reason: "tool_use",
      model: "claude-test",
    });
    expect(content).toMatchObject([
      { type: "thinking", thinking: answer.reasoning, signature: "signature_0" },
      { type: "text", text: answer.text, citations: null },
      { type: "tool_use", id: "call_0_0", name: "findOrder", input: JSON.parse(callText), caller: { type: "direct" } },
      { type: "tool_use", id: "call_0_1", name: "ping", input: {} },
    ]);
    expect(usage).toMatchObject({
      input_tokens: 10,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 0 },
      output_tokens: 20,
      output_tokens_details: { thinking_tokens: 8 },
    });
  });

  test("a refusal", async () => {
    const refusal: SimulatedReply = { refusal: "I would rather not say anything about that." };
    expect((await completion(refusal, way)).choices).toMatchObject([{ finish_reason: "stop", message: refusal }]);
    expect((await response(refusal, way)).output).toMatchObject([{ type: "message", content: [{ type: "refusal", ...refusal }] }]);
    expect(await message(refusal, way)).toMatchObject({
      content: [],
      stop_reason: "refusal",
      stop_details: { type: "refusal", explanation: refusal.refusal },
    });
  });

  test("another finish reason and another model", async () => {
    expect((await completion({ text: "x", finishReason: "length", model: "other" }, way)).choices).toMatchObject([
      { finish_reason: "length" },
    ]);
    expect(await response({ text: "x", finishReason: "content_filter" }, way)).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
      output_text: "x",
    });
    expect(await message({ text: "x", finishReason: "pause_turn", model: "other" }, way)).toMatchObject({
      stop_reason: "pause_turn",
      model: "other",
    });
  });

  test("an answer with nothing in it", async () => {
    expect((await completion({}, way)).choices).toMatchObject([{ message: { role: "assistant" } }]);
    expect(await response({}, way)).toMatchObject({ status: "completed", output: [], output_text: "" });
    expect(await message({}, way)).toMatchObject({ stop_reason: "end_turn", content: [] });
  });
});

test("the SDKs find the id of the request and the headers of the reply", async () => {
  const headers = { "X-RateLimit-Remaining-Requests": "7", "anthropic-ratelimit-requests-remaining": "3" };
  await using provider = await simulatedProvider({ rules: () => ({ text: "x", headers }) });
  const first = await openaiClient(provider).responses.create({ model: "gpt-test", input: prompt }).withResponse();
  const body = { model: "claude-test", max_tokens: 1, messages: [{ role: "user" as const, content: prompt }] };
  const second = await anthropicClient(provider).messages.create(body).withResponse();
  expect([first.request_id, second.request_id]).toEqual(["req_0", "req_1"]);
  expect(first.response.headers.get("x-ratelimit-remaining-requests")).toBe("7");
  expect(second.response.headers.get("anthropic-ratelimit-requests-remaining")).toBe("3");
});

describe("the SDKs know an error", () => {
  test.for([
    { fault: "rate-limit", ours: OpenAI.RateLimitError, theirs: Anthropic.RateLimitError },
    { fault: "quota", ours: OpenAI.RateLimitError, theirs: Anthropic.PaymentRequiredError },
    { fault: "server-error", ours: OpenAI.InternalServerError, theirs: Anthropic.InternalServerError },
    { fault: "bad-gateway-html", ours: OpenAI.InternalServerError, theirs: Anthropic.InternalServerError },
    { fault: "unavailable", ours: OpenAI.InternalServerError, theirs: Anthropic.ServiceUnavailableError },
    { fault: "overloaded", ours: OpenAI.InternalServerError, theirs: Anthropic.OverloadedError },
    { fault: "too-large", ours: OpenAI.APIError, theirs: Anthropic.ContentTooLargeError },
    { fault: "bad-request", ours: OpenAI.BadRequestError, theirs: Anthropic.BadRequestError },
    { fault: "context-too-long", ours: OpenAI.BadRequestError, theirs: Anthropic.BadRequestError },
    { fault: "unauthorized", ours: OpenAI.AuthenticationError, theirs: Anthropic.AuthenticationError },
    { fault: "reset", ours: OpenAI.APIConnectionError, theirs: Anthropic.APIConnectionError },
  ] as const)("$fault", async ({ fault, ours, theirs }) => {
    for (const { way } of ways) {
      await expect(completion({ fault }, way)).rejects.toBeInstanceOf(ours);
      await expect(response({ fault }, way)).rejects.toBeInstanceOf(ours);
      await expect(message({ fault }, way)).rejects.toBeInstanceOf(theirs);
    }
  });

  test.for(["overloaded", "server-error"] as const)("in the middle of a stream: %s", async (error) => {
    const reply: SimulatedReply = { fault: "error-mid-body", error, text: "Half an answer, and then no more of it." };
    const code = error === "overloaded" ? "server_is_overloaded" : null;
    await expect(completion(reply, "as a stream")).rejects.toMatchObject({ status: undefined, type: "server_error", code });
    await expect(response(reply, "as a stream")).rejects.toMatchObject({ status: undefined, code: code ?? "server_error" });
    const type = error === "overloaded" ? "overloaded_error" : "api_error";
    await expect(message(reply, "as a stream")).rejects.toMatchObject({ status: undefined, type, requestID: "req_0" });
  });
});
