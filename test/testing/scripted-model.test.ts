// The scripted model: every kind of reply, streamed and not, and how it heeds the signal.
import { describe, expect, test } from "vitest";
import { AgentError } from "../../src/core/errors.ts";
import type { ModelContext, ModelRequest } from "../../src/core/model.ts";
import { hang, hangForever, type ScriptedModel, type ScriptedReply, scriptedModel } from "../../src/testing/index.ts";

const request: ModelRequest = { messages: [{ role: "user", content: "Hello" }], tools: [], settings: {} };
const halted = new AgentError("halted", "Somebody halted the run.");

const context = (more: Partial<ModelContext> = {}): ModelContext => ({
  signal: new AbortController().signal,
  attempt: 1,
  now: () => 0,
  ...more,
});

const call = (model: ScriptedModel, more?: Partial<ModelContext>) => model.call(request, context(more));

describe("replies", () => {
  const text = (said: string) => ({ role: "assistant", content: [{ type: "text", text: said }] });
  const replies: readonly { readonly what: string; readonly reply: ScriptedReply; readonly response: object }[] = [
    {
      what: "a string",
      reply: "Hi.",
      response: { message: text("Hi."), finishReason: "stop", usage: { inputTokens: 10, outputTokens: 5 }, modelId: "scripted" },
    },
    { what: "deltas", reply: { deltas: ["H", "i."] }, response: { message: text("Hi.") } },
    { what: "usage", reply: { text: "Hi.", usage: { inputTokens: 0 } }, response: { usage: { inputTokens: 0 } } },
    { what: "a finish reason", reply: { text: "Hi.", finishReason: "length" }, response: { finishReason: "length" } },
    { what: "a function", reply: () => "Hi.", response: { message: text("Hi.") } },
    {
      what: "a function of a promise of a function",
      reply: () => Promise.resolve(() => ({ text: "Hi." })),
      response: { message: text("Hi.") },
    },
    {
      what: "an answer without anything",
      reply: { text: "" },
      response: { message: { role: "assistant", content: [] }, finishReason: "stop" },
    },
    {
      what: "everything at once",
      reply: {
        reasoning: "Hm.",
        text: "Hi.",
        calls: [
          { name: "a", arguments: { n: 1 } },
          { name: "b", arguments: '{"n":', callId: "mine" },
          { name: "c", arguments: {} },
        ],
      },
      response: {
        message: {
          role: "assistant",
          content: [
            { type: "reasoning", text: "Hm." },
            { type: "text", text: "Hi." },
            { type: "tool-call", callId: "call_1", name: "a", arguments: '{"n":1}' },
            { type: "tool-call", callId: "mine", name: "b", arguments: '{"n":' },
            { type: "tool-call", callId: "call_2", name: "c", arguments: "{}" },
          ],
        },
        finishReason: "tool-calls",
      },
    },
  ];
  test.for(replies)("$what", async ({ reply, response }) => {
    expect(await call(scriptedModel([reply]))).toMatchObject(response);
  });

  test.for(replies)("$what is the same when it is streamed", async ({ reply }) => {
    expect(await call(scriptedModel([reply]), { onText: () => {} })).toEqual(await call(scriptedModel([reply])));
  });

  test("without usage reports none", async () => {
    expect(await call(scriptedModel([{ text: "Hi.", usage: null }]))).not.toHaveProperty("usage");
  });

  test("an error is thrown as it is", async () => {
    const error = new AgentError("rate_limited", "Slow down.");
    await expect(call(scriptedModel([error]))).rejects.toBe(error);
    await expect(call(scriptedModel([() => Promise.resolve(error)]))).rejects.toBe(error);
  });

  test("functions see the request and the context", async () => {
    const model = scriptedModel([({ messages }, { attempt }) => `${messages.length} messages, attempt ${attempt}`]);
    expect(await call(model, { attempt: 3 })).toMatchObject({ message: { content: [{ text: "1 messages, attempt 3" }] } });
  });
});

describe("the script", () => {
  test("is used up in order and says so when it has run out", async () => {
    const model = scriptedModel(["one", "two"]);
    expect(await call(model)).toMatchObject({ message: { content: [{ text: "one" }] } });
    expect(await call(model)).toMatchObject({ message: { content: [{ text: "two" }] } });
    await expect(call(model)).rejects.toMatchObject({
      code: "configuration_invalid",
      retryable: false,
      message: expect.stringMatching(/2 replies.*call 3/),
    });
    expect(model.calls).toBe(3);
  });

  test("may be a function of the number of the call", async () => {
    const model = scriptedModel((_request, _context, callNumber) => `call ${callNumber}`);
    await call(model);
    expect(await call(model)).toMatchObject({ message: { content: [{ text: "call 2" }] } });
  });

  test("numbers calls of tools over the life of the model", async () => {
    const model = scriptedModel(() => ({ calls: [{ name: "a", arguments: {} }] }));
    await call(model);
    expect(await call(model)).toMatchObject({ message: { content: [{ callId: "call_2" }] } });
  });
});

describe("streaming", () => {
  async function piecesOf(reply: ScriptedReply) {
    const pieces: string[] = [];
    await call(scriptedModel([reply]), { onText: (text) => pieces.push(text) });
    return pieces;
  }

  test("hands over the deltas as they are, and a text whole", async () => {
    expect(await piecesOf({ deltas: ["a", "", "b"] })).toEqual(["a", "", "b"]);
    expect(await piecesOf("ab")).toEqual(["ab"]);
    expect(await piecesOf({ calls: [{ name: "a", arguments: {} }] })).toEqual([]);
  });

  test("gives the consumer a turn between deltas, in which an abort is heeded", async () => {
    const controller = new AbortController();
    const pieces: string[] = [];
    const onText = (text: string) => {
      pieces.push(text);
      void Promise.resolve().then(() => controller.abort(halted));
    };
    await expect(call(scriptedModel([{ deltas: ["a", "b", "c"] }]), { signal: controller.signal, onText })).rejects.toBe(halted);
    expect(pieces).toEqual(["a"]);
  });
});

describe("the signal", () => {
  test("that is aborted before keeps the reply from being given", async () => {
    const model = scriptedModel(["never said"]);
    await expect(call(model, { signal: AbortSignal.abort(halted) })).rejects.toBe(halted);
    await expect(call(model, { signal: AbortSignal.abort("enough") })).rejects.toMatchObject({ code: "cancelled", cause: "enough" });
    expect(model.requests).toHaveLength(2);
  });

  test("ends hang() with its reason", async () => {
    const controller = new AbortController();
    const hanging = call(scriptedModel([hang()]), { signal: controller.signal });
    controller.abort(halted);
    await expect(hanging).rejects.toBe(halted);
  });

  test("does not end hangForever()", async () => {
    const controller = new AbortController();
    const hanging = call(scriptedModel([hangForever()]), { signal: controller.signal });
    controller.abort(halted);
    const turn = new Promise((resolve) => setImmediate(resolve, "still waiting"));
    expect(await Promise.race([hanging, turn])).toBe("still waiting");
  });
});

describe("requests", () => {
  test("are copies of what was sent, deeply frozen", async () => {
    const messages = [{ role: "user" as const, content: "Hello" }];
    const model = scriptedModel(["one"]);
    await model.call({ ...request, messages }, context());
    messages.push({ role: "user", content: "added later" });
    expect(model.requests).toEqual([request]);
    expect(Object.isFrozen(model.requests[0]?.messages[0])).toBe(true);
  });

  test("are not kept when recording is off", async () => {
    const model = scriptedModel(["one"], { id: "m", provider: "p", record: false });
    await call(model);
    expect(model).toMatchObject({ id: "m", provider: "p", calls: 1, requests: [] });
  });
});
