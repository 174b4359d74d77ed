// A conversation of ours as turns of the API. Invariant: whatever conversation it is, turns alternate beginning with the user, results
// directly follow their calls, every call has an id of its own, and no text is blank. What was said before gives the same turns again
// when more is said, so that the provider can read it from its cache.
import type Anthropic from "@anthropic-ai/sdk";
import { type AssistantMessage, type AssistantPart, callsOf, type Message, type ToolMessage } from "../../core/message.ts";
import { type CallIds, createCallIds, sentToolName } from "../call-ids.ts";
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
  const ids = createCallIds(isId);
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
      addAssistant(turns, assistantBlocks(message, ids));
    } else addUser(message.role === "user" ? documentsAndTexts(message.content) : [resultBlock(message, ids)]);
  }
  if (turns.length === 0) addUser([nothingSaid]);
  return { system, turns, called: new Set(messages.flatMap(namesCalled)) };
}

function addAssistant(turns: Turn[], blocks: readonly Anthropic.ContentBlockParam[]) {
  const last = turns.at(-1);
  if (last?.role === "assistant") last.content.push(...blocks);
  else if (blocks.length > 0) turns.push({ role: "assistant", content: [...blocks] });
}

const isId = (id: string) => /^[a-zA-Z0-9_-]{1,64}$/.test(id);

/** Thoughts are only taken with what followed them, so what stands at the end of a message stays behind. */
function assistantBlocks({ content }: AssistantMessage, ids: CallIds): readonly Anthropic.ContentBlockParam[] {
  const blocks = content.flatMap((part) => assistantBlock(part, ids));
  return blocks.slice(0, blocks.findLastIndex(({ type }) => type !== "thinking" && type !== "redacted_thinking") + 1);
}

function assistantBlock(part: AssistantPart, ids: CallIds): readonly Anthropic.ContentBlockParam[] {
  if (part.type === "text") return saysSomething(part.text) ? [{ type: "text", text: part.text }] : [];
  if (part.type === "tool-call") {
    return [{ type: "tool_use", id: ids.ofCall(part.callId), name: sentToolName(part.name), input: inputOf(part.arguments) }];
  }
  // What others thought means nothing to this provider.
  const { signature, redactedData } = objectIn(objectIn(part.providerMetadata)["anthropic"]);
  if (textIn(redactedData)) return [{ type: "redacted_thinking", data: String(redactedData) }];
  return textIn(signature) ? [{ type: "thinking", thinking: part.text, signature: String(signature) }] : [];
}

const namesCalled = (message: Message): readonly string[] =>
  message.role === "assistant" ? callsOf(message).map(({ name }) => sentToolName(name)) : [];

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

function resultBlock({ callId, content, isError }: ToolMessage, ids: CallIds): Anthropic.ToolResultBlockParam {
  const said = saysSomething(content);
  return {
    type: "tool_result",
    tool_use_id: ids.ofResult(callId),
    // An error has to say something.
    ...(said || isError ? { content: said ? content : nothingSaid.text } : {}),
    ...(isError ? { is_error: true } : {}),
  };
}
