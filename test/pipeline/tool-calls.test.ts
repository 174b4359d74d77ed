// Every call gets exactly one result, in call order, whatever the model sent and whatever the tool did.

import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type AgentOptions, createAgent, type Tool, tool, toolError } from "airworthy";
import { autoClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";

const reads = { description: "d", effect: "read" } as const;

async function runWith(
  tools: Record<string, Tool>,
  calls: readonly [name: string, argument: object | string][],
  more: Partial<AgentOptions> = {},
  reply: ScriptedReply = "done",
) {
  const asked = { calls: calls.map(([name, argument]) => ({ name, arguments: argument })) };
  const model = scriptedModel([asked, reply]);
  const result = await createAgent({ name: "a", model, tools, clock: autoClock(), ...more }).run("go");
  const results = result.messages.filter((message) => message.role === "tool");
  return { result, model, results, contents: results.map(({ content }) => content) };
}

const echo = tool({ ...reads, inputSchema: z.looseObject({}), execute: (input) => input });

describe("results", () => {
  test("three parallel calls, one throws, one is unknown: three results in call order", async () => {
    const tools = {
      good: tool({ ...reads, inputSchema: z.object({}), execute: () => "value" }),
      bad: tool({
        ...reads,
        inputSchema: z.object({}),
        execute: () => {
          throw new Error("no");
        },
      }),
    };
    const { result, results } = await runWith(tools, [
      ["bad", {}],
      ["good", {}],
      ["nope", {}],
    ]);
    expect(result.status).toBe("completed");
    expect(results.map(({ name, isError }) => [name, isError ?? false])).toEqual([
      ["bad", true],
      ["good", false],
      ["nope", true],
    ]);
    expect(results[2]?.content).toContain("The tools are: bad, good.");
  });

  test("they run at the same time", async () => {
    const started: string[] = [];
    let release = () => {};
    const both = new Promise<void>((resolve) => (release = resolve));
    const meet = tool({
      ...reads,
      inputSchema: z.object({ n: z.string() }),
      execute: async ({ n }) => {
        started.push(n);
        if (started.length === 2) release();
        await both;
        return n;
      },
    });
    const { contents } = await runWith({ meet }, [
      ["meet", { n: "1" }],
      ["meet", { n: "2" }],
    ]);
    expect(contents).toEqual(["1", "2"]);
  });

  test("two equal calls have two idempotency keys; one call has the same over its retries", async () => {
    const keys: string[] = [];
    const pay = tool({
      description: "d",
      effect: "pay",
      repeat: "with-same-key",
      inputSchema: z.object({}),
      execute: (_, { idempotencyKey, attempt }) => {
        keys.push(idempotencyKey);
        if (attempt === 1) throw new Error("again");
        return "paid";
      },
    });
    await runWith({ pay }, [
      ["pay", {}],
      ["pay", {}],
    ]);
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(2);
  });
});

describe("arguments", () => {
  test.each([
    ["empty text is no arguments", "", "{}"],
    ["white space too", " \n", "{}"],
    ["__proto__ is dropped", '{"__proto__":{"admin":true},"a":1}', '{"a":1}'],
    ["also when it is spelt with escapes", '{"\\u005f_proto__":{"admin":true},"a":1}', '{"a":1}'],
    ["of a read they are repaired", '{"a":1,}', '{"a":1}'],
    ["also out of a code fence", "```json\n{a: 1}\n```", '{"a":1}'],
  ])("%s", async (_, sent, got) => {
    const { contents } = await runWith({ echo }, [["echo", sent]]);
    expect(contents).toEqual([got]);
    expect(Object.hasOwn(Object.prototype, "admin")).toBe(false);
  });

  test.each(["{", '{"id":"1",}', "[1]", "null", '"text"', "7", '{"id":1}', '{"id":"1"} {"id":"2"}'])(
    "an act with %s is not executed, and the model is told",
    async (sent) => {
      const execute = vi.fn(() => "paid");
      const { contents } = await runWith(
        { pay: tool({ description: "d", effect: "pay", inputSchema: z.object({ id: z.string() }), execute }) },
        [["pay", sent]],
      );
      expect(execute).not.toHaveBeenCalled();
      expect(JSON.parse(contents[0] ?? "")).toMatchObject({ error: { code: "tool_input_invalid", retryable: false } });
    },
  );

  test.each(['{"a":"47', '{"a":47', '{"a":47,', "{"])("%s was cut off: not even a read is guessed at", async (sent) => {
    const { contents } = await runWith({ echo }, [["echo", sent]]);
    expect(contents[0]).toContain("tool_input_invalid");
  });

  test.each(["toString", "constructor", "__proto__", "hasOwnProperty"])("a tool called %s does not exist", async (name) => {
    const { contents } = await runWith({ echo }, [[name, {}]]);
    expect(contents[0]).toContain("tool_unknown");
  });

  test("calls of an answer that was cut off are not executed", async () => {
    const execute = vi.fn(() => "paid");
    const model = scriptedModel([{ calls: [{ name: "pay", arguments: "{}" }], finishReason: "length" }, "sorry"]);
    const result = await createAgent({
      name: "a",
      model,
      tools: { pay: tool({ description: "d", inputSchema: z.object({}), execute }) },
    }).run("go");
    expect(result.status).toBe("completed");
    expect(execute).not.toHaveBeenCalled();
    expect(result.messages.find(({ role }) => role === "tool")?.content).toContain("tool_input_truncated");
  });
});

describe("schemas", () => {
  const raw = { type: "object", properties: { n: { type: "number" } }, required: ["n"], additionalProperties: false };
  const kinds = {
    zod: z.object({ n: z.number() }),
    valibot: toStandardJsonSchema(v.object({ n: v.number() })),
    arktype: type({ n: "number" }),
    "JSON Schema": raw,
    "draft-07": { $schema: "http://json-schema.org/draft-07/schema#", ...raw },
  };
  test.each(Object.entries(kinds))("%s: described to the model, checked before the call", async (_, inputSchema) => {
    const execute = vi.fn((input: unknown) => input);
    const counting = tool({ ...reads, inputSchema, execute });
    const { contents, model } = await runWith({ counting }, [
      ["counting", { n: 1 }],
      ["counting", { n: "1" }],
    ]);
    expect(contents[0]).toBe('{"n":1}');
    expect(contents[1]).toContain("tool_input_invalid");
    expect(execute).toHaveBeenCalledTimes(1);
    expect(model.requests[0]?.tools[0]?.inputSchema).toMatchObject({ type: "object", properties: { n: { type: "number" } } });
  });

  test("what the schema makes of the arguments is what the tool gets", async () => {
    const twice = tool({
      ...reads,
      inputSchema: z.object({
        n: z.coerce
          .number()
          .transform((n) => n * 2)
          .pipe(z.number())
          .or(z.never()),
      }),
      inputJsonSchema: { type: "object" },
      execute: ({ n }) => String(n),
    });
    const { contents } = await runWith({ twice }, [["twice", { n: "21" }]]);
    expect(contents).toEqual(["42"]);
  });

  test("a check that takes its time is waited for; one that throws is told as wrong arguments", async () => {
    const ones = z.object({ n: z.number().refine((n) => Promise.resolve(n === 1)) });
    const fail = () => Promise.reject(new Error("db down: password"));
    const broken = { "~standard": { version: 1, vendor: "own", validate: fail } } as const;
    const tools = {
      slow: tool({ ...reads, inputSchema: ones, execute: () => "ok" }),
      broken: tool({ ...reads, inputSchema: broken, inputJsonSchema: { type: "object" }, execute: () => "ok" }),
    };
    const { contents } = await runWith(tools, [
      ["slow", { n: 1 }],
      ["slow", { n: 3 }],
      ["broken", {}],
    ]);
    expect(contents[0]).toBe("ok");
    expect(contents[1]).toContain("tool_input_invalid");
    expect(contents[2]).toContain("tool_input_invalid");
    expect(contents.join()).not.toContain("password");
  });

  test("an output that is not what the tool promised is an error", async () => {
    const liar = tool({ ...reads, inputSchema: z.object({}), outputSchema: z.object({ n: z.number() }), execute: () => ({ n: "secret" }) });
    const { contents } = await runWith({ liar }, [["liar", {}]]);
    expect(contents[0]).toContain("tool_output_invalid");
    expect(contents[0]).not.toContain("secret");
  });
});

describe("what the model reads", () => {
  const returns = (value: unknown, maxResultBytes = 65_536) =>
    tool({ ...reads, maxResultBytes, inputSchema: z.object({}), execute: () => value });

  test.each<[unknown, string]>([
    ["text", "text"],
    [{ a: 1 }, '{"a":1}'],
    [undefined, "null"],
    [null, "null"],
    [[1, 2], "[1,2]"],
    [0, "0"],
  ])("%j is sent as %s", async (value, content) => {
    const { contents } = await runWith({ t: returns(value) }, [["t", {}]]);
    expect(contents).toEqual([content]);
  });

  test("a value without JSON text is an error, not a crash", async () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const { contents } = await runWith({ circle: returns(circle), big: returns(10n) }, [
      ["circle", {}],
      ["big", {}],
    ]);
    for (const content of contents) expect(content).toContain("tool_output_invalid");
  });

  test("a result that is too long is cut at a whole character, with a mark", async () => {
    const { contents } = await runWith({ t: returns("ä€😀".repeat(100), 100) }, [["t", {}]]);
    const [kept, mark] = (contents[0] ?? "").split("\n");
    expect(Buffer.byteLength(kept ?? "")).toBeLessThanOrEqual(100);
    expect("ä€😀".repeat(100).startsWith(kept ?? "-")).toBe(true);
    expect(mark).toBe("[cut: the first 99 of 900 bytes are shown]");
  });

  test("of a throw it reads no message, stack or path; of toolError the message", async () => {
    const tools = {
      throws: tool({
        ...reads,
        inputSchema: z.object({}),
        execute: () => {
          throw new Error("ENOENT /etc/passwd password=hunter2 sk-123");
        },
      }),
      tells: tool({
        ...reads,
        inputSchema: z.object({}),
        execute: () => {
          throw toolError("There is no order 7.", { hint: "Ask for the number." });
        },
      }),
      odd: tool({
        ...reads,
        inputSchema: z.object({}),
        execute: () => {
          throw "hunter2";
        },
      }),
    };
    const { contents, model } = await runWith(tools, [
      ["throws", {}],
      ["tells", {}],
      ["odd", {}],
    ]);
    expect(JSON.parse(contents[0] ?? "")).toEqual({
      error: { code: "tool_failed", message: "throws failed.", retryable: true, hint: expect.any(String) },
    });
    expect(JSON.parse(contents[1] ?? "")).toEqual({
      error: { code: "tool_failed", message: "There is no order 7.", retryable: false, hint: "Ask for the number." },
    });
    expect(JSON.stringify(model.requests)).not.toMatch(/hunter2|passwd|sk-123/);
  });
});

describe("fallbacks", () => {
  const failing = () => {
    throw new Error("down");
  };
  function queueRefund({ id }: { id: string }) {
    return `queued ${id}`;
  }
  const refund = {
    description: "d",
    effect: "pay",
    repeat: "with-same-key",
    inputSchema: z.object({ id: z.string() }),
    execute: failing,
  } as const;

  test.each([
    ["a function", tool({ ...refund, fallback: queueRefund }), "queueRefund"],
    ["another tool", tool({ ...refund, fallback: tool({ ...refund, execute: queueRefund }) }), "queueRefund"],
    ["a nameless one", tool({ ...refund, fallback: (input) => queueRefund(input) }), "refund-fallback"],
  ])("%s takes over, and the result says so", async (_, broken, by) => {
    const { result, contents } = await runWith({ refund: broken }, [["refund", { id: "1" }]]);
    expect(contents[0]).toBe("queued 1\n[degraded: answered in place of refund, which failed with tool_failed]");
    expect(result.degraded).toEqual([{ tool: "refund", by, key: "turn-1/tool/0/fallback" }]);
  });

  test("it is not for calls that were wrong, and its own failure is an error", async () => {
    const fallback = vi.fn(failing);
    const { result, contents } = await runWith({ refund: tool({ ...refund, fallback }) }, [
      ["refund", {}],
      ["refund", { id: "1" }],
    ]);
    expect(fallback).toHaveBeenCalledTimes(1);
    expect(contents[0]).toContain("tool_input_invalid");
    expect(contents[1]).toContain("tool_failed");
    expect(result.degraded).toEqual([]);
  });
});
