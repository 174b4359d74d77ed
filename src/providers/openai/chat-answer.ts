// Owns the reading of a Chat Completions answer. Invariant: a whole completion and the chunks of a streamed one go through the same `add`,
// so both give the same response.
import type { FinishReason } from "../../core/model.ts";
import type { Usage } from "../../core/usage.ts";
import type { Answer, Piece } from "../exchange.ts";
import { finishReasonOf } from "../finish-reason.ts";
import { listIn, objectIn, textIn } from "../wire.ts";
import { createChatMessage } from "./chat-message.ts";
import type { WireChoice, WireCompletion } from "./chat-wire.ts";
import { usageIn } from "./openai-usage.ts";

const finishReasons: ReadonlyMap<string, FinishReason> = new Map([
  ["stop", "stop"],
  ["length", "length"],
  // Gateways in front of other providers hand their word on.
  ["max_tokens", "length"],
  ["tool_calls", "tool-calls"],
  ["function_call", "tool-calls"],
  ["content_filter", "content-filter"],
]);

/** A completion, or the chunks of a streamed one: both have the same shape but for the name of a field. */
export function createChatAnswer(modelId: string): Answer {
  let started = false;
  let finish: string | undefined;
  let usage: Usage | undefined;
  let answeredBy: string | undefined;
  let responseId: string | undefined;
  const message = createChatMessage(modelId);

  const add = (data: unknown): Piece => {
    const completion: WireCompletion = objectIn(data);
    if (listIn(completion.choices).length > 0) started = true;
    answeredBy ??= textIn(completion.model);
    responseId ??= textIn(completion.id);
    usage = usageIn(completion.usage) ?? usage;
    const choice: WireChoice = objectIn(listIn(completion.choices)[0]);
    finish = textIn(choice.finish_reason) ?? finish;
    return message.add(objectIn(choice.message ?? choice.delta));
  };

  return {
    addWhole: add,
    addEvent: add,
    get started() {
      return started;
    },
    get complete() {
      return finish !== undefined;
    },
    get usage() {
      return usage;
    },
    response: () => ({
      message: { role: "assistant", content: message.content() },
      finishReason: message.refused ? "content-filter" : finishReasonOf(finishReasons, finish, message.hasCalls),
      ...(usage ? { usage } : {}),
      ...(answeredBy ? { modelId: answeredBy } : {}),
      ...(responseId ? { responseId } : {}),
    }),
  };
}
