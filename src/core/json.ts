// What may be stored: plain JSON. Everything the journal keeps passes `assertJson`, so that a value read back equals the value written.
import { AgentError } from "./errors.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** A JSON Schema document; which draft is up to whoever wrote it. */
export type JsonSchema = JsonObject;

/**
 * Throws `journal_value_invalid`, naming the path, when `value` would not come back from JSON as it went in
 * (Date, Map, class instance, function, bigint, NaN, cycle). A property that is `undefined` counts as absent.
 */
export function assertJson(value: unknown, name = "value"): asserts value is Json {
  // Paths are made only for what is wrong: nearly everything is right.
  if (!isJson(value, 0)) explain(value, name, []);
}

/** Whether `assertJson` would let it pass. */
export function isJsonValue(value: unknown): value is Json {
  try {
    assertJson(value);
    return true;
  } catch {
    return false;
  }
}

/** Deeper than this is taken for a cycle, until the explanation has looked. */
const deepest = 200;

function isJson(value: unknown, depth: number): boolean {
  if (isPlain(value)) return true;
  if (typeof value !== "object" || value === null || depth > deepest) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isJson(value[index], depth + 1)) return false;
    return true;
  }
  if (!isRecord(value)) return false;
  for (const key in value) {
    const item = value[key];
    if (item !== undefined && !isJson(item, depth + 1)) return false;
  }
  return true;
}

function explain(value: unknown, path: string, above: readonly object[]) {
  if (isPlain(value)) return;
  if (typeof value !== "object" || value === null)
    throw notJson(path, typeof value === "number" ? "a number JSON cannot hold" : `a ${typeof value}`);
  if (above.includes(value)) throw notJson(path, "a cycle");
  const inside = [...above, value];
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) explain(value[index], `${path}[${index}]`, inside);
    return;
  }
  if (!isRecord(value)) throw notJson(path, `a ${nameOf(value)}`);
  for (const [key, item] of Object.entries(value)) if (item !== undefined) explain(item, `${path}.${key}`, inside);
}

const isPlain = (value: unknown) =>
  value === null || typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Something with properties to look at; nothing is known of them. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;

/** JSON that is neither a list nor a plain value. */
export const isJsonObject = (value: Json | undefined): value is JsonObject => isObject(value) && !Array.isArray(value);

/** A recorded value as the type its key stands for; a copy, so that nothing done to it changes the record. */
export function recall<T>(value: Json): T {
  return JSON.parse(JSON.stringify(value));
}

/** JSON text that is the same for the same content, whatever the order of keys; for comparing, not for storing. */
export function canonicalJson(value: Json | undefined): string {
  if (value === undefined) return "null";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const present = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${present
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`)
    .join(",")}}`;
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

const nameOf = (value: object) => value.constructor?.name || "value of a class";

const notJson = (path: string, what: string) =>
  new AgentError("journal_value_invalid", `${path} is ${what}; only plain JSON can be stored.`, { details: { path } });
