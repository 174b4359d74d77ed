// A simulated answer in the wire format of Chat Completions. Invariant: a function of the answer, the request body and its number only.
import type { Usage } from "../core/usage.ts";
import type { SimulatedAnswer, SimulatedBody } from "./simulated-reply.ts";

const created = 1_767_225_600; // a fixed second: the same requests get the same bytes

/** The whole completion, as the answer to a request without `stream`. */
export function completionOf(answer: SimulatedAnswer, body: SimulatedBody, index: number): object {
  const calls = callsOf(answer, index).map(({ id, name, args }) => ({ ...id, type: "function", function: { name, arguments: args } }));
  const text = textOf(answer);
  return {
    ...head(answer, body, index, "chat.completion"),
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: text === "" ? null : text,
          refusal: null,
          ...(calls.length > 0 ? { tool_calls: calls } : {}),
        },
        logprobs: null,
        finish_reason: finishOf(answer),
      },
    ],
    ...(answer.usage === null ? {} : { usage: usageOf(answer, body) }),
  };
}

/** The chunks of the stream: role, text, calls, finish reason and, where asked for, usage. */
export function chunksOf(answer: SimulatedAnswer, body: SimulatedBody, index: number): readonly object[] {
  const shared = head(answer, body, index, "chat.completion.chunk");
  const size = answer.chunkSize ?? 20;
  const chunk = (delta: object, finish_reason: string | null = null) => ({ ...shared, choices: [{ index: 0, delta, finish_reason }] });
  const chunks: object[] = [chunk({ role: "assistant", content: "", refusal: null })];
  for (const content of answer.deltas ?? inPieces(answer.text ?? "", size)) chunks.push(chunk({ content }));
  for (const [position, { id, name, args }] of callsOf(answer, index).entries()) {
    const start = { index: position, ...id, type: "function", function: { name, arguments: "" } };
    chunks.push(chunk({ tool_calls: [start] }));
    for (const piece of inPieces(args, size)) chunks.push(chunk({ tool_calls: [{ index: position, function: { arguments: piece } }] }));
  }
  if (finishOf(answer) !== null) chunks.push(chunk({}, finishOf(answer)));
  const usage = answer.usage === null || !body.stream_options?.include_usage ? undefined : usageOf(answer, body);
  if (usage) chunks.push({ ...shared, choices: [], usage });
  return chunks;
}

function head(answer: SimulatedAnswer, body: SimulatedBody, index: number, object: string): object {
  return { id: `chatcmpl-${index}`, object, created, model: answer.model ?? body.model, system_fingerprint: "fp_simulated" };
}

function finishOf({ finishReason, calls }: SimulatedAnswer): string | null {
  return finishReason === undefined ? (calls?.length ? "tool_calls" : "stop") : finishReason;
}

const textOf = ({ deltas, text }: SimulatedAnswer) => deltas?.join("") ?? text ?? "";

function callsOf({ calls = [] }: SimulatedAnswer, index: number) {
  return calls.map(({ name, arguments: args, callId }, position) => ({
    id: callId === null ? {} : { id: callId ?? `call_${index}_${position}` },
    name,
    args: typeof args === "string" ? args : JSON.stringify(args),
  }));
}

function usageOf(answer: SimulatedAnswer, body: SimulatedBody): object {
  const sent = JSON.stringify([body.messages, body.tools]);
  const answered =
    textOf(answer) +
    callsOf(answer, 0)
      .flatMap(({ name, args }) => [name, args])
      .join("");
  const usage: Usage = answer.usage ?? {};
  const { inputTokens = tokensIn(sent), outputTokens = tokensIn(answered) } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.inputTokenDetails?.cacheReadTokens ?? 0,
      ...(usage.inputTokenDetails?.cacheWriteTokens === undefined ? {} : { cache_write_tokens: usage.inputTokenDetails.cacheWriteTokens }),
    },
    completion_tokens_details: { reasoning_tokens: usage.outputTokenDetails?.reasoningTokens ?? 0 },
  };
}

const tokensIn = (text: string) => Math.ceil(text.length / 4);

/** Pieces of `size` characters that never part the two halves of one. */
function inPieces(text: string, size: number): readonly string[] {
  const characters = Array.from(text);
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; start += size) pieces.push(characters.slice(start, start + size).join(""));
  return pieces;
}
