// A schema of ours as OpenAI is shown it. Invariant: it lets through what ours lets through; what OpenAI takes in no mode is refused.
import { AgentError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from "../../core/json.ts";
import { strictSchema } from "./strict-schema.ts";

export interface OfferedSchema {
  readonly schema: { readonly [keyword: string]: unknown };
  readonly strict: boolean;
}

export type Offered = (schema: JsonSchema) => OfferedSchema;

/** Strict where the schema can be said so, unless `strict` is false. A schema is looked at once: every request carries the same object. */
export function createOffered(strict: boolean): Offered {
  const known = new WeakMap<JsonSchema, OfferedSchema>();
  return (schema) => {
    const before = known.get(schema);
    if (before) return before;
    const strictly = strict ? strictSchema(schema) : undefined;
    const made = strictly ? { schema: strictly, strict: true } : { schema: spelledOut(schema, true), strict: false };
    known.set(schema, made);
    return made;
  };
}

/** Throws `configuration_invalid`; `where` names what has the schema. */
export function checkSchema(schema: JsonSchema, where: string): void {
  const wrong = (what: string) =>
    new AgentError("configuration_invalid", `${where} cannot be sent to openai(): its schema ${what}.`, {
      hint: "Make it an object, with what it is now as one of its properties.",
    });
  if (schema["type"] !== "object") throw wrong('is not of type "object"');
  const keyword = ["anyOf", "oneOf", "allOf", "enum", "const", "not"].find((one) => schema[one] !== undefined);
  if (keyword) throw wrong(`has "${keyword}" at its top`);
}

const holdingOne = ["items", "additionalItems", "additionalProperties", "not", "if", "then", "else", "contains"];
const holdingMany = ["properties", "patternProperties", "$defs", "definitions"];
const holdingList = ["anyOf", "oneOf", "allOf", "prefixItems"];

/**
 * With what OpenAI wants said even where it says nothing: the properties of the outermost object, the items of every list. A tuple is
 * said as the newer drafts of JSON Schema have it, for the older way is refused.
 */
function spelledOut(schema: JsonSchema, outermost = false): JsonSchema {
  const { $schema: _, ...copy }: Record<string, Json | undefined> = schema;
  for (const keyword of holdingOne) if (isJsonObject(copy[keyword])) copy[keyword] = inner(copy[keyword]);
  for (const keyword of holdingList) if (isList(copy[keyword])) copy[keyword] = copy[keyword].map(inner);
  for (const keyword of holdingMany) if (isJsonObject(copy[keyword])) copy[keyword] = mapped(copy[keyword]);
  if (outermost) copy["properties"] ??= {};
  if (isList(copy["items"])) return asTuple(copy, copy["items"].map(inner));
  if ([schema["type"]].flat().includes("array")) copy["items"] ??= {};
  return copy;
}

function asTuple({ additionalItems, maxItems, ...rest }: JsonSchema, prefixItems: readonly Json[]): JsonSchema {
  if (additionalItems !== false)
    return { ...rest, ...(maxItems === undefined ? {} : { maxItems }), prefixItems, items: additionalItems ?? {} };
  return { ...rest, maxItems: Math.min(typeof maxItems === "number" ? maxItems : Infinity, prefixItems.length), prefixItems, items: {} };
}

const inner = (value: Json): Json => (isJsonObject(value) ? spelledOut(value) : value);
const mapped = (schemas: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, schema === undefined ? schema : inner(schema)]));
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
