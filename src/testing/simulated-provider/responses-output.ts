// The items in the output of a simulated response, whole and as they grow. Invariant: the last event of an item shows it as it is in the whole.
import { callsOf, piecesOf, textOf, textPieces, type WireAnswer, type WireCall, type WireRequest } from "./wire.ts";

interface OutputEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface Output {
  readonly items: readonly object[];
  /** Events in groups that are sent together: what closes an item goes with what comes next. */
  readonly chunks: readonly (readonly OutputEvent[])[];
  /** What closes the last item. */
  readonly closing: readonly OutputEvent[];
}

/** An item that grows: what opens it, one event for each piece, what closes it. */
interface Item {
  readonly whole: object;
  readonly opening: readonly OutputEvent[];
  readonly pieces: readonly OutputEvent[];
  readonly closing: readonly OutputEvent[];
  /** Whether its first piece comes with what opens it; a call starts by itself, as in the other APIs. */
  readonly together: boolean;
}

export function outputOf(answer: WireAnswer, request: WireRequest): Output {
  const items = itemsOf(answer, request);
  const chunks: OutputEvent[][] = [];
  let pending: OutputEvent[] = [];
  const send = (...events: readonly OutputEvent[]) => {
    chunks.push([...pending, ...events]);
    pending = [];
  };
  for (const { opening, pieces, closing, together } of items) {
    pending.push(...opening);
    if (!together) send();
    for (const piece of pieces) send(piece);
    pending.push(...closing);
  }
  return { items: items.map(({ whole }) => whole), chunks, closing: pending };
}

function itemsOf(answer: WireAnswer, { body, index }: WireRequest): readonly Item[] {
  if (answer.flaw === "empty-choices") return [];
  const items: Item[] = [];
  const { reasoning } = answer;
  if (reasoning !== undefined) {
    const { include } = body;
    const encrypted = Array.isArray(include) && include.includes("reasoning.encrypted_content");
    items.push(reasoningItem(reasoning, answer, { index, at: items.length, encrypted }));
  }
  if (textOf(answer) !== "" || answer.refusal !== undefined) items.push(messageItem(answer, { index, at: items.length }));
  for (const call of callsOf(answer, index)) items.push(callItem(call, answer, { index, at: items.length }));
  return items;
}

interface Place {
  readonly index: number;
  /** The position in the output. */
  readonly at: number;
}

function reasoningItem(text: string, answer: WireAnswer, { index, at, encrypted }: Place & { readonly encrypted: boolean }): Item {
  const id = `rs_${index}_${at}`;
  const where = { item_id: id, output_index: at, summary_index: 0 };
  const secret = encrypted ? { encrypted_content: `encrypted_${index}_${at}` } : {};
  const whole = { id, type: "reasoning", summary: [{ type: "summary_text", text }], ...secret };
  return {
    whole,
    opening: [
      { type: "response.output_item.added", output_index: at, item: { ...whole, summary: [] } },
      { type: "response.reasoning_summary_part.added", ...where, part: { type: "summary_text", text: "" } },
    ],
    pieces: piecesOf(text, answer).map((delta) => ({ type: "response.reasoning_summary_text.delta", ...where, delta })),
    closing: [
      { type: "response.reasoning_summary_text.done", ...where, text },
      { type: "response.reasoning_summary_part.done", ...where, part: { type: "summary_text", text } },
      { type: "response.output_item.done", output_index: at, item: whole },
    ],
    together: true,
  };
}

function messageItem(answer: WireAnswer, { index, at }: Place): Item {
  const id = `msg_${index}_${at}`;
  const where = { item_id: id, output_index: at, content_index: 0 };
  const role = answer.flaw === "missing-role" ? {} : { role: "assistant" };
  const item = (status: string, content: readonly object[]) => ({ id, type: "message", status, ...role, content });
  const { part, empty, pieces, done } = answer.refusal === undefined ? textPart(answer) : refusalPart(answer, answer.refusal);
  const whole = item("completed", [part]);
  return {
    whole,
    opening: [
      { type: "response.output_item.added", output_index: at, item: item("in_progress", []) },
      { type: "response.content_part.added", ...where, part: empty },
    ],
    pieces: pieces.map((piece) => ({ ...piece, ...where })),
    closing: [
      { ...done, ...where },
      { type: "response.content_part.done", ...where, part },
      { type: "response.output_item.done", output_index: at, item: whole },
    ],
    together: true,
  };
}

interface Part {
  readonly part: object;
  readonly empty: object;
  readonly pieces: readonly OutputEvent[];
  readonly done: OutputEvent;
}

function textPart(answer: WireAnswer): Part {
  const part = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });
  const text = textOf(answer);
  return {
    part: part(text),
    empty: part(""),
    pieces: textPieces(answer).map((delta) => ({ type: "response.output_text.delta", delta, logprobs: [] })),
    done: { type: "response.output_text.done", text, logprobs: [] },
  };
}

function refusalPart(answer: WireAnswer, refusal: string): Part {
  return {
    part: { type: "refusal", refusal },
    empty: { type: "refusal", refusal: "" },
    pieces: piecesOf(refusal, answer).map((delta) => ({ type: "response.refusal.delta", delta })),
    done: { type: "response.refusal.done", refusal },
  };
}

function callItem({ id: callId, name, args }: WireCall, answer: WireAnswer, { index, at }: Place): Item {
  const id = `fc_${index}_${at}`;
  const where = { item_id: id, output_index: at };
  const item = (status: string, text: string) => ({
    id,
    type: "function_call",
    status,
    ...(callId === undefined ? {} : { call_id: callId }),
    name,
    arguments: text,
  });
  const whole = item(answer.flaw === "truncated" ? "incomplete" : "completed", args);
  return {
    whole,
    opening: [{ type: "response.output_item.added", output_index: at, item: item("in_progress", "") }],
    pieces: piecesOf(args, answer).map((delta) => ({ type: "response.function_call_arguments.delta", ...where, delta })),
    closing: [
      { type: "response.function_call_arguments.done", ...where, arguments: args },
      { type: "response.output_item.done", output_index: at, item: whole },
    ],
    together: false,
  };
}
