// Owns the reading of an answer of the Responses API. Invariant: whole or as events, it gives the same response; events it does not know,
// of which there are many, change nothing.
import type { AgentError } from "../../core/errors.ts";
import type { FinishReason } from "../../core/model.ts";
import type { Usage } from "../../core/usage.ts";
import { type Answer, notAnAnswer, nothing, type Piece } from "../exchange.ts";
import { countIn, objectIn, textIn } from "../wire.ts";
import { usageIn } from "./openai-usage.ts";
import * as output from "./responses-output.ts";

interface Reading {
  readonly output: output.ResponsesOutput;
  /** Makes the error for what a response or an event reports as its `error`. */
  readonly failed: (error: unknown) => AgentError;
  started: boolean;
  status?: string;
  incompleteReason?: string;
  usage?: Usage;
  modelId?: string;
  responseId?: string;
}

/** `modelId`: the model that was asked, whose reasoning it is. */
export function createResponsesAnswer(modelId: string, failed: Reading["failed"]): Answer {
  const reading: Reading = { output: output.createResponsesOutput(), failed, started: false };
  return {
    addWhole(data) {
      const { object, output: items, status } = objectIn(data);
      return object === "response" || Array.isArray(items) ? takeEnd(reading, data, textIn(status)) : nothing;
    },
    addEvent(event) {
      const fields = objectIn(event);
      const take = events.get(textIn(fields["type"]) ?? "");
      const id = textIn(fields["item_id"]) ?? textIn(objectIn(fields["item"])["id"]);
      return take?.(reading, fields, { index: countIn(fields["output_index"]), id }) ?? nothing;
    },
    get started() {
      return reading.started;
    },
    get complete() {
      return reading.status === "completed" || reading.status === "incomplete";
    },
    get usage() {
      return reading.usage;
    },
    response: () => ({
      message: { role: "assistant", content: output.contentOf(reading.output, modelId) },
      finishReason: finishReasonOf(reading),
      ...(reading.usage ? { usage: reading.usage } : {}),
      ...(reading.modelId ? { modelId: reading.modelId } : {}),
      ...(reading.responseId ? { responseId: reading.responseId } : {}),
    }),
  };
}

type TakeEvent = (reading: Reading, event: Readonly<Record<string, unknown>>, place: output.Place) => Piece;

const takeBeginning: TakeEvent = (reading, { response }) => {
  takeHead(reading, response);
  return nothing;
};
const takeItem: TakeEvent = (reading, { item }, place) => {
  reading.started = true;
  return output.takeItem(reading.output, item, place);
};
const takeThought: TakeEvent = (reading, { delta }, place) => output.addHidden(reading.output, "reasoning", delta, place);
const takeText =
  (isRefusal: boolean): TakeEvent =>
  (reading, { delta }, place) => {
    reading.started = true;
    return output.addText(reading.output, delta, place, isRefusal);
  };

const events: ReadonlyMap<string, TakeEvent> = new Map<string, TakeEvent>([
  ["response.created", takeBeginning],
  ["response.in_progress", takeBeginning],
  ["response.output_item.added", takeItem],
  ["response.output_item.done", takeItem],
  ["response.output_text.delta", takeText(false)],
  ["response.refusal.delta", takeText(true)],
  ["response.function_call_arguments.delta", ({ output: into }, { delta }, place) => output.addHidden(into, "function_call", delta, place)],
  ["response.reasoning_summary_text.delta", takeThought],
  ["response.reasoning_text.delta", takeThought],
  ["response.completed", (reading, { response }) => takeEnd(reading, response, "completed")],
  ["response.incomplete", (reading, { response }) => takeEnd(reading, response, "incomplete")],
  [
    "response.failed",
    (reading, { response }) => {
      takeHead(reading, response);
      throw reading.failed(objectIn(response)["error"]);
    },
  ],
  [
    "error",
    (reading, event) => {
      throw reading.failed(event["error"] ?? event);
    },
  ],
]);

function takeHead(reading: Reading, value: unknown) {
  const { id, model, usage, incomplete_details: details } = objectIn(value);
  const said = {
    usage: usageIn(usage),
    modelId: textIn(model),
    responseId: textIn(id),
    incompleteReason: textIn(objectIn(details)["reason"]),
  };
  reading.started = true;
  Object.assign(reading, Object.fromEntries(Object.entries(said).filter(([, one]) => one !== undefined)));
}

function takeEnd(reading: Reading, value: unknown, status: string | undefined): Piece {
  takeHead(reading, value);
  const piece = output.takeAll(reading.output, objectIn(value)["output"]);
  if (status === "completed" && reading.output.items.length === 0) throw notAnAnswer("openai", "there is nothing in its output");
  if (status !== undefined) reading.status = status;
  return piece;
}

const incompleteReasons: ReadonlyMap<string, FinishReason> = new Map([
  ["max_output_tokens", "length"],
  ["content_filter", "content-filter"],
]);

function finishReasonOf({ output: taken, status, incompleteReason }: Reading): FinishReason {
  if (taken.refused) return "content-filter";
  if (status === "incomplete") return incompleteReasons.get(incompleteReason ?? "") ?? "other";
  return output.hasCalls(taken) ? "tool-calls" : "stop";
}
