// What the API takes as the schema of an answer or of a strict tool, made from any JSON Schema. Invariant: nothing that the schema allows
// gets lost in silence: what the API has no word for is told in a description, and a shape it cannot express is refused with its place.
import { AgentError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from "../../core/json.ts";
import { mergedObjects, targetOf } from "./schema-reference.ts";

/** `optionals` and `unions` are what the API limits per request. */
export interface ClosedSchema {
  readonly schema: JsonObject;
  readonly optionals: number;
  readonly unions: number;
}

interface Walk {
  readonly root: JsonSchema;
  /** By reference; undefined while it is being made, so that a schema within itself is seen. */
  readonly definitions: Map<string, { readonly name: string; schema?: JsonObject }>;
  optionals: number;
  unions: number;
  depth: number;
}

/** Deeper than this a schema goes on within itself. */
const deepest = 100;

/** Throws `configuration_invalid`, naming the place below `where`. Never changes `schema`. */
export function closedSchema(schema: JsonSchema, where: string): ClosedSchema {
  const walk: Walk = { root: schema, definitions: new Map([["#", { name: "root" }]]), optionals: 0, unions: 0, depth: 0 };
  const closed = close(schema, where, walk);
  const definitions = [...walk.definitions.values()].flatMap(({ name, schema: made }) => (made ? [[name, made] as const] : []));
  return {
    schema: definitions.length > 0 ? { ...closed, $defs: Object.fromEntries(definitions) } : closed,
    optionals: walk.optionals,
    unions: walk.unions,
  };
}

const refused = (where: string, what: string) =>
  new AgentError("configuration_invalid", `Anthropic cannot take the schema of ${where}: it ${what}.`, {
    hint: "Describe the shape in full, with objects that list their properties; docs/guides/providers.md says what the API takes.",
  });

/** Formats of strings the API knows. */
const formats = ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
const typeNames = ["object", "array", "string", "number", "integer", "boolean", "null"];
/** Either part of what is sent, or without meaning for the model. */
const notTold = ["$schema", "$id", "$comment", "$defs", "definitions", "$ref", "allOf", "type", "title", "description"];

function close(node: Json | undefined, where: string, walk: Walk): JsonObject {
  if (walk.depth++ > deepest) throw refused(where, "contains itself");
  const closed = closeNode(node, where, walk);
  walk.depth--;
  return closed;
}

function closeNode(node: Json | undefined, where: string, walk: Walk): JsonObject {
  if (!isJsonObject(node)) throw refused(where, "takes anything, or nothing");
  if (typeof node["$ref"] === "string") return referred(node["$ref"], node, where, walk);
  if (Array.isArray(node["allOf"])) return close(mergedObjects(node, node["allOf"], walk.root) ?? notOneObject(where), where, walk);
  const literal = node["enum"] !== undefined ? "enum" : "const";
  if (node[literal] !== undefined) return told(node, { [literal]: plain(node[literal], where) });
  const branch = Array.isArray(node["anyOf"]) ? "anyOf" : "oneOf";
  const branches = node[branch];
  if (addsProperties(node)) throw refused(where, "lists some of its properties only in branches (anyOf, oneOf, then, else)");
  // Next to properties a union only says which of them belong together; that is told.
  if (Array.isArray(branches) && node["properties"] === undefined && node["items"] === undefined) {
    walk.unions++;
    return told(node, { anyOf: branches.map((one: Json, index) => close(one, `${where}.${branch}[${index}]`, walk)) }, branch);
  }
  return typed(node, where, walk);
}

/** Whether a branch beside the properties of an object describes further ones: closed, the object would have no place for them. */
function addsProperties(node: JsonObject): boolean {
  const { properties } = node;
  if (!isJsonObject(properties)) return false;
  const branches = [node["anyOf"], node["oneOf"], node["then"], node["else"]].flat();
  return branches.some((branch) => {
    const added = isJsonObject(branch) ? branch["properties"] : undefined;
    return isJsonObject(added) && Object.keys(added).some((name) => !Object.hasOwn(properties, name));
  });
}

const notOneObject = (where: string): never => {
  throw refused(where, "combines schemas that are not objects with properties of different names (allOf)");
};

function plain(value: Json | undefined, where: string): Json {
  const values: readonly Json[] = Array.isArray(value) ? value : [value ?? null];
  if (values.some((one) => typeof one === "object" && one !== null)) throw refused(where, "lists objects or arrays as its only values");
  return value ?? null;
}

function typed(node: JsonObject, where: string, walk: Walk): JsonObject {
  const types = typesOf(node);
  if (types.length === 0) throw refused(where, "takes values of any type");
  const unknown = types.find((type) => !typeNames.includes(type));
  if (unknown !== undefined) throw refused(where, "has a type that JSON does not know");
  if (types.length > 1) walk.unions++;
  const object = types.includes("object") ? objectPart(node, where, walk) : {};
  const array = types.includes("array") ? arrayPart(node, where, walk) : {};
  const known = formats.find((format) => format === node["format"]);
  const format = types.includes("string") && known ? { format: known } : {};
  const sent = { type: types.length === 1 ? (types[0] ?? null) : types, ...object, ...array, ...format };
  return told(node, sent);
}

function typesOf({ type, properties, items }: JsonObject): readonly string[] {
  if (type !== undefined) return (Array.isArray(type) ? type : [type]).map(String);
  if (properties !== undefined) return ["object"];
  return items !== undefined ? ["array"] : [];
}

function objectPart(node: JsonObject, where: string, walk: Walk): JsonObject {
  const { properties = {}, required = [], additionalProperties = false, patternProperties } = node;
  if (additionalProperties !== false || patternProperties !== undefined) {
    throw refused(where, "takes properties that it does not list (a record or a loose object)");
  }
  const listed = isJsonObject(properties) ? Object.entries(properties) : [];
  if (listed.length === 0 && node["additionalProperties"] !== false) throw refused(where, "is an object that lists no properties");
  const names = Array.isArray(required) ? required.map(String) : [];
  const missing = names.find((name) => !listed.some(([key]) => key === name));
  if (missing !== undefined) throw refused(`${where}.${missing}`, "is required, but not described");
  walk.optionals += listed.filter(([key]) => !names.includes(key)).length;
  return {
    properties: Object.fromEntries(listed.map(([key, property]) => [key, close(property, `${where}.${key}`, walk)])),
    required: names,
    additionalProperties: false,
  };
}

function arrayPart(node: JsonObject, where: string, walk: Walk): JsonObject {
  const { items, prefixItems, minItems } = node;
  if (prefixItems !== undefined || Array.isArray(items)) throw refused(where, "is a tuple: each place in it has a schema of its own");
  return { items: close(items, `${where}[]`, walk), ...(minItems === 0 || minItems === 1 ? { minItems } : {}) };
}

/** A definition is made once, by the last word of its reference, and referred to from then on. */
function referred(reference: string, node: JsonObject, where: string, walk: Walk): JsonObject {
  const shape = ["properties", "items", "allOf", "anyOf", "oneOf"].find((keyword) => keyword in node);
  if (shape) throw refused(where, "adds a shape to what it refers to");
  let made = walk.definitions.get(reference);
  if (!made) {
    const last = (reference.split("/").at(-1) ?? "").replaceAll(/\W/g, "_");
    made = { name: [...walk.definitions.values()].some(({ name }) => name === last) ? `${last}_${walk.definitions.size}` : last };
    walk.definitions.set(reference, made);
    const target = targetOf(reference, walk.root);
    if (target === undefined) throw refused(where, "refers to something outside of it");
    made.schema = close(target, where, walk);
  } else if (!made.schema) throw refused(where, "contains itself");
  const sent = { $ref: `#/$defs/${made.name}` };
  const described = told(node, {});
  return Object.keys(described).length > 0 ? { ...described, anyOf: [sent] } : sent;
}

/** `sent` with the words of `node` that describe it, and with those the API does not take told in the description. */
function told(node: JsonObject, sent: JsonObject, done?: string): JsonObject {
  const isClosed = (keyword: string) => keyword === "additionalProperties" && node[keyword] === false;
  const left = Object.keys(node).filter(
    (keyword) => !(keyword in sent || keyword === done || notTold.includes(keyword) || isClosed(keyword)),
  );
  const notes = left.map((keyword) => `${keyword}: ${JSON.stringify(node[keyword])}`).join(", ");
  const { title, description } = node;
  const words = [typeof description === "string" ? description : "", notes && `(${notes})`].filter((text) => text !== "").join(" ");
  return { ...sent, ...(typeof title === "string" ? { title } : {}), ...(words === "" ? {} : { description: words }) };
}
