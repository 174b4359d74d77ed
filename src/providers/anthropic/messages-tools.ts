// Tools and the shape of the answer as the API takes them. Invariant: what it would refuse is refused here, by name, before a request.
import type Anthropic from "@anthropic-ai/sdk";
import { AgentError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from "../../core/json.ts";
import type { ModelOffer, ToolSpec } from "../../core/model.ts";
import { type ClosedSchema, closedSchema } from "./closed-schema.ts";

export interface Offered {
  readonly tools: readonly Anthropic.Tool[];
  readonly format?: Anthropic.JSONOutputFormat;
}

/** What the API allows in one request, over the answer and all strict tools together. */
const mostStrictTools = 20;
const mostOptionals = 24;
const mostUnions = 16;

/**
 * A tool is strict when its schema can be closed and the request still has room for it, in the order of the tools; else its schema goes
 * out as it is, to guide the model. Throws `configuration_invalid` for a tool or an output schema the API cannot take at all.
 */
export function offered({ tools, output }: Pick<ModelOffer, "tools" | "output">, strictTools: boolean): Offered {
  const format = output && closedSchema(output.schema, "output");
  let room = { tools: strictTools ? mostStrictTools : 0, optionals: mostOptionals, unions: mostUnions };
  const take = (closed: ClosedSchema) => {
    const left = { tools: room.tools, optionals: room.optionals - closed.optionals, unions: room.unions - closed.unions };
    const fits = left.optionals >= 0 && left.unions >= 0;
    if (fits) room = left;
    return fits;
  };
  if (format && !take(format)) throw tooManyChoices();
  const made = tools.map((tool) => {
    checkName(tool);
    const closed = room.tools > 0 ? closedOf(tool) : undefined;
    if (!closed || !take(closed)) return toolParam(tool, looseSchema(tool));
    room = { ...room, tools: room.tools - 1 };
    return { ...toolParam(tool, closed.schema), strict: true };
  });
  return { tools: made, ...(format ? { format: { type: "json_schema", schema: { ...format.schema } } } : {}) };
}

const tooManyChoices = () =>
  new AgentError(
    "configuration_invalid",
    `Anthropic cannot take the schema of output: it has more than ${mostOptionals} optional properties or ${mostUnions} unions.`,
  );

function checkName({ name }: ToolSpec) {
  if (/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return;
  throw new AgentError(
    "configuration_invalid",
    `Anthropic cannot take the tool ${name}: its name may have letters, digits, _ and -, and 64 of them at most.`,
  );
}

function closedOf({ name, inputSchema }: ToolSpec): ClosedSchema | undefined {
  try {
    const closed = closedSchema(inputSchema, `tool ${name}`);
    // A union or a reference at the top is no list of arguments.
    return "properties" in closed.schema ? closed : undefined;
  } catch {
    return undefined;
  }
}

const toolParam = ({ name, description }: ToolSpec, schema: JsonObject): Anthropic.Tool => {
  const { required, ...rest } = schema;
  return { name, description, input_schema: { ...rest, type: "object", required: Array.isArray(required) ? required.map(String) : [] } };
};

/** The schema in the draft the API reads, without the unions at its top that the API refuses: which arguments belong together is checked by the runtime. */
function looseSchema({ name, inputSchema }: ToolSpec): JsonObject {
  const { $schema: _, anyOf, oneOf, allOf, ...rest } = inputSchema;
  const combined = { ...given("anyOf", anyOf), ...given("oneOf", oneOf), ...given("allOf", allOf) };
  if (Object.keys(combined).length === 0) return modern(rest);
  if (rest["properties"] === undefined) {
    throw new AgentError("configuration_invalid", `Anthropic cannot take the schema of tool ${name}: it is a union at its top.`, {
      hint: "Make the union a property of an object.",
    });
  }
  const description = typeof rest["description"] === "string" ? `${rest["description"]} ` : "";
  return modern({ ...rest, description: `${description}(${JSON.stringify(combined)})` });
}

const given = (name: string, value: Json | undefined): JsonObject => (value === undefined ? {} : { [name]: value });

/** Keywords that hold values, not schemas. */
const values = ["enum", "const", "default", "examples"];

/** Draft 7 writes a tuple as a list of `items`, which draft 2020-12 calls `prefixItems`; the rest the two have in common. */
function modern(schema: JsonSchema): JsonObject {
  const { items, additionalItems, ...rest } = schema;
  const entries = Object.entries(Array.isArray(items) ? { ...rest, prefixItems: items, ...given("items", additionalItems) } : schema);
  return Object.fromEntries(entries.map(([key, value]) => [key, values.includes(key) ? value : modernValue(value)]));
}

function modernValue(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item: Json) => modernValue(item) ?? null);
  return isJsonObject(value) ? modern(value) : value;
}
