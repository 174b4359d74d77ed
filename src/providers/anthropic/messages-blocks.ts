// The blocks of one answer while they come in: text, thinking, calls. Invariant: they stay in the order in which they began, and what a
// later request has to hand back (signatures, redacted thinking) is kept as it came.
import type { AssistantPart } from "../../core/message.ts";
import { notAnAnswer, nothing, type Piece } from "../exchange.ts";
import { countIn, objectIn, textIn } from "../wire.ts";
import type { WireBlock, WireDelta } from "./messages-wire.ts";

interface Block {
  readonly type: "text" | "thinking" | "redacted_thinking" | "tool_use";
  readonly id: string | undefined;
  readonly name: string;
  readonly input: unknown;
  /** The text, the thinking, the redacted thinking, or the text of the arguments. */
  text: string;
  signature: string;
}

export function createBlockList() {
  // Null stands for a block of a kind we never ask for.
  const blocks = new Map<number, Block | null>();

  return {
    get any() {
      return blocks.size > 0;
    },
    /** What a block holds at its beginning: in a whole answer all of it. */
    begin(index: unknown, data: unknown): Piece {
      const block = blockOf(objectIn(data));
      blocks.set(countIn(index) ?? blocks.size, block);
      if (!block) return nothing;
      if (block.type === "tool_use") return { text: "", progress: true };
      return { text: block.type === "text" ? block.text : "", progress: block.text + block.signature !== "" };
    },
    grow(index: unknown, data: unknown): Piece {
      const delta: WireDelta = objectIn(data);
      const block = blocks.get(countIn(index) ?? blocks.size - 1);
      if (block === undefined) throw notAnAnswer("anthropic", "a piece of it belongs to no block");
      if (block === null) return nothing;
      const text = textIn(delta.text) ?? textIn(delta.thinking) ?? textIn(delta.partial_json) ?? "";
      const signature = textIn(delta.signature) ?? "";
      block.text += text;
      block.signature += signature;
      return { text: block.type === "text" ? text : "", progress: text + signature !== "" };
    },
    parts: (): readonly AssistantPart[] => [...blocks.values()].flatMap((block, position) => (block ? partsOf(block, position) : [])),
  };
}

function blockOf(wire: WireBlock): Block | null {
  const block = { id: undefined, name: "", input: undefined, signature: "" };
  switch (wire.type) {
    case "text":
      // Better an error than an answer that silently lost its text.
      if (wire.text != null && typeof wire.text !== "string") throw notAnAnswer("anthropic", "its text is no text");
      return { ...block, type: "text", text: wire.text ?? "" };
    case "thinking":
      return { ...block, type: "thinking", text: textIn(wire.thinking) ?? "", signature: textIn(wire.signature) ?? "" };
    case "redacted_thinking":
      return { ...block, type: "redacted_thinking", text: textIn(wire.data) ?? "" };
    case "tool_use":
      return { ...block, type: "tool_use", id: textIn(wire.id), name: textIn(wire.name) ?? "", input: wire.input, text: "" };
    default:
      return null;
  }
}

function partsOf({ type, text, signature, id, name, input }: Block, position: number): readonly AssistantPart[] {
  switch (type) {
    case "text":
      return text === "" ? [] : [{ type: "text", text }];
    case "thinking":
      if (text + signature === "") return [];
      return [{ type: "reasoning", text, ...(signature === "" ? {} : { providerMetadata: { anthropic: { signature } } }) }];
    case "redacted_thinking":
      return [{ type: "reasoning", text: "", providerMetadata: { anthropic: { redactedData: text } } }];
    case "tool_use":
      return [{ type: "tool-call", callId: id ?? `call_${position}`, name, arguments: argumentsOf(text, input) }];
  }
}

/**
 * The arguments as text. Outside a stream there is only their value, so a streamed text that parses is written as that value would be;
 * one that does not is the model's own. A gateway that could not read it either hands the text on in place of the value.
 */
function argumentsOf(text: string, input: unknown): string {
  if (text === "") return textOfValue(input ?? {});
  try {
    return textOfValue(JSON.parse(text));
  } catch {
    return text;
  }
}

const textOfValue = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
