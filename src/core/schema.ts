// Schemas of tools and answers: any Standard Schema (zod, valibot, arktype) or raw JSON Schema, compiled once and asked by one method.
import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { AgentError } from "./errors.ts";
import type { Json, JsonSchema } from "./json.ts";

/** Where a schema can come from. Types are inferred from a Standard Schema; a raw JSON Schema gives `unknown`. */
export type AnySchema = StandardSchemaV1 | JsonSchema;

/** What a value is after validation. */
export type InferSchema<S> = S extends StandardSchemaV1<infer _Input, infer Output> ? Output : unknown;

export type Validated = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: readonly string[] };

export interface CompiledSchema {
  /** What the model is shown. */
  readonly jsonSchema: JsonSchema;
  /** Checks and converts; never throws: a schema that throws says so as an issue. */
  validate(value: unknown): Validated | Promise<Validated>;
}

/**
 * Compiles once, at creation. `jsonSchema` is needed for a Standard Schema that cannot describe itself.
 * Throws `configuration_invalid` naming `where`.
 */
export function compileSchema(schema: AnySchema, where: string, jsonSchema?: JsonSchema): CompiledSchema {
  if (isStandard(schema)) {
    return { jsonSchema: jsonSchema ?? describe(schema, where), validate: (value) => validateStandard(schema, value) };
  }
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new AgentError(
      "configuration_invalid",
      `${where} is neither a Standard Schema (zod, valibot, arktype) nor a JSON Schema object.`,
    );
  }
  return { jsonSchema: jsonSchema ?? schema, validate: rawValidator(schema, where) };
}

// A schema may be a function (arktype) and still carry the standard's property.
const isStandard = (schema: unknown): schema is StandardSchemaV1 =>
  (typeof schema === "object" || typeof schema === "function") && schema !== null && "~standard" in schema;

const describesItself = (schema: StandardSchemaV1): schema is StandardSchemaV1 & StandardJSONSchemaV1 =>
  "jsonSchema" in schema["~standard"];

function describe(schema: StandardSchemaV1, where: string): JsonSchema {
  const vendor = schema["~standard"].vendor;
  if (!describesItself(schema)) {
    throw new AgentError(
      "configuration_invalid",
      `${where}: this ${vendor} schema cannot describe itself as JSON Schema. Give inputJsonSchema, or wrap it (valibot: toStandardJsonSchema of @valibot/to-json-schema; zod: 4.2 or newer).`,
    );
  }
  try {
    const { $schema: _, ...rest } = schema["~standard"].jsonSchema.input({ target: "draft-07" });
    return JSON.parse(JSON.stringify(rest));
  } catch (thrown) {
    throw new AgentError("configuration_invalid", `${where}: this ${vendor} schema holds something JSON Schema cannot express.`, {
      cause: thrown,
    });
  }
}

// Any thenable counts as a promise: one from another realm or library is no result.
function validateStandard(schema: StandardSchemaV1, value: unknown): Validated | Promise<Validated> {
  try {
    const result: unknown = schema["~standard"].validate(value);
    return isThenable(result) ? Promise.resolve(result).then(fromStandard, schemaFailed) : fromStandard(result);
  } catch {
    return schemaFailed();
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";

const schemaFailed = (): Validated => ({ ok: false, issues: ["the schema itself failed"] });

/** Only what says clearly that a value is valid makes it so. */
function fromStandard(result: unknown): Validated {
  if (typeof result !== "object" || result === null) return schemaFailed();
  const { issues }: { issues?: unknown } = result;
  if (issues === undefined && "value" in result) return { ok: true, value: result.value };
  if (!Array.isArray(issues) || issues.length === 0) return schemaFailed();
  return { ok: false, issues: issues.map((issue: StandardSchemaV1.Issue) => withPath(issue.path ?? [], issue.message)) };
}

const withPath = (path: readonly (PropertyKey | { readonly key: PropertyKey })[], message: string) => {
  const at = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return at ? `${at}: ${message}` : message;
};

function rawValidator(schema: JsonSchema, where: string): CompiledSchema["validate"] {
  try {
    const text = JSON.stringify(schema);
    const own: Schema = JSON.parse(text);
    const validator = new Validator(own, text.includes("draft-07") ? "7" : "2020-12", false);
    // A reference to nowhere or a broken pattern shows only in use: better now than in the first run.
    for (const pattern of textsOf("pattern", schema)) RegExp(pattern, "u");
    for (const ref of textsOf("$ref", schema)) follow(ref, schema);
    return (value) => validateRaw(validator, value);
  } catch (thrown) {
    throw new AgentError("configuration_invalid", `${where} is not a usable JSON Schema.`, { cause: thrown });
  }
}

function validateRaw(validator: Validator, value: unknown): Validated {
  try {
    const result = validator.validate(value);
    return result.valid ? { ok: true, value } : { ok: false, issues: deepest(result.errors) };
  } catch {
    return schemaFailed();
  }
}

function* textsOf(keyword: string, schema: Json | undefined): Generator<string> {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, item] of Object.entries(schema)) {
    if (key === keyword && typeof item === "string") yield item;
    else yield* textsOf(keyword, item);
  }
}

/** Throws when a reference within the schema leads nowhere; others are by id, which the library knows. */
function follow(ref: string, schema: JsonSchema) {
  if (!ref.startsWith("#/")) return;
  let place: unknown = schema;
  for (const segment of ref.slice(2).split("/")) {
    const name = decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, name)) {
      throw new AgentError("configuration_invalid", `The reference ${ref} leads nowhere.`);
    }
    place = Reflect.get(place, name);
  }
}

// The library reports every enclosing keyword too; the innermost ones say what is wrong.
function deepest(errors: readonly OutputUnit[]): string[] {
  const depth = (unit: OutputUnit) => unit.instanceLocation.split("/").length;
  const most = errors.reduce((deepestSoFar, unit) => Math.max(deepestSoFar, depth(unit)), 0);
  const innermost = errors.filter((unit) => depth(unit) === most).slice(0, 20);
  return innermost.map((unit) => `${unit.instanceLocation.slice(2) || "arguments"}: ${unit.error}`);
}

/** True when a schema describes an object, which is the only thing a model can send as arguments. */
export const describesObject = (schema: JsonSchema): boolean => schema["type"] === "object";
