// What a run is started with is checked before anything is written: a conversation that a provider would refuse is refused here.
import { AgentError } from "../core/errors.ts";
import { assertJson, isObject } from "../core/json.ts";
import { isCall, isFile, isTextual } from "../core/message.ts";

/** Throws `input_invalid`: not a text or messages, not plain JSON, not ending with the user, or a call without its one result after it. */
export function checkConversation(input: unknown): void {
  if (typeof input === "string") {
    if (input.trim() === "") throw invalid("is empty");
    return;
  }
  if (!Array.isArray(input) || input.length === 0) throw invalid("is neither a text nor a list of messages");
  const messages: readonly unknown[] = input;
  checkPlain(messages);
  let open: readonly string[] = [];
  for (const [position, message] of messages.entries()) {
    if (!isMessage(message)) throw invalid(`has something at position ${position} that is no message`);
    if (message.role !== "tool") {
      if (open.length > 0) throw invalid(`has a tool call without a result before message ${position}`);
      open = callIdsOf(message);
      continue;
    }
    const found = open.indexOf(String(Reflect.get(message, "callId")));
    if (found < 0) throw invalid(`has a tool result without its call at message ${position}`);
    open = open.toSpliced(found, 1);
  }
  const last = messages.at(-1);
  if (!isMessage(last) || last.role !== "user") throw invalid("does not end with a user message");
}

const invalid = (what: string, cause?: unknown) => new AgentError("input_invalid", `The input ${what}.`, { cause });

function checkPlain(messages: readonly unknown[]) {
  try {
    assertJson(messages, "input");
  } catch (thrown) {
    throw invalid("holds something that is not plain JSON", thrown);
  }
}

interface AnyMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: unknown;
}

function isMessage(value: unknown): value is AnyMessage {
  if (!isObject(value)) return false;
  const { content } = value;
  switch (value["role"]) {
    case "system":
      return typeof content === "string";
    case "user":
      return typeof content === "string" || (Array.isArray(content) && content.every((part) => isTextual(part) || isFile(part)));
    case "assistant":
      return Array.isArray(content) && content.every((part) => isTextual(part) || isCall(part));
    case "tool":
      return typeof content === "string" && typeof value["callId"] === "string" && typeof value["name"] === "string";
    default:
      return false;
  }
}

function callIdsOf({ content }: AnyMessage): readonly string[] {
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  return parts.flatMap((part) => (isCall(part) ? [part.callId] : []));
}
