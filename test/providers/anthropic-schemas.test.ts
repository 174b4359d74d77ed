// Schemas of zod, valibot, arktype and JSON Schema as Anthropic takes them: nothing that they allow gets lost, what it cannot express is
// refused with its place.
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { JsonSchema } from "../../src/core/json.ts";
import type { ModelOffer, ToolSpec } from "../../src/core/model.ts";
import { type AnySchema, compileSchema } from "../../src/core/schema.ts";
import { anthropic } from "../../src/providers/anthropic/anthropic.ts";
import { bodyOf } from "./anthropic-exchange.ts";
import { failureOf } from "./exchange.ts";

const jsonOf = (schema: AnySchema): JsonSchema => compileSchema(schema, "test").jsonSchema;

/** The schema that goes out for an answer of that shape. */
async function sentFor(schema: AnySchema): Promise<unknown> {
  const body = await bodyOf({ output: { name: "reply", schema: jsonOf(schema) } });
  return Reflect.get(Object(Reflect.get(Object(body["output_config"]), "format")), "schema");
}

const check = (offer: Partial<ModelOffer>) =>
  failureOf(Promise.resolve().then(() => anthropic("claude-test", { apiKey: "k" }).check?.({ tools: [], settings: {}, ...offer })));
const refusalOf = (schema: AnySchema) => check({ output: { name: "reply", schema: jsonOf(schema) } });

describe("an answer of a shape", () => {
  const order = {
    type: "object",
    properties: { id: { type: "string" }, note: { type: "string" }, tags: { type: "array", items: { type: "string" } } },
    required: ["id", "tags"],
    additionalProperties: false,
  };
  const makers: readonly { readonly by: string; readonly schema: AnySchema }[] = [
    { by: "zod", schema: z.object({ id: z.string(), note: z.string().optional(), tags: z.array(z.string()) }) },
    {
      by: "valibot",
      schema: toStandardJsonSchema(v.object({ id: v.string(), note: v.optional(v.string()), tags: v.array(v.string()) })),
    },
    { by: "arktype", schema: type({ id: "string", "note?": "string", tags: "string[]" }) },
    { by: "JSON Schema", schema: { ...order, additionalProperties: undefined, $schema: "http://json-schema.org/draft-07/schema#" } },
  ];
  test.for(makers)("is the same by $by: closed, optional stays optional", async ({ schema }) => {
    const sent = await sentFor(schema);
    expect(sent).toEqual({ ...order, required: expect.arrayContaining(order.required) });
  });

  const converted: readonly { readonly what: string; readonly schema: AnySchema; readonly sent: object }[] = [
    {
      what: "limits are told in the description",
      schema: z.object({ age: z.number().min(0).max(120).describe("Years."), code: z.string().regex(/^[a-z]+$/) }),
      sent: {
        properties: {
          age: { type: "number", description: "Years. (minimum: 0, maximum: 120)" },
          code: { type: "string", description: '(pattern: "^[a-z]+$")' },
        },
      },
    },
    {
      what: "known formats are sent, others told",
      schema: { type: "object", properties: { at: { type: "string", format: "date-time" }, x: { type: "string", format: "odd" } } },
      sent: { properties: { at: { type: "string", format: "date-time" }, x: { type: "string", description: '(format: "odd")' } } },
    },
    {
      what: "one of several is any of them",
      schema: z.discriminatedUnion("kind", [z.object({ kind: z.literal("a"), n: z.int() }), z.object({ kind: z.literal("b") })]),
      sent: {
        anyOf: [
          { type: "object", properties: { kind: { const: "a" }, n: { type: "integer" } }, required: ["kind", "n"] },
          { type: "object", properties: { kind: { const: "b" } }, required: ["kind"] },
        ],
      },
    },
    {
      what: "null, choices and lists",
      schema: z.object({ a: z.string().nullable(), b: z.enum(["x", "y"]), c: z.array(z.boolean()).min(1).max(3) }),
      sent: {
        properties: {
          a: { type: ["string", "null"] },
          b: { enum: ["x", "y"] },
          c: { type: "array", items: { type: "boolean" }, minItems: 1, description: "(maxItems: 3)" },
        },
      },
    },
    {
      what: "an intersection of objects is one object",
      schema: toStandardJsonSchema(v.intersect([v.object({ a: v.string() }), v.object({ b: v.optional(v.string()) })])),
      sent: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: ["a"], additionalProperties: false },
    },
    {
      what: "a definition that is described where it stands",
      schema: z.object({ a: z.object({ zip: z.string() }).meta({ id: "Zip" }).describe("Origin.") }),
      sent: { properties: { a: { description: "Origin." } } },
    },
    {
      what: "which properties belong together is told",
      schema: { type: "object", properties: { a: { type: "string" } }, anyOf: [{ required: ["a"] }] },
      sent: { properties: { a: { type: "string" } }, description: '(anyOf: [{"required":["a"]}])' },
    },
    {
      what: "an object that is closed without properties stays one",
      schema: z.object({ empty: z.strictObject({}) }),
      sent: { properties: { empty: { type: "object", properties: {}, additionalProperties: false } } },
    },
    {
      what: "a property may have any name",
      schema: { type: "object", properties: { properties: { type: "string" }, $ref: { type: "null" } } },
      sent: { properties: { properties: { type: "string" }, $ref: { type: "null" } } },
    },
  ];
  test.for(converted)("converts: $what", async ({ schema, sent }) => {
    expect(await sentFor(schema)).toMatchObject(sent);
  });

  test("refers to a part of itself that stands in a list", async () => {
    const text = { type: "object", properties: { t: { type: "string" } } };
    const schema = { type: "object", properties: { x: { anyOf: [text, { type: "null" }] }, y: { $ref: "#/properties/x/anyOf/0" } } };
    expect(await sentFor(schema)).toMatchObject({ properties: { y: { $ref: "#/$defs/0" } }, $defs: { 0: text } });
  });

  test("makes one of objects whose properties have the names of what every object has", async () => {
    const part = (name: string) => ({ type: "object", properties: { [name]: { type: "string" } } });
    const schema = { type: "object", properties: { x: { allOf: [part("a"), part("constructor")] } } };
    expect(await sentFor(schema)).toMatchObject({ properties: { x: { properties: { constructor: { type: "string" } } } } });
  });

  test("refers to what it defines, made once and closed like the rest", async () => {
    const schema = {
      type: "object",
      definitions: { "a/b": { type: "object", properties: { zip: { type: "string", minLength: 5 } } } },
      properties: { from: { $ref: "#/definitions/a~1b", description: "Origin." }, to: { $ref: "#/definitions/a~1b" } },
    };
    expect(await sentFor(schema)).toEqual({
      type: "object",
      properties: { from: { description: "Origin.", anyOf: [{ $ref: "#/$defs/a_1b" }] }, to: { $ref: "#/$defs/a_1b" } },
      required: [],
      additionalProperties: false,
      $defs: {
        a_1b: {
          type: "object",
          properties: { zip: { type: "string", description: "(minLength: 5)" } },
          required: [],
          additionalProperties: false,
        },
      },
    });
  });

  const tree = z.object({
    value: z.string(),
    get children() {
      return z.array(tree);
    },
  });
  const refused: readonly { readonly what: string; readonly schema: AnySchema; readonly says: RegExp }[] = [
    { what: "a record", schema: z.object({ a: z.object({ by: z.record(z.string(), z.number()) }) }), says: /output\.a\.by: .*not list/ },
    { what: "a loose object", schema: z.object({ a: z.array(z.looseObject({ b: z.string() })) }), says: /output\.a\[\]: .*not list/ },
    { what: "an object of which nothing is known", schema: { type: "object" }, says: /output: .*lists no properties/ },
    { what: "properties by pattern", schema: { type: "object", patternProperties: { a: {} } }, says: /output: .*not list/ },
    { what: "anything", schema: z.object({ a: z.unknown() }), says: /output\.a: .*any type/ },
    { what: "true", schema: { type: "object", properties: { a: JSON.parse("true") } }, says: /output\.a: .*anything/ },
    { what: "a list of anything", schema: { type: "object", properties: { a: { type: "array" } } }, says: /output\.a\[\]/ },
    { what: "a tuple", schema: z.object({ at: z.tuple([z.number(), z.number()]) }), says: /output\.at: .*tuple/ },
    { what: "itself", schema: tree, says: /output\.children\[\]: .*contains itself/ },
    {
      what: "itself by a definition",
      schema: {
        type: "object",
        properties: { a: { $ref: "#/$defs/node" } },
        $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } } } },
      },
      says: /output\.a\.next: .*contains itself/,
    },
    {
      what: "a branch of a union",
      schema: z.object({ a: z.union([z.string(), z.record(z.string(), z.string())]) }),
      says: /output\.a\.anyOf\[1\]: .*not list/,
    },
    {
      what: "itself by an intersection",
      schema: {
        allOf: [{ $ref: "#/$defs/node" }, { properties: { a: { type: "null" } } }],
        $defs: { node: { properties: { next: { allOf: [{ $ref: "#/$defs/node" }, { properties: { b: { type: "null" } } }] } } } },
      },
      says: /contains itself/,
    },
    {
      what: "properties in branches",
      schema: {
        type: "object",
        properties: { kind: { type: "string" } },
        oneOf: [{ properties: { kind: { const: "a" }, extra: { type: "string" } } }],
      },
      says: /output: .*branches/,
    },
    {
      what: "a reference with a shape",
      schema: {
        type: "object",
        properties: { a: { $ref: "#/$defs/b", properties: { c: { type: "null" } } } },
        $defs: { b: { type: "object", properties: { d: { type: "null" } } } },
      },
      says: /output\.a: .*refers/,
    },
    { what: "objects as values", schema: { type: "object", properties: { a: { enum: [{ b: 1 }] } } }, says: /output\.a: .*values/ },
    { what: "a type of no JSON", schema: { type: "object", properties: { a: { type: "date" } } }, says: /output\.a: .*type/ },
    {
      what: "a property nobody describes",
      schema: { type: "object", properties: { a: { type: "null" } }, required: ["b"] },
      says: /output\.b/,
    },
    {
      what: "an intersection of unlike things",
      schema: toStandardJsonSchema(
        v.object({ a: v.intersect([v.object({ b: v.string() }), v.object({ b: v.pipe(v.string(), v.uuid()) })]) }),
      ),
      says: /output\.a: .*allOf/,
    },
    {
      what: "more optional properties than the API takes",
      schema: z.object(Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`p${index}`, z.string().optional()]))),
      says: /output: .*24 optional/,
    },
  ];
  test.for(refused)("is refused when the agent is made, with its place: $what", async ({ schema, says }) => {
    const error = await refusalOf(schema);
    expect(error.code).toBe("configuration_invalid");
    expect(error.message).toMatch(says);
  });

  test("is refused at the latest when it is asked for", async () => {
    expect(await failureOf(sentFor(z.object({ a: z.record(z.string(), z.string()) })))).toMatchObject({ code: "configuration_invalid" });
  });
});

describe("a tool", () => {
  const toolOf = (schema: AnySchema, name = "act"): ToolSpec => ({ name, description: "Acts.", inputSchema: jsonOf(schema) });
  const strictNames = async (tools: readonly ToolSpec[], options: object = {}) => {
    const body = await bodyOf({ tools }, options);
    return (body.tools ?? []).flatMap((tool) => (Reflect.get(tool, "strict") === true ? [tool.name] : []));
  };
  const simple = z.object({ id: z.string(), limit: z.int().max(9).optional() });

  test("is strict where its schema can be closed", async () => {
    expect((await bodyOf({ tools: [toolOf(simple)] }, { promptCache: "off" })).tools).toEqual([
      {
        name: "act",
        description: "Acts.",
        strict: true,
        input_schema: {
          type: "object",
          properties: { id: { type: "string" }, limit: { type: "integer", description: expect.stringContaining("maximum: 9") } },
          required: ["id"],
          additionalProperties: false,
        },
      },
    ]);
  });

  test("is not held to a schema that cannot be closed, and the schema goes out as it is", async () => {
    const schema = jsonOf(
      z.object({ by: z.record(z.string(), z.number()), at: z.tuple([z.number(), z.string()]).rest(z.null()).optional() }),
    );
    const body = await bodyOf({ tools: [toolOf(schema)] }, { promptCache: "off" });
    expect(body.tools).toEqual([
      {
        name: "act",
        description: "Acts.",
        input_schema: {
          ...schema,
          // The draft the API reads calls a tuple by another name.
          properties: {
            ...Object(schema["properties"]),
            at: { type: "array", prefixItems: [{ type: "number" }, { type: "string" }], items: { type: "null" }, minItems: 2 },
          },
        },
      },
    ]);
  });

  test("keeps what its schema says of values, in the words of the API's draft", async () => {
    const loose = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: { a: { default: { items: [1] } }, items: { type: "string" }, additionalItems: { type: "null" } },
    };
    const body = await bodyOf({ tools: [toolOf(loose)] }, { promptCache: "off" });
    const { $schema: _, ...rest } = loose;
    expect(body.tools).toEqual([{ name: "act", description: "Acts.", input_schema: { ...rest, required: [] } }]);
  });

  test("is not held to its schema when nobody wants it", async () => {
    expect(await strictNames([toolOf(simple)], { strictTools: false })).toEqual([]);
  });

  test("is strict as far as the API allows in one request", async () => {
    const many = Array.from({ length: 22 }, (_, index) => toolOf(z.object({ id: z.string() }), `t${index}`));
    expect(await strictNames(many)).toHaveLength(20);
    const optional = (count: number) =>
      z.object(Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, z.string().optional()])));
    expect(await strictNames([toolOf(optional(20), "a"), toolOf(optional(5), "b"), toolOf(optional(4), "c")])).toEqual(["a", "c"]);
    const union = (count: number) =>
      z.object(Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, z.string().nullable()])));
    expect(await strictNames([toolOf(union(16), "a"), toolOf(union(1), "b"), toolOf(simple, "c")])).toEqual(["a", "c"]);
  });

  test("tells which arguments belong together, which the API refuses at the top", async () => {
    const loose = { type: "object", properties: { a: {} }, anyOf: [{ required: ["a"] }] };
    const body = await bodyOf({ tools: [toolOf(loose)] }, { promptCache: "off" });
    expect(body.tools).toMatchObject([
      { input_schema: { type: "object", properties: { a: {} }, description: '({"anyOf":[{"required":["a"]}]})' } },
    ]);
    expect(JSON.stringify(body.tools)).not.toContain('"anyOf":[{"required":["a"]}]');
  });

  test.for([
    { what: "name", tool: toolOf(simple, "find order") },
    { what: "name", tool: toolOf(simple, "x".repeat(65)) },
    { what: "union", tool: toolOf({ type: "object", anyOf: [{ properties: { a: {} } }] }) },
    { what: "union", tool: toolOf({ type: "object", anyOf: [{ properties: { a: { type: "string" } } }] }) },
  ])("that the API cannot take at all is refused when the agent is made: $what", async ({ what, tool }) => {
    const error = await check({ tools: [tool] });
    expect(error).toMatchObject({ code: "configuration_invalid", message: expect.stringContaining(what) });
  });
});
