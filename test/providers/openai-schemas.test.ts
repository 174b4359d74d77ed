// Schemas of tools and answers as OpenAI is shown them: strict where strict mode can say them, as they are where it cannot.
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { JsonObject, JsonSchema } from "../../src/core/json.ts";
import { type AnySchema, compileSchema } from "../../src/core/schema.ts";
import type { OpenAIOptions } from "../../src/providers/openai/openai.ts";
import { apis, bodyOf, type OpenAIApi } from "./exchange.ts";

/** What goes out for a tool with this schema. */
async function sent(schema: AnySchema, options: Partial<OpenAIOptions> & { readonly api: OpenAIApi } = { api: "responses" }) {
  const inputSchema = compileSchema(schema, "the tool").jsonSchema;
  const body = await bodyOf(
    { tools: [{ name: "t", description: "d", inputSchema }], output: { name: "reply", schema: inputSchema } },
    { options },
  );
  const made = Object(body?.tools?.[0]);
  const { parameters, strict = false } = options.api === "responses" ? made : made.function;
  const { schema: answer, strict: strictly } =
    options.api === "responses" ? Object(body?.["text"]).format : Object(body?.["response_format"]).json_schema;
  expect({ answer, strictly }).toEqual({ answer: parameters, strictly: strict });
  return { parameters, strict };
}

const object = (properties: JsonObject, more: JsonObject = {}): JsonSchema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  ...more,
});
const text = { type: "string" };

const Node = z.object({
  name: z.string(),
  get children() {
    return z.array(Node);
  },
});

describe("a schema that strict mode can say", () => {
  const schemas: Readonly<Record<string, AnySchema>> = {
    "zod: an object": z.object({ id: z.string(), count: z.int(), kind: z.enum(["a", "b"]), tags: z.array(z.string()) }),
    "zod: nothing": z.object({}),
    "zod: null, a literal, a union": z.object({ a: z.string().nullable(), b: z.literal("x"), c: z.union([z.string(), z.number()]) }),
    "zod: a union of objects": z.object({ a: z.union([z.object({ x: z.string() }), z.object({ y: z.string() })]) }),
    "zod: a recursive object": Node,
    "zod: formats": z.object({ at: z.iso.datetime(), id: z.uuid(), mail: z.email() }),
    "valibot: an object": toStandardJsonSchema(v.object({ id: v.nullable(v.string()), kind: v.picklist(["a", "b"]), n: v.literal(1) })),
    "arktype: an object": type({ id: "string", kind: "'a' | 'b'", tags: "string[]", of: { x: "boolean" } }),
    "JSON Schema: definitions": object(
      { a: { $ref: "#/$defs/A" } },
      { $defs: { A: object({ next: { anyOf: [{ $ref: "#/$defs/A" }, { type: "null" }] } }) } },
    ),
    "JSON Schema: bounds": object({ n: { type: "number", minimum: 0, multipleOf: 0.5 }, s: { type: "string", pattern: "^(?:a|b)+$" } }),
  };

  test.for(Object.entries(schemas))("is strict and closed: %s", async ([, schema]) => {
    const { parameters, strict } = await sent(schema);
    expect(strict).toBe(true);
    for (const one of objectsIn(parameters)) {
      expect(one["additionalProperties"]).toBe(false);
      expect(one["required"]).toEqual(Object.keys(Object(one["properties"])));
    }
    expect(await sent(schema, { api: "chat" })).toEqual({ parameters, strict });
  });

  test("is changed in nothing but what strict mode wants said", async () => {
    const given = object({
      kind: { enum: ["a", "b"] },
      one: { const: 1 },
      mixed: { enum: ["a", null] },
      inner: { ...object({ a: text }), title: "Inner" },
    });
    expect((await sent(given)).parameters).toEqual({
      type: "object",
      properties: {
        kind: { enum: ["a", "b"], type: "string" },
        one: { const: 1, type: "number" },
        mixed: { enum: ["a", null], type: ["string", "null"] },
        inner: { type: "object", title: "Inner", properties: { a: text }, required: ["a"], additionalProperties: false },
      },
      required: ["kind", "one", "mixed", "inner"],
      additionalProperties: false,
    });
  });

  test.for(apis)("is not strict where the options say so (%s)", async (api) => {
    expect(await sent(object({ a: text }), { api, strict: false })).toEqual({ parameters: object({ a: text }), strict: false });
  });

  test("is never changed itself", async () => {
    const given = object({ kind: { enum: ["a"] }, list: { type: "array" } });
    const before = JSON.stringify(given);
    await sent(given);
    expect(JSON.stringify(given)).toBe(before);
  });
});

describe("a schema that strict mode cannot say", () => {
  const deep = (levels: number): JsonSchema => (levels === 1 ? object({ a: text }) : object({ a: deep(levels - 1) }));
  const wide = (count: number) => object(Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, text])));
  const listed = (count: number, length = 1) =>
    object({ a: { type: "string", enum: Array.from({ length: count }, (_, at) => `${at}`.padEnd(length, "x")) } });
  const schemas: Readonly<Record<string, AnySchema>> = {
    "zod: an optional property": z.object({ a: z.string().optional() }),
    "zod: an optional property, deep down": z.object({ a: z.array(z.object({ b: z.string().optional() })) }),
    "zod: a default": z.object({ a: z.string().default("x") }),
    "zod: a record": z.object({ a: z.record(z.string(), z.number()) }),
    "zod: a loose object": z.looseObject({ a: z.string() }),
    "zod: a discriminated union": z.object({
      a: z.discriminatedUnion("k", [z.object({ k: z.literal("a") }), z.object({ k: z.literal("b") })]),
    }),
    "zod: a length": z.object({ a: z.string().min(1) }),
    "zod: anything": z.object({ a: z.unknown() }),
    "valibot: an optional property": toStandardJsonSchema(v.object({ a: v.optional(v.string()) })),
    "arktype: an optional property": type({ "a?": "string" }),
    "arktype: a record": type({ a: "Record<string, number>" }),
    "JSON Schema: branches that begin alike": object({ a: { anyOf: [object({ k: text, x: text }), object({ k: text, y: text })] } }),
    "JSON Schema: branches that begin alike by reference": object(
      { a: { anyOf: [object({ k: text }), { $ref: "#/$defs/A" }] } },
      { $defs: { A: object({ k: text }) } },
    ),
    "JSON Schema: something required that is no property": object({ a: text }, { required: ["a", "b"] }),
    "JSON Schema: all of several": object({ a: { allOf: [object({ b: text }), object({ c: text })] } }),
    "JSON Schema: a described reference": object({ a: { $ref: "#/$defs/A", description: "A." } }, { $defs: { A: text } }),
    "JSON Schema: a reference into a property": object({ a: text, b: { $ref: "#/properties/a" } }),
    "JSON Schema: a definition that cannot be said": object({ a: text }, { $defs: { A: { type: "string", minLength: 1 } } }),
    "JSON Schema: an unknown format": object({ a: { type: "string", format: "uri" } }),
    "JSON Schema: a pattern that looks ahead": object({ a: { type: "string", pattern: "^(?!x)" } }),
    "JSON Schema: values that are objects": object({ a: { enum: [{ b: 1 }] } }),
    "JSON Schema: too deep": deep(11),
    "JSON Schema: too deep by reference": object({ a: { $ref: "#/$defs/A" } }, { $defs: { A: deep(10) } }),
    "JSON Schema: too wide": wide(5_001),
    "JSON Schema: too many values": listed(1_001),
    "JSON Schema: too much in one enum": listed(251, 60),
  };

  test.for(Object.entries(schemas))("goes out as it is: %s", async ([, schema]) => {
    const given = compileSchema(schema, "the tool").jsonSchema;
    expect(await sent(schema)).toEqual({ parameters: given, strict: false });
    expect(await sent(schema, { api: "chat" })).toEqual({ parameters: given, strict: false });
  });

  test("the limits are reached, but not passed, by others", async () => {
    for (const schema of [deep(10), wide(5_000), listed(1_000), listed(250, 60)]) expect((await sent(schema)).strict).toBe(true);
  });

  test("has its tuples said in the newer way, for the older is refused", async () => {
    const pair = { prefixItems: [text, { type: "number" }], items: {}, minItems: 2, maxItems: 2 };
    for (const schema of [z.object({ t: z.tuple([z.string(), z.number()]) }), type({ t: ["string", "number"] })]) {
      expect((await sent(schema)).parameters).toEqual(object({ t: { type: "array", ...pair } }));
    }
    const open = z.object({ t: z.tuple([z.string()], z.number()) });
    expect((await sent(open)).parameters).toMatchObject({ properties: { t: { prefixItems: [text], items: { type: "number" } } } });
  });

  test("has said what OpenAI wants even where it says nothing", async () => {
    expect((await sent({ type: "object" })).parameters).toEqual({ type: "object", properties: {} });
    const lists = object({
      a: { type: "array" },
      b: { anyOf: [{ type: ["array", "null"] }] },
      c: { type: "object", additionalProperties: { type: "array" } },
    });
    expect((await sent(lists)).parameters).toEqual(
      object({
        a: { type: "array", items: {} },
        b: { anyOf: [{ type: ["array", "null"], items: {} }] },
        c: { type: "object", additionalProperties: { type: "array", items: {} } },
      }),
    );
  });
});

function objectsIn(value: unknown): readonly Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  const own: Record<string, unknown> = { ...value };
  return [...(own["type"] === "object" ? [own] : []), ...Object.values(own).flatMap(objectsIn)];
}
