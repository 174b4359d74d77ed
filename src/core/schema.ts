// Schemas of tools and answers: any Standard Schema (zod, valibot, arktype) or raw JSON Schema, compiled once and asked by one method.
import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { AgentError } from "./errors.ts";
import type { JsonSchema } from "./json.ts";

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

function validateStandard(schema: StandardSchemaV1, value: unknown): Validated | Promise<Validated> {
  try {
    const result = schema["~standard"].validate(value);
    return result instanceof Promise ? result.then(fromStandard, schemaThrew) : fromStandard(result);
  } catch {
    return schemaThrew();
  }
}

const schemaThrew = (): Validated => ({ ok: false, issues: ["the schema itself failed"] });

function fromStandard(result: StandardSchemaV1.Result<unknown>): Validated {
  if (!result.issues) return { ok: true, value: result.value };
  return { ok: false, issues: result.issues.map((issue) => withPath(issue.path ?? [], issue.message)) };
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
    return (value) => {
      const result = validator.validate(value);
      return result.valid ? { ok: true, value } : { ok: false, issues: deepest(result.errors) };
    };
  } catch (thrown) {
    throw new AgentError("configuration_invalid", `${where} is not a usable JSON Schema.`, { cause: thrown });
  }
}

// The library reports every enclosing keyword too; the innermost ones say what is wrong.
function deepest(errors: readonly OutputUnit[]): string[] {
  const depth = (unit: OutputUnit) => unit.instanceLocation.split("/").length;
  const most = Math.max(...errors.map(depth));
  return errors.filter((unit) => depth(unit) === most).map((unit) => `${unit.instanceLocation.slice(2) || "arguments"}: ${unit.error}`);
}

/** True when a schema describes an object, which is the only thing a model can send as arguments. */
export const describesObject = (schema: JsonSchema): boolean => schema["type"] === "object";
