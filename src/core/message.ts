// What is said between user, model and tools, independent of any provider's wire format. Plain JSON throughout.
import { isObject, type Json } from "./json.ts";

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** An image or a document: its bytes as base64, or a URL the provider can fetch. Which media types it takes is up to the model. */
export type FilePart = {
  readonly type: "file";
  /** e.g. `image/png` or `application/pdf`. */
  readonly mediaType: string;
  readonly filename?: string;
} & ({ readonly data: string; readonly url?: never } | { readonly url: string; readonly data?: never });

/**
 * What a model thought aloud. `providerMetadata` (signatures) is an object by the name of the provider, handed back untouched to that
 * provider and to no other.
 */
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
export type UserPart = TextPart | FilePart;

export interface SystemMessage {
  readonly role: "system";
  readonly content: string;
}
export interface UserMessage {
  readonly role: "user";
  readonly content: string | readonly UserPart[];
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

/** The text of a message, parts joined; reasoning, calls and files left out. */
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

/** Whether a value is a file with either its bytes or its URL. */
export const isFile = (part: unknown): part is FilePart =>
  isObject(part) &&
  part["type"] === "file" &&
  typeof part["mediaType"] === "string" &&
  [part["data"], part["url"]].filter((source) => typeof source === "string" && source !== "").length === 1 &&
  (part["filename"] === undefined || typeof part["filename"] === "string");

/** Whether a value is a call, whatever its arguments say. */
export const isCall = (part: unknown): part is ToolCall =>
  isObject(part) &&
  part["type"] === "tool-call" &&
  [part["callId"], part["name"], part["arguments"]].every((value) => typeof value === "string");
