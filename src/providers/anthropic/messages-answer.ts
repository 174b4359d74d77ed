// Owns the reading of an answer of Messages. Invariant: whole or streamed, a block goes through the same `begin` and `grow`, so both give
// the same response.
import type { AgentError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { FinishReason, ModelResponse } from "../../core/model.ts";
import { type Answer, joined, notAnAnswer, nothing, type Piece } from "../exchange.ts";
import { finishReasonOf } from "../finish-reason.ts";
import { objectIn, textIn } from "../wire.ts";
import { createBlockList } from "./messages-blocks.ts";
import { createUsageCount } from "./messages-usage.ts";
import type { WireEnding, WireEvent, WireMessage, WireStopDetails } from "./messages-wire.ts";

const finishReasons: ReadonlyMap<string, FinishReason> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool-calls"],
  ["refusal", "content-filter"],
]);

/**
 * An answer, or the events of a streamed one. `failure` makes the error for an `error` object in place of an event; `about` is what
 * there is to tell of the request in the metadata of its answer.
 */
export function createMessagesAnswer(failure: (error: unknown) => AgentError, about: JsonObject = {}): Answer {
  const envelope = createEnvelope(about);
  const blocks = createBlockList();

  const addEvent = (data: unknown): Piece => {
    const event: WireEvent = objectIn(data);
    switch (event.type) {
      case "message_start":
        envelope.open(objectIn(event.message));
        return nothing;
      case "content_block_start":
        return blocks.begin(event.index, event.content_block);
      case "content_block_delta":
        return blocks.grow(event.index, event.delta);
      case "message_delta":
        envelope.close(objectIn(event.delta), event.usage);
        return nothing;
      case "error":
        throw failure(event.error);
      default:
        return nothing;
    }
  };

  return {
    addWhole(data) {
      const message: WireMessage = objectIn(data);
      if (message.content === undefined) return nothing;
      if (!Array.isArray(message.content)) throw notAnAnswer("anthropic", "its content is no list of blocks");
      envelope.open(message);
      envelope.close(message, undefined);
      return joined(message.content.map((block: unknown, index) => blocks.begin(index, block)));
    },
    addEvent,
    get started() {
      return envelope.opened || blocks.any;
    },
    get complete() {
      return envelope.closed;
    },
    get usage() {
      return envelope.usage;
    },
    response() {
      const content = blocks.parts();
      const hasCalls = content.some(({ type }) => type === "tool-call");
      return { message: { role: "assistant", content }, ...envelope.facts(hasCalls) };
    },
  };
}

/** All of an answer but its content. */
function createEnvelope(about: JsonObject) {
  let opened = false;
  let stopReason: string | undefined;
  let refusal: string | undefined;
  let modelId: string | undefined;
  let responseId: string | undefined;
  const count = createUsageCount();
  return {
    get opened() {
      return opened;
    },
    /** The model has said why it stopped. An event that the message has stopped may come from whoever cut it, in the middle of a call. */
    get closed() {
      return stopReason !== undefined;
    },
    get usage() {
      return count.usage;
    },
    open({ model, id, usage }: WireMessage) {
      opened = true;
      modelId ??= textIn(model);
      responseId ??= textIn(id);
      count.add(usage);
    },
    close({ stop_reason, stop_details }: WireEnding, usage: unknown) {
      stopReason = textIn(stop_reason) ?? stopReason;
      const { category }: WireStopDetails = objectIn(stop_details);
      refusal = textIn(category) ?? refusal;
      count.add(usage);
    },
    facts: (hasCalls: boolean): Omit<ModelResponse, "message"> => ({
      finishReason: finishReasonOf(finishReasons, stopReason, hasCalls),
      ...(count.usage ? { usage: count.usage } : {}),
      ...(modelId ? { modelId } : {}),
      ...(responseId ? { responseId } : {}),
      ...metadataOf({ ...about, ...(refusal ? { refusal } : {}) }),
    }),
  };
}

const metadataOf = (anthropic: JsonObject) => (Object.keys(anthropic).length > 0 ? { providerMetadata: { anthropic } } : {});
