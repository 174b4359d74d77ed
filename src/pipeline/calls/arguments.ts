// A model's argument text made into a value. Pure: the same text always gives the same answer.
import { jsonrepair } from "jsonrepair";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";

export type ParsedArguments = { readonly ok: true; readonly value: JsonObject; readonly repaired: boolean } | { readonly ok: false };

/**
 * Empty text is no arguments. Broken JSON is repaired only when `repair` is set, for an act must not be guessed at, and only when it
 * is whole: of a text that was cut off nobody knows how its last word went on.
 */
export function parseArguments(text: string, repair: boolean): ParsedArguments {
  if (text.trim() === "") return { ok: true, value: {}, repaired: false };
  const shape = shapeOf(text);
  if (shape.deepest > mostLevels) return { ok: false };
  const value = parsed(text);
  if (value !== undefined) return { ok: true, value, repaired: false };
  const mended = repair && shape.whole ? parsed(repairedJson(text)) : undefined;
  return mended === undefined ? { ok: false } : { ok: true, value: mended, repaired: true };
}

/** Deeper than this no tool's arguments are meant to be; much deeper ones break whatever walks through them. */
const mostLevels = 100;

/** How deep brackets go, and whether every one of them, and every string, is closed again. */
function shapeOf(text: string): { readonly deepest: number; readonly whole: boolean } {
  let level = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString && character === "\\") index += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++level);
    else if (character === "}" || character === "]") level -= 1;
  }
  return { deepest, whole: level === 0 && deepest > 0 && !inString };
}

function parsed(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const value: Json = /__proto__|\\u/.test(text) ? JSON.parse(text, withoutPrototype) : JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// JSON.parse makes an own property of it, which is harmless until somebody merges the object into another.
const withoutPrototype = (key: string, value: unknown): unknown => (key === "__proto__" ? undefined : value);

function repairedJson(text: string): string | undefined {
  try {
    return jsonrepair(text);
  } catch {
    return undefined;
  }
}
