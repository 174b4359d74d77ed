// Looking at what came over a wire. Invariant: nothing is believed before it has been looked at: gateways answer with HTML, with
// `{ error }` and with half an answer, all under status 200, and SDKs hand them on typed as answers.
import { isObject } from "../core/json.ts";

/** The value when it is an object, to be read as a shape whose every field is unknown; else an empty one. */
export function objectIn(value: unknown): { readonly [field: string]: unknown } {
  return isObject(value) ? value : {};
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is a string that says something. */
export function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The value when it is a number of tokens or an index: finite and not negative. */
export function countIn(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
