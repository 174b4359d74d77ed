// The output items of a response while they come in. Invariant: the texts of its parts, joined, are what was handed on, in that order;
// whatever whole items say later only adds what their pieces did not.
import type { AssistantPart } from "../../core/message.ts";
import { joined, nothing, type Piece } from "../exchange.ts";
import { listIn, objectIn, textIn } from "../wire.ts";
import { responsesReasoning } from "./reasoning-part.ts";

type WireItem = Readonly<Record<string, unknown>>;
type ItemType = "message" | "function_call" | "reasoning";

/** Where something belongs: by its position, or by the id of its item; some servers say only one of them, or neither. */
export interface Place {
  readonly index: number | undefined;
  readonly id: string | undefined;
}

const nowhere: Place = { index: undefined, id: undefined };

interface Item extends Place {
  readonly type: ItemType;
  callId?: string;
  name: string;
  /** What came of it in pieces: visible text, arguments, or thoughts. */
  text: string;
  /** As it came whole. */
  whole?: WireItem;
}

interface Visible {
  readonly item: Item;
  text: string;
}

export interface ResponsesOutput {
  readonly items: Item[];
  /** In the order in which they began. */
  readonly parts: (Visible | Item)[];
  /** All text that was handed on. */
  heard: string;
  refused: boolean;
}

export const createResponsesOutput = (): ResponsesOutput => ({ items: [], parts: [], heard: "", refused: false });

const hidden = (progress: boolean): Piece => ({ text: "", progress });

/** A piece of visible text; a refusal is shown like any other. */
export function addText(output: ResponsesOutput, delta: unknown, place: Place, isRefusal: boolean): Piece {
  const text = textIn(delta);
  if (text === undefined) return nothing;
  output.refused ||= isRefusal;
  return show(output, itemAt(output, "message", place), text);
}

/** A piece of the arguments of a call, or of what the model thinks. */
export function addHidden(output: ResponsesOutput, type: "function_call" | "reasoning", delta: unknown, place: Place): Piece {
  const text = textIn(delta);
  if (text !== undefined) itemAt(output, type, place).text += text;
  return hidden(text !== undefined);
}

/** An item as it begins, or as it is when it is done. */
export function takeItem(output: ResponsesOutput, value: unknown, place: Place): Piece {
  const wire = objectIn(value);
  switch (wire["type"]) {
    case "message": {
      const item = itemAt(output, "message", place);
      return show(output, item, rest(item.text, spokenIn(output, wire)));
    }
    case "function_call":
      return takeCall(output, wire, place);
    case "reasoning": {
      const item = itemAt(output, "reasoning", place);
      item.whole = { ...item.whole, ...wire };
      return nothing;
    }
    default:
      return nothing;
  }
}

/** All items in the end. Text is one for all of them: servers differ in how they count and name the items. */
export function takeAll(output: ResponsesOutput, value: unknown): Piece {
  const wires = listIn(value).map(objectIn);
  const places = wires.map((wire, index): Place => ({ index, id: textIn(wire["id"]) }));
  if (output.items.length === 0) {
    return joined(wires.map((wire, index) => takeItem(output, wire, places[index] ?? { index, id: undefined })));
  }
  const text = wires.map((wire) => (wire["type"] === "message" ? spokenIn(output, wire) : "")).join("");
  const calls = output.items.filter(({ type }) => type === "function_call");
  for (const [index, wire] of wires.entries()) {
    if (wire["type"] === "message") continue;
    if (wire["type"] === "function_call") finishCall(takenFrom(calls, wire) ?? addItem(output, "function_call"), wire);
    else takeItem(output, wire, places[index] ?? { index, id: undefined });
  }
  const more = rest(output.heard, text);
  return more === "" ? nothing : show(output, itemAt(output, "message", nowhere), more);
}

export const hasCalls = ({ items }: ResponsesOutput): boolean => items.some(({ type }) => type === "function_call");

/** The parts of the message. */
export function contentOf({ parts }: ResponsesOutput, modelId: string): readonly AssistantPart[] {
  let calls = 0;
  return parts.flatMap((part): readonly AssistantPart[] => {
    if (isVisible(part)) return [{ type: "text", text: part.text }];
    if (part.type === "reasoning") return reasoningOf(modelId, part);
    const { callId = `call_${calls}`, name, text } = part;
    calls++;
    return [{ type: "tool-call", callId, name, arguments: text }];
  });
}

function itemAt({ items, parts }: ResponsesOutput, type: ItemType, { index, id }: Place): Item {
  const same = items.filter((item) => item.type === type);
  const known = index === undefined && id === undefined ? same.at(-1) : same.find((item) => is(item.id, id) || is(item.index, index));
  return known ?? addItem({ items, parts }, type, { index, id });
}

function addItem({ items, parts }: Pick<ResponsesOutput, "items" | "parts">, type: ItemType, place: Place = nowhere): Item {
  const item: Item = { type, ...place, name: "", text: "" };
  items.push(item);
  if (type !== "message") parts.push(item);
  return item;
}

function show(output: ResponsesOutput, item: Item, text: string): Piece {
  if (text === "") return nothing;
  item.text += text;
  output.heard += text;
  const last = output.parts.findLast(isVisible);
  if (last?.item === item) last.text += text;
  else output.parts.push({ item, text });
  return { text, progress: true };
}

function takeCall(output: ResponsesOutput, wire: WireItem, place: Place): Piece {
  return finishCall(itemAt(output, "function_call", place), wire);
}

/**
 * Takes out of `calls` the one that came in pieces and that `wire` is the whole of: by what tells most, the first of them where several
 * are alike. Its position tells nothing: it shifts by items that are left out in the end.
 */
function takenFrom(calls: Item[], wire: WireItem): Item | undefined {
  const callId = textIn(wire["call_id"]);
  const id = textIn(wire["id"]);
  const text = argumentsIn(wire["arguments"]) ?? "";
  const ways: readonly ((call: Item) => boolean)[] = [
    (call) => is(call.callId, callId),
    (call) => is(call.id, id),
    (call) => call.callId === undefined || callId === undefined,
    (call) => call.name === textIn(wire["name"]) && call.text !== "" && text.startsWith(call.text),
  ];
  const found = ways.map((way) => calls.findIndex(way)).find((position) => position >= 0);
  return found === undefined ? undefined : calls.splice(found, 1)[0];
}

function finishCall(item: Item, wire: WireItem): Piece {
  const before = item.name.length + item.text.length;
  const callId = textIn(wire["call_id"]);
  if (callId !== undefined) item.callId ??= callId;
  item.name = textIn(wire["name"]) ?? item.name;
  item.text = argumentsIn(wire["arguments"]) ?? item.text;
  return hidden(item.name.length + item.text.length > before);
}

function spokenIn(output: ResponsesOutput, message: WireItem): string {
  const texts = listIn(message["content"]).map((part) => {
    const { text, refusal } = objectIn(part);
    if (textIn(refusal)) output.refused = true;
    return (textIn(text) ?? "") + (textIn(refusal) ?? "");
  });
  return texts.join("");
}

/** What of `whole` comes after what is there; nothing when it says something else. */
const rest = (there: string, whole: string) => (whole.startsWith(there) ? whole.slice(there.length) : "");

const is = (known: string | number | undefined, wanted: string | number | undefined) => known !== undefined && known === wanted;

const isVisible = (part: Visible | Item): part is Visible => "item" in part;

const argumentsIn = (value: unknown) => (typeof value === "object" && value !== null ? JSON.stringify(value) : textIn(value));

/** One that says nothing and cannot be handed back is none. */
function reasoningOf(modelId: string, { id, whole, text }: Item): readonly AssistantPart[] {
  const wire: WireItem = { ...(id === undefined ? {} : { id }), ...whole };
  const part = responsesReasoning(modelId, wire, text);
  return part.text === "" && textIn(wire["encrypted_content"]) === undefined ? [] : [part];
}
