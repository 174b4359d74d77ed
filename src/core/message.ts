// What is said between user, model and tools, independent of any provider's wire format. Plain JSON throughout.
import { isObject, type Json } from "./json.ts";

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** What a model thought aloud; `providerMetadata` is handed back to the same provider untouched (signatures). */
export interface ReasoningPart {
  readonly type: "reasoning";
  readonly text: string;
  readonly providerMetadata?: Json;
}

/** A call the model asks for. `arguments` is the model's own text: possibly empty, malformed or cut off. */
export interface ToolCall {
  readonly type: "tool-call";
  /** The provider's id; it may repeat within a run and is never used as a key. */
  readonly callId: string;
  readonly name: string;
  readonly arguments: string;
}

export type AssistantPart = TextPart | ReasoningPart | ToolCall;

export interface SystemMessage {
  readonly role: "system";
  readonly content: string;
}
export interface UserMessage {
  readonly role: "user";
  readonly content: string | readonly TextPart[];
}
export interface AssistantMessage {
  readonly role: "assistant";
  readonly content: readonly AssistantPart[];
}
/** The one result of one call; it directly follows the message that made the call. */
export interface ToolMessage {
  readonly role: "tool";
  readonly callId: string;
  readonly name: string;
  readonly content: string;
  readonly isError?: boolean;
}

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

/** What a run is started with: a text, or a conversation that ends with a user message. */
export type RunInput = string | readonly Message[];

/** The text of a message, parts joined; reasoning and calls left out. */
export function textOf(message: Message): string {
  if (typeof message.content === "string") return message.content;
  let text = "";
  for (const part of message.content) if (part.type === "text") text += part.text;
  return text;
}

/** The calls of a message in the order the model made them. */
export function callsOf(message: AssistantMessage): readonly ToolCall[] {
  return message.content.filter((part) => part.type === "tool-call");
}

/** Whether a value is a text or a reasoning part. */
export const isTextual = (part: unknown): part is TextPart | ReasoningPart =>
  isObject(part) && (part["type"] === "text" || part["type"] === "reasoning") && typeof part["text"] === "string";

/** Whether a value is a call, whatever its arguments say. */
export const isCall = (part: unknown): part is ToolCall =>
  isObject(part) &&
  part["type"] === "tool-call" &&
  [part["callId"], part["name"], part["arguments"]].every((value) => typeof value === "string");
