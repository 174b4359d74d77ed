// What a client sent, as tests look at it. Invariant: a conversation reads the same whichever API it came in by.

/** Chat Completions, Responses and Messages, by the last part of their paths. */
export type SimulatedApi = "chat" | "responses" | "messages";

/** A message of Chat Completions or of Messages. */
export interface SimulatedMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[];
}

/** The JSON of a request as it came, with the fields that tests ask for most. Those of other APIs than the request's are absent. */
export interface SimulatedBody {
  readonly model?: unknown;
  /** Chat Completions and Messages. */
  readonly messages?: readonly SimulatedMessage[];
  /** Responses. */
  readonly input?: unknown;
  /** Each API has its own shape of a tool. */
  readonly tools?: readonly { readonly name?: string; readonly function?: { readonly name: string } }[];
  readonly stream?: boolean;
  /** Chat Completions. */
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly [field: string]: unknown;
}

/** A turn of a conversation: all that the model said at once is one, each result of a tool is another. Only text is kept. */
export interface SimulatedTurn {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
  /** Whose result it is, where the call is part of the conversation. */
  readonly tool?: string;
}

/** The conversation in a body of any API, instructions first. */
export function conversationIn(body: SimulatedBody): readonly SimulatedTurn[] {
  const toolNames = new Map<unknown, string>();
  const items = [
    ...[body["instructions"], body["system"]].filter(Boolean).map((content) => ({ role: "system", content })),
    ...(typeof body.input === "string" ? [{ role: "user", content: body.input }] : listIn(body.input)),
    ...listIn(body.messages),
  ];
  const turns: SimulatedTurn[] = [];
  let says = false; // Items of Responses that belong to one turn of the model come apart.
  for (const item of items.map(recordIn)) {
    for (const { id, name } of callsIn(item)) toolNames.set(id, name);
    const told = turnsIn(item, toolNames);
    const goesOn = item["type"] === "function_call" || item["type"] === "reasoning" || (item["role"] === "assistant" && says);
    const last = turns.at(-1);
    if (goesOn && says && last) turns[turns.length - 1] = { ...last, text: last.text + told.map(({ text }) => text).join("") };
    else turns.push(...told);
    says = body.input !== undefined && turns.at(-1)?.role === "assistant";
  }
  return turns;
}

type Fields = Readonly<Record<string, unknown>>;

function turnsIn(item: Fields, toolNames: ReadonlyMap<unknown, string>): readonly SimulatedTurn[] {
  const result = (id: unknown, content: unknown): SimulatedTurn => {
    const tool = toolNames.get(id);
    return { role: "tool", text: textIn(content), ...(tool === undefined ? {} : { tool }) };
  };
  const { type, role, content } = item;
  if (type === "function_call_output") return [result(item["call_id"], item["output"])];
  if (type === "function_call" || type === "reasoning") return [{ role: "assistant", text: "" }];
  if (role === "tool") return [result(item["tool_call_id"], content)];
  if (role === "system" || role === "developer") return [{ role: "system", text: textIn(content) }];
  if (role === "assistant") return [{ role, text: textIn(content) }];
  const results = blocksIn(content).filter((block) => block["type"] === "tool_result");
  const text = textIn(content);
  return [
    ...results.map((block) => result(block["tool_use_id"], block["content"])),
    ...(text || results.length === 0 ? [{ role: "user" as const, text }] : []),
  ];
}

/** Id and name of each call in an item, as each API spells them. */
function callsIn(item: Fields): readonly { readonly id: unknown; readonly name: string }[] {
  const ofChat = blocksIn(item["tool_calls"]).map((call) => ({ id: call["id"], name: recordIn(call["function"])["name"] }));
  const ofMessages = blocksIn(item["content"]).filter((block) => block["type"] === "tool_use");
  const ofResponses = item["type"] === "function_call" ? [{ id: item["call_id"], name: item["name"] }] : [];
  return [...ofChat, ...ofMessages.map(({ id, name }) => ({ id, name })), ...ofResponses].map(({ id, name }) => ({
    id,
    name: String(name),
  }));
}

/** The text of a content, be it a text or a list of parts. */
function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return blocksIn(content)
    .map(({ text }) => (typeof text === "string" ? text : ""))
    .join("");
}

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const blocksIn = (value: unknown): readonly Fields[] => listIn(value).map(recordIn);
const recordIn = (value: unknown): Fields => (typeof value === "object" && value !== null ? { ...value } : {});
