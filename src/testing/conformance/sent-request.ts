// What a request says of calls, results and tools, read alike from the body of every API. Invariant: only what stands there is read.
import { isObject } from "../../core/json.ts";
import type { SimulatedBody } from "../simulated-provider/request.ts";

/** A call in a history, and the result that is sent under its id. */
export interface SentCall {
  readonly name: unknown;
  /** As a value, for one API has no text of it. */
  readonly input: unknown;
  readonly result: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields => (isObject(value) ? { ...value } : {});
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);

/** Calls in the order they were made. Where several share an id, results belong to them in their order. */
export function sentCalls({ messages, input }: SimulatedBody): readonly SentCall[] {
  const items = [...listOf(messages), ...listOf(input)];
  const results = items.flatMap(resultsIn);
  return items.flatMap(callsIn).map(({ id, name, input: given }) => {
    const position = results.findIndex((result) => result.id === id);
    const [result] = position < 0 ? [] : results.splice(position, 1);
    return { name, input: valueOf(given), result: result?.text };
  });
}

function callsIn(item: Fields): readonly { readonly id: unknown; readonly name: unknown; readonly input: unknown }[] {
  if (item["type"] === "function_call") return [{ id: item["call_id"], name: item["name"], input: item["arguments"] }];
  const ofChat = listOf(item["tool_calls"]).map(({ id, function: called }) => {
    const { name, arguments: args } = fieldsOf(called);
    return { id, name, input: args };
  });
  const uses = listOf(item["content"]).filter(({ type }) => type === "tool_use");
  return [...ofChat, ...uses.map(({ id, name, input }) => ({ id, name, input }))];
}

function resultsIn(item: Fields): readonly { readonly id: unknown; readonly text: string }[] {
  if (item["type"] === "function_call_output") return [{ id: item["call_id"], text: textIn(item["output"]) }];
  if (item["role"] === "tool") return [{ id: item["tool_call_id"], text: textIn(item["content"]) }];
  const results = listOf(item["content"]).filter(({ type }) => type === "tool_result");
  return results.map(({ tool_use_id: id, content }) => ({ id, text: textIn(content) }));
}

const textIn = (content: unknown): string =>
  typeof content === "string"
    ? content
    : listOf(content)
        .map(({ text }) => (typeof text === "string" ? text : ""))
        .join("");

function valueOf(input: unknown): unknown {
  try {
    return typeof input === "string" ? JSON.parse(input) : input;
  } catch {
    return input;
  }
}

/** Tools with all that is said of them. */
export function sentTools({
  tools,
}: SimulatedBody): readonly { readonly name: unknown; readonly description: unknown; readonly schema: Fields }[] {
  return listOf(tools).map((tool) => {
    const { name, description, parameters, input_schema: schema } = { ...tool, ...fieldsOf(tool["function"]) };
    return { name, description, schema: fieldsOf(parameters ?? schema) };
  });
}
