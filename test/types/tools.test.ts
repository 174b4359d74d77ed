// The types of a tool's input and output, for each schema library, and that what `execute` is given at run time is what its type says.
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type ActOutcome, createAgent, type InferSchema, type Tool, type ToolContext, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

type InputOf<T> = T extends Tool<infer Input, infer _Output> ? Input : never;
type OutputOf<T> = T extends Tool<infer _Input, infer Output> ? Output : never;

/** What the model sends; each schema below makes the same of it. */
const sent = { id: "4711", amount: "12.5" };
const made = { id: "4711", limit: 10, amount: 12.5 };
type Made = { id: string; note?: string | undefined; limit: number; amount: number };

/** Has the model call the tool once, and answers what `execute` was given. */
async function givenTo(make: (record: (input: unknown) => void) => Tool): Promise<unknown> {
  const given: unknown[] = [];
  const model = scriptedModel([{ calls: [{ name: "pay", arguments: sent }] }, "done"]);
  const agent = createAgent({ name: "a", model, tools: { pay: make((input) => given.push(input)) } });
  expect(await agent.run("go")).toMatchObject({ status: "completed", usage: { toolCalls: 1 } });
  return given[0];
}

describe("execute is given what the schema makes of the arguments: optional, defaulted and transformed properties", () => {
  const ofZod = z.object({
    id: z.string(),
    note: z.string().optional(),
    limit: z.number().default(10),
    amount: z.string().transform(Number),
  });
  const ofValibot = v.object({
    id: v.string(),
    note: v.optional(v.string()),
    limit: v.optional(v.number(), 10),
    amount: v.pipe(v.string(), v.toNumber()),
  });
  const ofArktype = type({ id: "string", "note?": "string", limit: "number = 10", amount: "string.numeric.parse" });

  test("zod 4", async () => {
    const given = await givenTo((record) =>
      tool({
        description: "d",
        inputSchema: ofZod,
        execute: (input) => {
          expectTypeOf(input).toEqualTypeOf<Made>();
          record(input);
        },
      }),
    );
    expect(given).toEqual(made);
    expectTypeOf<z.input<typeof ofZod>>().toEqualTypeOf<{
      id: string;
      note?: string | undefined;
      limit?: number | undefined;
      amount: string;
    }>();
    expectTypeOf<InferSchema<typeof ofZod>>().toEqualTypeOf<z.output<typeof ofZod>>();
  });

  test("valibot", async () => {
    const inputSchema = toStandardJsonSchema(ofValibot);
    const given = await givenTo((record) =>
      tool({
        description: "d",
        inputSchema,
        execute: (input) => {
          expectTypeOf(input).toEqualTypeOf<Made>();
          record(input);
        },
      }),
    );
    expect(given).toEqual(made);
    expectTypeOf<InferSchema<typeof ofValibot>>().toEqualTypeOf<v.InferOutput<typeof ofValibot>>();
  });

  test("arktype", async () => {
    const given = await givenTo((record) =>
      tool({
        description: "d",
        inputSchema: ofArktype,
        inputJsonSchema: { type: "object" },
        execute: (input) => {
          expectTypeOf(input).toEqualTypeOf<{ id: string; note?: string; limit: number; amount: number }>();
          record(input);
        },
      }),
    );
    expect(given).toEqual(made);
    expectTypeOf<InferSchema<typeof ofArktype>>().toEqualTypeOf<typeof ofArktype.infer>();
  });

  test("JSON Schema says nothing to the compiler: the input is unknown until it is looked at", async () => {
    const given = await givenTo((record) =>
      tool({
        description: "d",
        inputSchema: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
        execute: (input) => {
          expectTypeOf(input).toBeUnknown();
          record(input);
        },
      }),
    );
    expect(given).toEqual(sent);
    expectTypeOf<InferSchema<{ readonly type: "object" }>>().toBeUnknown();
  });
});

describe("the output of a tool is what execute answers", () => {
  const inputSchema = z.object({ id: z.string() });

  test("at once or later", () => {
    const now = tool({ description: "d", inputSchema, execute: ({ id }) => ({ id, n: 1 }) });
    const later = tool({ description: "d", inputSchema, execute: ({ id }) => Promise.resolve({ id, n: 1 }) });
    expectTypeOf<OutputOf<typeof now>>().toEqualTypeOf<{ id: string; n: number }>();
    expectTypeOf<OutputOf<typeof later>>().toEqualTypeOf<{ id: string; n: number }>();
    expectTypeOf<InputOf<typeof now>>().toEqualTypeOf<{ id: string }>();
    expectTypeOf(now).toExtend<Tool>();
  });

  test("and what reconcile has to find", () => {
    const payment = tool({
      description: "d",
      inputSchema,
      execute: ({ id }) => ({ receipt: id }),
      reconcile: (input, context) => {
        expectTypeOf(input).toEqualTypeOf<{ id: string }>();
        expectTypeOf(context).toEqualTypeOf<ToolContext>();
        return { status: "done", output: { receipt: input.id } };
      },
    });
    expectTypeOf<ReturnType<typeof payment.reconcile>>().toEqualTypeOf<
      ActOutcome<{ receipt: string }> | Promise<ActOutcome<{ receipt: string }>>
    >();
  });
});

test("context, fallback and loopKey are typed without a word", () => {
  const payment = tool({
    description: "d",
    inputSchema: z.object({ id: z.string(), n: z.number().default(1) }),
    loopKey: (input) => {
      expectTypeOf(input).toEqualTypeOf<object>();
      return input;
    },
    fallback: (input) => expectTypeOf(input).toEqualTypeOf<{ id: string; n: number }>(),
    execute: (_input, context) => {
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(context.idempotencyKey).toBeString();
      expectTypeOf(context.context).toBeUnknown();
    },
  });
  expectTypeOf(payment.fallback).toEqualTypeOf<Tool | undefined>();
});
