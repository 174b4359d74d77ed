// Owns the reading of a Chat Completions answer. Invariant: a whole completion and the chunks of a streamed one go through the same `add`,
// so both give the same response.
import type { ToolCall } from "../../core/message.ts";
import type { FinishReason } from "../../core/model.ts";
import type { Usage } from "../../core/usage.ts";
import { type Answer, notAnAnswer, type Piece } from "../exchange.ts";
import { countIn, listIn, objectIn, textIn } from "../wire.ts";
import type { WireChoice, WireCompletion, WireFunction, WireMessage, WireTokenDetails, WireToolCall, WireUsage } from "./chat-wire.ts";

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
export function createChatAnswer(): Answer {
  let started = false;
  let text = "";
  let refused = false;
  let finish: string | undefined;
  let usage: Usage | undefined;
  let modelId: string | undefined;
  let responseId: string | undefined;
  const calls = createCallList();

  const addMessage = (message: WireMessage): Piece => {
    // Lists of parts and the like: better an error than an answer that silently lost its text.
    if (message.content != null && typeof message.content !== "string") throw notAnAnswer("openai", "its content is not text");
    const refusal = textIn(message.refusal);
    if (refusal) refused = true;
    const piece = (textIn(message.content) ?? "") + (refusal ?? "");
    text += piece;
    const before = calls.size;
    for (const [position, call] of listIn(message.tool_calls).entries()) calls.add(objectIn(call), position);
    if (message.function_call) calls.add({ function: message.function_call }, 0);
    return { text: piece, progress: piece !== "" || calls.size > before || reasons(message) };
  };

  const add = (data: unknown): Piece => {
    const completion: WireCompletion = objectIn(data);
    if (listIn(completion.choices).length > 0) started = true;
    modelId ??= textIn(completion.model);
    responseId ??= textIn(completion.id);
    usage = usageIn(completion.usage) ?? usage;
    const choice: WireChoice = objectIn(listIn(completion.choices)[0]);
    finish = textIn(choice.finish_reason) ?? finish;
    return addMessage(objectIn(choice.message ?? choice.delta));
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
      message: { role: "assistant", content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...calls.list()] },
      finishReason: refused ? "content-filter" : finishReasonOf(finish, calls.list().length > 0),
      ...(usage ? { usage } : {}),
      ...(modelId ? { modelId } : {}),
      ...(responseId ? { responseId } : {}),
    }),
  };
}

function finishReasonOf(finish: string | undefined, hasCalls: boolean): FinishReason {
  const reason = finishReasons.get(finish ?? "") ?? "other";
  // Some gateways say "stop" although the message holds calls.
  return reason === "stop" && hasCalls ? "tool-calls" : reason;
}

/** Some servers tell what the model thinks, each by a name of its own; it is no part of the answer, but a sign of life. */
const reasons = (message: WireMessage) => (textIn(message.reasoning_content) ?? textIn(message.reasoning)) !== undefined;

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

/** Usage with what was reported and nothing else; undefined when nothing was. */
function usageIn(value: unknown): Usage | undefined {
  const wire: WireUsage = objectIn(value);
  const { cached_tokens, cache_write_tokens }: WireTokenDetails = objectIn(wire.prompt_tokens_details);
  const { reasoning_tokens }: WireTokenDetails = objectIn(wire.completion_tokens_details);
  const input = countIn(wire.prompt_tokens);
  const output = countIn(wire.completion_tokens);
  const read = countIn(cached_tokens);
  const write = countIn(cache_write_tokens);
  const reasoning = countIn(reasoning_tokens);
  const inputDetails = {
    ...(read === undefined ? {} : { cacheReadTokens: read }),
    ...(write === undefined ? {} : { cacheWriteTokens: write }),
  };
  if (input === undefined && output === undefined) return undefined;
  return {
    ...(input === undefined ? {} : { inputTokens: input }),
    ...(read === undefined && write === undefined ? {} : { inputTokenDetails: inputDetails }),
    ...(output === undefined ? {} : { outputTokens: output }),
    ...(reasoning === undefined ? {} : { outputTokenDetails: { reasoningTokens: reasoning } }),
  };
}
