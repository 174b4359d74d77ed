// A conversation of ours as turns of the API. Invariant: whatever conversation it is, turns alternate beginning with the user, results
// directly follow their calls, every call has an id of its own, and no text is blank. What was said before gives the same turns again
// when more is said, so that the provider can read it from its cache.
import type Anthropic from "@anthropic-ai/sdk";
import type { AssistantMessage, AssistantPart, Message, ToolMessage } from "../../core/message.ts";
import { objectIn, textIn } from "../wire.ts";
import { documentsAndTexts, nothingSaid, saysSomething, type UserBlock } from "./user-blocks.ts";

export type Turn =
  | { readonly role: "user"; readonly content: UserBlock[] }
  | { readonly role: "assistant"; readonly content: Anthropic.ContentBlockParam[] };

export interface Conversation {
  readonly system: readonly Anthropic.TextBlockParam[];
  readonly turns: readonly Turn[];
  /** Names of the tools that were called in it, in the spelling of the turns. */
  readonly called: ReadonlySet<string>;
}

/** Throws `provider_rejected` for a file of a kind the API does not take. */
export function conversationOf(messages: readonly Message[]): Conversation {
  const system: Anthropic.TextBlockParam[] = [];
  const turns: Turn[] = [];
  const calls = createCallIds();
  const addUser = (blocks: readonly UserBlock[]) => {
    const last = turns.at(-1);
    if (last?.role === "user") last.content.push(...blocks);
    else turns.push({ role: "user", content: [...blocks] });
  };
  for (const message of messages) {
    if (message.role === "system") {
      if (saysSomething(message.content)) system.push({ type: "text", text: message.content });
    } else if (message.role === "assistant") {
      if (turns.length === 0) addUser([nothingSaid]);
      addAssistant(turns, assistantBlocks(message, calls));
    } else addUser(message.role === "user" ? documentsAndTexts(message.content) : [resultBlock(message, calls)]);
  }
  if (turns.length === 0) addUser([nothingSaid]);
  return { system, turns, called: calls.names };
}

function addAssistant(turns: Turn[], blocks: readonly Anthropic.ContentBlockParam[]) {
  const last = turns.at(-1);
  if (last?.role === "assistant") last.content.push(...blocks);
  else if (blocks.length > 0) turns.push({ role: "assistant", content: [...blocks] });
}

type CallIds = ReturnType<typeof createCallIds>;

/** Ids by which the API tells calls apart. Other providers, and gateways, have other ids, and some the same ones again and again. */
function createCallIds() {
  const used = new Set<string>();
  const names = new Set<string>();
  const open: { readonly callId: string; readonly id: string }[] = [];
  return {
    names,
    ofCall(callId: string, name: string): string {
      let id = callId;
      for (let number = used.size; !isId(id) || used.has(id); number++) id = `call_${number}`;
      used.add(id);
      names.add(name);
      open.push({ callId, id });
      return id;
    },
    /** Results of calls with the same id belong to them in their order. */
    ofResult(callId: string): string {
      const position = open.findIndex((call) => call.callId === callId);
      const [call] = position < 0 ? [] : open.splice(position, 1);
      return call?.id ?? callId;
    },
  };
}

const isId = (id: string) => /^[a-zA-Z0-9_-]{1,64}$/.test(id);

/** Thoughts are only taken with what followed them, so what stands at the end of a message stays behind. */
function assistantBlocks({ content }: AssistantMessage, calls: CallIds): readonly Anthropic.ContentBlockParam[] {
  const blocks = content.flatMap((part) => assistantBlock(part, calls));
  return blocks.slice(0, blocks.findLastIndex(({ type }) => type !== "thinking" && type !== "redacted_thinking") + 1);
}

function assistantBlock(part: AssistantPart, calls: CallIds): readonly Anthropic.ContentBlockParam[] {
  if (part.type === "text") return saysSomething(part.text) ? [{ type: "text", text: part.text }] : [];
  if (part.type === "tool-call") {
    const name = toolNameOf(part.name);
    return [{ type: "tool_use", id: calls.ofCall(part.callId, name), name, input: inputOf(part.arguments) }];
  }
  // What others thought means nothing to this provider.
  const { signature, redactedData } = objectIn(objectIn(part.providerMetadata)["anthropic"]);
  if (textIn(redactedData)) return [{ type: "redacted_thinking", data: String(redactedData) }];
  return textIn(signature) ? [{ type: "thinking", thinking: part.text, signature: String(signature) }] : [];
}

/** A model may have called what does not exist by any name. */
const toolNameOf = (name: string) => name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64) || "unnamed";

/** The API takes an object only. Arguments that are none, or do not parse, go back to the model as the text they were, in one. */
function inputOf(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // told below
  }
  return { INVALID_JSON: text };
}

function resultBlock({ callId, content, isError }: ToolMessage, calls: CallIds): Anthropic.ToolResultBlockParam {
  const said = saysSomething(content);
  return {
    type: "tool_result",
    tool_use_id: calls.ofResult(callId),
    // An error has to say something.
    ...(said || isError ? { content: said ? content : nothingSaid.text } : {}),
    ...(isError ? { is_error: true } : {}),
  };
}
