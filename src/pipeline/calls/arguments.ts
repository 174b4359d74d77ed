// A model's argument text made into a value. Pure: the same text always gives the same answer.
import { jsonrepair } from "jsonrepair";
import type { Json, JsonObject } from "../../core/json.ts";

export type ParsedArguments = { readonly ok: true; readonly value: JsonObject; readonly repaired: boolean } | { readonly ok: false };

/**
 * Empty text is no arguments. Broken JSON is repaired only when `repair` is set, for an act must not be guessed at, and only when it
 * is whole: of a text that was cut off nobody knows how its last word went on.
 */
export function parseArguments(text: string, repair: boolean): ParsedArguments {
  if (text.trim() === "") return { ok: true, value: {}, repaired: false };
  const value = parsed(text);
  if (value !== undefined) return { ok: true, value, repaired: false };
  const mended = repair ? parsed(repairedJson(text)) : undefined;
  return mended === undefined ? { ok: false } : { ok: true, value: mended, repaired: true };
}

function parsed(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const value: Json = /__proto__|\\u/.test(text) ? JSON.parse(text, withoutPrototype) : JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: Json): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

// JSON.parse makes an own property of it, which is harmless until somebody merges the object into another.
const withoutPrototype = (key: string, value: unknown): unknown => (key === "__proto__" ? undefined : value);

function repairedJson(text: string): string | undefined {
  if (!/\}\s*(?:```\s*)?$/.test(text)) return undefined;
  try {
    return jsonrepair(text);
  } catch {
    return undefined;
  }
}
