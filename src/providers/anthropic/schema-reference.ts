// References within a JSON Schema, and the intersections that refer to parts of it. Invariant: nothing outside of the schema is looked at.
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from "../../core/json.ts";

/** What a reference points at; undefined when it leads out of the schema or nowhere. */
export function targetOf(reference: string, root: JsonSchema): Json | undefined {
  if (!reference.startsWith("#/")) return undefined;
  let place: Json | undefined = root;
  for (const segment of reference.slice(2).split("/")) {
    const name = decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(place)) place = place[Number(name)];
    else if (isJsonObject(place) && Object.hasOwn(place, name)) place = place[name];
    else return undefined;
  }
  return place;
}

/**
 * The intersection `node` as one schema without `allOf`: of one member that member, of several objects an object with the properties of
 * all. Undefined where that would say something else: members that are no objects, or a property that two of them describe.
 */
export function mergedObjects(node: JsonObject, members: readonly Json[], root: JsonSchema): JsonObject | undefined {
  const { allOf: _, ...own } = node;
  const [only] = members;
  if (members.length === 1 && isJsonObject(only) && !("type" in own) && !("properties" in own)) {
    return { ...only, ...own };
  }
  const parts = members.map((member) => objectOf(member, root));
  if ("properties" in own) parts.push(own);
  let merged: JsonObject = { ...own, type: "object", properties: {}, required: [] };
  for (const part of parts) {
    const next = part && withPart(merged, part);
    if (!next) return undefined;
    merged = next;
  }
  return merged;
}

function objectOf(member: Json, root: JsonSchema): JsonObject | undefined {
  if (!isJsonObject(member)) return undefined;
  const target = typeof member["$ref"] === "string" ? targetOf(member["$ref"], root) : member;
  return isJsonObject(target) && target["allOf"] === undefined ? target : undefined;
}

function withPart(merged: JsonObject, part: JsonObject): JsonObject | undefined {
  const { properties, required, description: _, ...rest } = part;
  const { properties: before, required: needed } = merged;
  if (!isJsonObject(properties) || !isJsonObject(before)) return undefined;
  if (Object.keys(properties).some((name) => Object.hasOwn(before, name))) return undefined;
  return {
    ...rest,
    ...merged,
    properties: { ...before, ...properties },
    required: [...(Array.isArray(needed) ? needed : []), ...(Array.isArray(required) ? required : [])],
  };
}
