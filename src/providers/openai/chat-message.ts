// The message of a Chat Completions answer, put together from one piece or from many. Invariant: nothing of it gets lost silently.
import type { AssistantPart, ToolCall } from "../../core/message.ts";
import { notAnAnswer, type Piece } from "../exchange.ts";
import { countIn, listIn, objectIn, textIn } from "../wire.ts";
import type { WireFunction, WireMessage, WirePart, WireToolCall } from "./chat-wire.ts";
import { chatReasoning } from "./reasoning-part.ts";

/** `modelId`: the model that was asked, whose reasoning it is. */
export function createChatMessage(modelId: string) {
  let text = "";
  let refused = false;
  const reasoning = { field: "", text: "" };
  const calls = createCallList();
  return {
    /** Takes in a message or a delta. Throws `model_response_invalid` for content that is no text. */
    add(message: WireMessage): Piece {
      const said = spokenIn(message.content);
      const refusal = textIn(message.refusal);
      if (refusal) refused = true;
      const piece = said + (refusal ?? "");
      text += piece;
      const before = calls.size;
      for (const [position, call] of listIn(message.tool_calls).entries()) calls.add(objectIn(call), position);
      if (message.function_call) calls.add({ function: message.function_call }, 0);
      const thought = thoughtIn(message);
      reasoning.field ||= thought?.field ?? "";
      reasoning.text += thought?.text ?? "";
      return { text: piece, progress: piece !== "" || calls.size > before || thought !== undefined };
    },
    get refused() {
      return refused;
    },
    get hasCalls() {
      return calls.list().length > 0;
    },
    content: (): readonly AssistantPart[] => [
      ...(reasoning.text === "" ? [] : [chatReasoning(modelId, reasoning.field, reasoning.text)]),
      ...(text === "" ? [] : [{ type: "text" as const, text }]),
      ...calls.list(),
    ],
  };
}

/** Some servers answer with a list of parts. Where one is no text: better an error than an answer that silently lost some of it. */
function spokenIn(content: unknown): string {
  if (typeof content === "string") return content;
  const texts = listIn(content).map((part) => textOf(objectIn(part)));
  if (content != null && (!Array.isArray(content) || texts.includes(undefined))) throw notAnAnswer("openai", "its content is not text");
  return texts.join("");
}

const textOf = ({ type, text }: WirePart) => (type === "text" && typeof text === "string" ? text : undefined);

/** OpenAI itself tells nothing here; other servers tell what the model thinks, by one of two names or by both. */
function thoughtIn(message: WireMessage): { readonly field: string; readonly text: string } | undefined {
  const content = textIn(message.reasoning_content);
  if (content !== undefined) return { field: "reasoning_content", text: content };
  const text = textIn(message.reasoning);
  return text === undefined ? undefined : { field: "reasoning", text };
}

interface CallPieces {
  id?: string;
  name: string;
  arguments: string;
}

/** Calls in the order they began; the pieces of a streamed call are put together by index. */
function createCallList() {
  const pieces: CallPieces[] = [];
  const byIndex = new Map<number, CallPieces>();
  let size = 0;
  return {
    /** How much has come of names and arguments, in characters. */
    get size() {
      return size;
    },
    add(call: WireToolCall, position: number) {
      const { name, arguments: args }: WireFunction = objectIn(call.function);
      const index = countIn(call.index) ?? position;
      const id = textIn(call.id);
      let current = byIndex.get(index);
      // A new id together with a name is a new call: some gateways number every call 0.
      if (!current || (id !== undefined && id !== current.id && textIn(name) && current.name !== "")) {
        current = { name: "", arguments: "" };
        byIndex.set(index, current);
        pieces.push(current);
      }
      if (id !== undefined) current.id ??= id;
      current.name = textIn(name) ?? current.name;
      const piece = typeof args === "object" && args !== null ? JSON.stringify(args) : (textIn(args) ?? "");
      current.arguments += piece;
      size += piece.length + (textIn(name)?.length ?? 0);
    },
    list: (): readonly ToolCall[] =>
      pieces.map(({ id, name, arguments: args }, index) => ({ type: "tool-call", callId: id ?? `call_${index}`, name, arguments: args })),
  };
}
