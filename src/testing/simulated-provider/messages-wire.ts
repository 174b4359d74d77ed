// A simulated answer in the wire format of Anthropic Messages. Invariant: a function of the answer, the request body and its number only.
import { anthropicError } from "./anthropic-errors.ts";
import {
  callsOf,
  commentLine,
  eventOf,
  piecesOf,
  textOf,
  textPieces,
  usageOf,
  type Wire,
  type WireAnswer,
  type WireRequest,
} from "./wire.ts";

export const messagesWire: Wire = {
  api: "messages",
  path: "/v1/messages",
  requestIdHeader: "request-id",
  accepts: ({ messages }) => Array.isArray(messages),
  whole: (answer, request) => messageOf(answer, request, blocksOf(answer, request), endOf(answer), usageField(answer, request)),
  chunks: chunksOf,
  error: anthropicError,
  errorEvent: (kind, request) => eventOf(anthropicError(kind, request).body, "error"),
  keepAlive: (turn) => (turn % 2 === 0 ? named({ type: "ping" }) : commentLine),
};

interface NamedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A block of content: how it starts, the deltas it grows by, and all of it. */
interface Block {
  readonly start: object;
  readonly deltas: readonly object[];
  readonly whole: object;
  /** Whether its first delta comes with its start; a call starts by itself, as in the other APIs. */
  readonly together: boolean;
}

const named = (event: NamedEvent) => eventOf(event, event.type);

function messageOf(answer: WireAnswer, { body, index }: WireRequest, blocks: readonly Block[], end: object, usage: object): object {
  return {
    id: `msg_${index}`,
    type: "message",
    ...(answer.flaw === "missing-role" ? {} : { role: "assistant" }),
    model: answer.model ?? body.model,
    content: blocks.map(({ whole }) => whole),
    container: null,
    diagnostics: null,
    ...end,
    ...usage,
  };
}

const notEnded = { stop_reason: null, stop_sequence: null, stop_details: null };

function chunksOf(answer: WireAnswer, request: WireRequest): readonly string[] {
  const opening = messageOf(answer, request, [], notEnded, usageField(answer, request, 1));
  const chunks = [named({ type: "message_start", message: opening })];
  let pending = "";
  for (const [index, { start, deltas, together }] of blocksOf(answer, request).entries()) {
    pending += named({ type: "content_block_start", index, content_block: start });
    if (index === 0) pending += named({ type: "ping" });
    if (!together) {
      chunks.push(pending);
      pending = "";
    }
    for (const delta of deltas) {
      chunks.push(pending + named({ type: "content_block_delta", index, delta }));
      pending = "";
    }
    pending += named({ type: "content_block_stop", index });
  }
  const usage = deltaUsage(answer, request);
  chunks.push(pending + named({ type: "message_delta", delta: { container: null, ...endOf(answer) }, ...usage }));
  return [...chunks, named({ type: "message_stop" })];
}

function blocksOf(answer: WireAnswer, { index }: WireRequest): readonly Block[] {
  if (answer.flaw === "empty-choices") return [];
  const blocks: Block[] = [];
  const { reasoning } = answer;
  const signature = `signature_${index}`;
  if (reasoning !== undefined)
    blocks.push({
      start: { type: "thinking", thinking: "", signature: "" },
      deltas: [
        ...piecesOf(reasoning, answer).map((thinking) => ({ type: "thinking_delta", thinking })),
        { type: "signature_delta", signature },
      ],
      whole: { type: "thinking", thinking: reasoning, signature },
      together: true,
    });
  if (textOf(answer) !== "")
    blocks.push({
      start: { type: "text", text: "", citations: null },
      deltas: textPieces(answer).map((text) => ({ type: "text_delta", text })),
      whole: { type: "text", text: textOf(answer), citations: null },
      together: true,
    });
  for (const { id, name, args } of callsOf(answer, index)) {
    const head = { type: "tool_use", ...(id === undefined ? {} : { id }), name, caller: { type: "direct" } };
    blocks.push({
      start: { ...head, input: {} },
      deltas: piecesOf(args, answer).map((partial_json) => ({ type: "input_json_delta", partial_json })),
      whole: { ...head, input: inputOf(args, answer) },
      together: false,
    });
  }
  return blocks;
}

/** The arguments as a value: there is no text of them outside a stream. What cannot be read is the text itself, or nothing where it was cut off. */
function inputOf(args: string, { flaw }: WireAnswer): unknown {
  if (args === "") return {};
  try {
    return JSON.parse(args);
  } catch {
    return flaw === "truncated" ? {} : args;
  }
}

function endOf({ finishReason, calls, refusal, flaw }: WireAnswer): object {
  const usual = calls?.length ? "tool_use" : "end_turn";
  const reason = refusal === undefined ? (flaw === "truncated" ? "max_tokens" : usual) : "refusal";
  return {
    stop_reason: finishReason === undefined ? reason : finishReason,
    stop_sequence: null,
    stop_details: refusal === undefined ? null : { type: "refusal", category: null, explanation: refusal },
  };
}

/** The usage of a message; `outputTokens` where it has only begun. */
function usageField(answer: WireAnswer, request: WireRequest, outputTokens?: number): object {
  const counts = countsOf(answer, request);
  if (!counts) return {};
  const written = counts.cache_creation_input_tokens;
  return {
    usage: {
      ...counts,
      ...(outputTokens === undefined ? {} : { output_tokens: outputTokens, output_tokens_details: null }),
      cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 },
      inference_geo: null,
      service_tier: "standard",
      speed: "standard",
    },
  };
}

/** The usage at the end of a stream: of the whole message, not of its last part. */
function deltaUsage(answer: WireAnswer, request: WireRequest): object {
  const counts = countsOf(answer, request);
  return counts ? { usage: counts } : {};
}

/** What was read from or written to the cache is not part of `input_tokens` here. */
function countsOf(answer: WireAnswer, { body }: WireRequest) {
  const usage = usageOf(answer, [body["system"], body.messages, body.tools]);
  if (!usage) return undefined;
  const { inputTokens, outputTokens, cacheReadTokens = null, cacheWriteTokens = null, reasoningTokens } = usage;
  return {
    input_tokens: Math.max(0, inputTokens - (cacheReadTokens ?? 0) - (cacheWriteTokens ?? 0)),
    cache_read_input_tokens: cacheReadTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    output_tokens: outputTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  };
}
