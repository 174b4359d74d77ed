// A simulated answer in the wire format of Chat Completions. Invariant: a function of the answer, the request body and its number only.
import { openaiError } from "./openai-errors.ts";
import {
  callsOf,
  commentLine,
  createdAt,
  eventOf,
  piecesOf,
  textOf,
  textPieces,
  usageOf,
  type Wire,
  type WireAnswer,
  type WireRequest,
} from "./wire.ts";

export const chatWire: Wire = {
  api: "chat",
  path: "/v1/chat/completions",
  requestIdHeader: "x-request-id",
  accepts: ({ messages }) => Array.isArray(messages),
  whole: completionOf,
  chunks: (answer, request) => [...chunksOf(answer, request).map((chunk) => eventOf(chunk)), "data: [DONE]\n\n"],
  error: (kind) => openaiError(kind),
  errorEvent: (kind) => eventOf(openaiError(kind).body),
  keepAlive: (turn, answer, request) =>
    turn % 2 === 0 ? commentLine : eventOf({ ...chunkHead(answer, request), choices: [choiceOf({ content: "" })] }),
};

function completionOf(answer: WireAnswer, request: WireRequest): object {
  const calls = callsOf(answer, request.index).map(({ id, name, args }) => ({
    ...idIn(id),
    type: "function",
    function: { name, arguments: args },
  }));
  const text = textOf(answer);
  const message = {
    ...roleOf(answer),
    content: text === "" ? null : text,
    refusal: answer.refusal ?? null,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  return {
    ...head(answer, request, "chat.completion"),
    choices: answer.flaw === "empty-choices" ? [] : [{ index: 0, message, logprobs: null, finish_reason: finishOf(answer) }],
    ...usageField(answer, request),
  };
}

/** Role, text, calls, finish reason and, where asked for, usage. */
function chunksOf(answer: WireAnswer, request: WireRequest): readonly object[] {
  const shared = chunkHead(answer, request);
  const usage = request.body.stream_options?.include_usage ? usageField(answer, request) : {};
  const last = "usage" in usage ? [{ ...shared, choices: [], ...usage }] : [];
  if (answer.flaw === "empty-choices") return [{ ...shared, choices: [] }, ...last];
  const choices = [choiceOf({ ...roleOf(answer), content: "", refusal: null })];
  for (const content of textPieces(answer)) choices.push(choiceOf({ content }));
  for (const refusal of piecesOf(answer.refusal ?? "", answer)) choices.push(choiceOf({ refusal }));
  for (const [position, { id, name, args }] of callsOf(answer, request.index).entries()) {
    const start = { index: position, ...idIn(id), type: "function", function: { name, arguments: "" } };
    choices.push(choiceOf({ tool_calls: [start] }));
    for (const piece of piecesOf(args, answer))
      choices.push(choiceOf({ tool_calls: [{ index: position, function: { arguments: piece } }] }));
  }
  if (finishOf(answer) !== null) choices.push(choiceOf({}, finishOf(answer)));
  return [...choices.map((choice) => ({ ...shared, choices: [choice] })), ...last];
}

const choiceOf = (delta: object, finish_reason: string | null = null) => ({ index: 0, delta, finish_reason });
const chunkHead = (answer: WireAnswer, request: WireRequest) => head(answer, request, "chat.completion.chunk");
const roleOf = ({ flaw }: WireAnswer) => (flaw === "missing-role" ? {} : { role: "assistant" });
const idIn = (id: string | undefined) => (id === undefined ? {} : { id });

function head({ model }: WireAnswer, { body, index }: WireRequest, object: string): object {
  return { id: `chatcmpl-${index}`, object, created: createdAt, model: model ?? body.model, system_fingerprint: "fp_simulated" };
}

function finishOf({ finishReason, calls, flaw }: WireAnswer): string | null {
  if (finishReason !== undefined) return finishReason;
  if (flaw === "truncated") return "length";
  return calls?.length ? "tool_calls" : "stop";
}

function usageField(answer: WireAnswer, { body }: WireRequest): object {
  const usage = usageOf(answer, [body.messages, body.tools]);
  if (!usage) return {};
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } = usage;
  return {
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
      prompt_tokens_details: { cached_tokens: cacheReadTokens, cache_write_tokens: cacheWriteTokens },
      completion_tokens_details: { reasoning_tokens: reasoningTokens },
    },
  };
}
