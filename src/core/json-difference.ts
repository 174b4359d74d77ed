// Where two JSON values differ, told by paths alone: what stands there may be a secret.
import { isJsonObject, type Json } from "./json.ts";

/** More is no help to anybody. */
const mostPaths = 10;

/**
 * Paths to where the two differ, as JSON pointers, at most ten; "" is the whole. A property that is undefined counts as absent, and the
 * order of properties does not count.
 */
export function jsonDifferences(one: Json | undefined, other: Json | undefined): readonly string[] {
  const found: string[] = [];
  collect(one, other, "", found);
  return found;
}

function collect(one: Json | undefined, other: Json | undefined, path: string, found: string[]) {
  if (found.length === mostPaths || one === other) return;
  const [left, right] = [membersOf(one), membersOf(other)];
  if (!left || !right || Array.isArray(one) !== Array.isArray(other)) {
    found.push(path);
    return;
  }
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    collect(left.get(name), right.get(name), `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, found);
  }
}

/** What is inside a list or an object by name; undefined for a plain value. */
function membersOf(value: Json | undefined): ReadonlyMap<string, Json | undefined> | undefined {
  if (value === undefined || value === null || typeof value !== "object") return undefined;
  return new Map(isJsonObject(value) ? Object.entries(value) : value.map((item, index) => [String(index), item]));
}
