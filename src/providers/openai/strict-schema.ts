// Which schemas OpenAI can hold a model to, as its guide to structured outputs says (2026-11). Invariant: what is said strictly is what was
// said, save that an object which lists its properties and is silent about others has no others.
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from "../../core/json.ts";

/**
 * The schema for `strict: true`, with every object closed; undefined when strict mode cannot say what the schema says: optional properties,
 * records, tuples, `oneOf`, lengths of text, defaults. Nothing is ever turned into something else.
 */
export function strictSchema(schema: JsonSchema): JsonSchema | undefined {
  const sums = { properties: 0, values: 0, characters: 0 };
  const walk: Walk = { root: schema, above: ["#"], reached: new Map(), sums };
  const fitting =
    schema["type"] === "object" && fits(schema, walk, 1, ofRoot) && definitionsOf(schema).every((one) => fitsDefinition(one, walk));
  const small = sums.properties <= most.properties && sums.values <= most.values && sums.characters <= most.characters;
  return fitting && small ? closed(schema) : undefined;
}

/** What the guide sets as the most: levels, properties, values of enums, characters of names and values, and of one long enum. */
const most = { levels: 10, properties: 5_000, values: 1_000, characters: 120_000, ofOneEnum: 250, charactersOfLongEnum: 15_000 };

const ofAny = ["type", "title", "description", "enum", "const"];
const ofRoot = ["$schema", "$defs", "definitions"];
const ofNumber = ["multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
const byType: ReadonlyMap<string, readonly string[]> = new Map([
  ["object", ["properties", "required", "additionalProperties"]],
  ["array", ["items", "minItems", "maxItems"]],
  ["string", ["pattern", "format"]],
  ["number", ofNumber],
  ["integer", ofNumber],
  ["boolean", []],
  ["null", []],
]);
const formats = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/** What looks around, or back at what it found, is refused. */
const unknownPattern = /\(\?[^:]|\\[1-9k]/;

interface Walk {
  readonly root: JsonSchema;
  /** The references that are being followed: what recurs is no deeper for it. */
  readonly above: readonly string[];
  /** The deepest level at which each reference has been followed. */
  readonly reached: Map<string, number>;
  readonly sums: { properties: number; values: number; characters: number };
}

/** `level`: how many objects and lists there are around it, itself included when it is one. */
function fits(given: Json | undefined, walk: Walk, level: number, also: readonly string[] = []): boolean {
  const schema = objectIn(given);
  if (!schema) return false;
  if (schema["$ref"] !== undefined) return fitsReference(schema, walk, level);
  if (schema["anyOf"] !== undefined) return fitsUnion(schema, walk, level);
  const types = typesOf(schema);
  const keywords = [...ofAny, ...also, ...types.flatMap((type) => byType.get(type) ?? [])];
  return (
    types.length > 0 &&
    types.every((type) => byType.has(type)) &&
    hasOnly(schema, keywords) &&
    fitsText(schema) &&
    fitValues(schema, walk) &&
    (!types.includes("object") || (level <= most.levels && fitsObject(schema, walk, level))) &&
    (!types.includes("array") || (level <= most.levels && fits(schema["items"], walk, level + 1)))
  );
}

const fitsText = ({ format, pattern }: JsonObject) =>
  (format === undefined || formats.includes(textOf(format))) && !unknownPattern.test(textOf(pattern));

// An object without `properties` is any object: closed, it would be the empty one.
function fitsObject({ properties: given, required, additionalProperties: others }: JsonObject, walk: Walk, level: number): boolean {
  const properties = objectIn(given);
  if (!properties || (others !== undefined && others !== false)) return false;
  const names = Object.keys(properties);
  walk.sums.properties += names.length;
  for (const name of names) walk.sums.characters += name.length;
  const always = listIn(required);
  const allRequired = always.length === names.length && names.every((name) => always.includes(name));
  return allRequired && names.every((name) => fits(properties[name], walk, level + 1));
}

/** A reference stands alone, and leads to the root or to a definition. */
function fitsReference(schema: JsonObject, walk: Walk, level: number): boolean {
  const ref = textOf(schema["$ref"]);
  const target = targetOf(ref, walk.root);
  if (!target || Object.keys(schema).length !== 1) return false;
  if (walk.above.includes(ref) || (walk.reached.get(ref) ?? 0) >= level) return true;
  walk.reached.set(ref, level);
  return fits(target, { ...walk, above: [...walk.above, ref] }, level);
}

function fitsDefinition({ ref, schema }: Definition, walk: Walk): boolean {
  walk.sums.characters += ref.length;
  return walk.reached.has(ref) || fits(schema, { ...walk, above: [ref] }, 1);
}

/** Objects that begin with the same property have been refused as branches, so they are not taken for granted. */
function fitsUnion(schema: JsonObject, walk: Walk, level: number): boolean {
  const branches = listIn(schema["anyOf"]);
  const firsts = branches.flatMap((branch) => firstProperty(branch, walk.root));
  return (
    branches.length > 0 &&
    hasOnly(schema, ["anyOf", "title", "description"]) &&
    new Set(firsts).size === firsts.length &&
    branches.every((branch) => fits(branch, walk, level))
  );
}

function firstProperty(branch: Json, root: JsonSchema): readonly string[] {
  const schema = objectIn(branch);
  const target = schema?.["$ref"] === undefined ? schema : targetOf(textOf(schema["$ref"]), root);
  return Object.keys(objectIn(target?.["properties"]) ?? {}).slice(0, 1);
}

function fitValues({ enum: values, const: value }: JsonObject, walk: Walk): boolean {
  const listed = [...listIn(values), ...(value === undefined ? [] : [value])];
  const characters = listed.reduce<number>((sum, one) => sum + textOf(one).length, 0);
  walk.sums.values += listed.length;
  walk.sums.characters += characters;
  return listed.every(isPlain) && (listed.length <= most.ofOneEnum || characters <= most.charactersOfLongEnum);
}

/** The types a schema names, or else those of the values it lists. */
function typesOf({ type, enum: values, const: value }: JsonObject): readonly string[] {
  if (type !== undefined) return (typeof type === "string" ? [type] : listIn(type)).map(textOf);
  const listed = value === undefined ? listIn(values) : [value];
  return [...new Set(listed.map((one) => (one === null ? "null" : typeof one)))];
}

/** A schema that fits, with its objects closed and its types said. */
function closed(schema: JsonSchema): JsonSchema {
  const types = typesOf(schema);
  const needsType = schema["type"] === undefined && types.length > 0;
  return {
    ...schema,
    ...(needsType ? { type: types.length === 1 ? types[0] : types } : {}),
    ...(types.includes("object") ? { required: schema["required"] ?? [], additionalProperties: false } : {}),
    ...Object.fromEntries(["properties", "$defs", "definitions"].flatMap((keyword) => closedIn(schema, keyword))),
    ...(schema["items"] === undefined ? {} : { items: closed(objectIn(schema["items"]) ?? {}) }),
    ...(schema["anyOf"] === undefined ? {} : { anyOf: listIn(schema["anyOf"]).map((branch) => closed(objectIn(branch) ?? {})) }),
  };
}

function closedIn(schema: JsonSchema, keyword: string): readonly [string, JsonObject][] {
  const inner = objectIn(schema[keyword]);
  if (!inner) return [];
  return [[keyword, Object.fromEntries(Object.entries(inner).map(([name, one]) => [name, closed(objectIn(one) ?? {})]))]];
}

interface Definition {
  readonly ref: string;
  readonly schema: Json | undefined;
}

const definitionsOf = (root: JsonSchema): readonly Definition[] =>
  ["$defs", "definitions"].flatMap((place) =>
    Object.entries(objectIn(root[place]) ?? {}).map(([name, schema]) => ({ ref: `#/${place}/${name}`, schema })),
  );

const targetOf = (ref: string, root: JsonSchema): JsonObject | undefined =>
  ref === "#" ? root : objectIn(definitionsOf(root).find((definition) => definition.ref === ref)?.schema);

const hasOnly = (schema: JsonObject, keywords: readonly string[]) =>
  Object.keys(schema).every((keyword) => schema[keyword] === undefined || keywords.includes(keyword));

const objectIn = (value: Json | undefined): JsonObject | undefined => (isJsonObject(value) ? value : undefined);
const listIn = (value: Json | undefined): readonly Json[] => (isList(value) ? value : []);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));
const isPlain = (value: Json) => value === null || typeof value !== "object";
