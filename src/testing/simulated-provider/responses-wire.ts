// A simulated answer in the wire format of OpenAI Responses. Invariant: a function of the answer, the request body and its number only.
import { openaiError, openaiEventError } from "./openai-errors.ts";
import type { SimulatedBody } from "./request.ts";
import { outputOf } from "./responses-output.ts";
import { commentLine, createdAt, errorText, eventOf, usageOf, type Wire, type WireAnswer, type WireRequest } from "./wire.ts";

export const responsesWire: Wire = {
  api: "responses",
  path: "/v1/responses",
  requestIdHeader: "x-request-id",
  accepts: ({ input }) => typeof input === "string" || Array.isArray(input),
  whole: (answer, request) => responseOf(answer, request, "ended"),
  chunks: chunksOf,
  error: (kind) => openaiError(kind),
  errorEvent: (kind, _request, sequence) => eventOf({ type: "error", ...openaiEventError(kind), sequence_number: sequence }, "error"),
  keepAlive: (turn, answer, request) => {
    if (turn % 2 === 0) return commentLine;
    const type = "response.in_progress";
    return eventOf({ type, response: responseOf(answer, request, "begun"), sequence_number: turn + manyEvents }, type);
  },
};

/** Beyond the number of any event of an answer. */
const manyEvents = 1_000_000;

function chunksOf(answer: WireAnswer, request: WireRequest): readonly string[] {
  let sequence = 0;
  const written = (events: readonly { readonly type: string }[]) =>
    events.map((event) => eventOf({ ...event, sequence_number: sequence++ }, event.type)).join("");
  const begun = responseOf(answer, request, "begun");
  const opening = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
  ];
  const { chunks, closing } = outputOf(answer, request);
  const { status } = endOf(answer);
  const end = status === undefined ? [] : [[{ type: `response.${status}`, response: responseOf(answer, request, "ended") }]];
  return [opening, ...chunks, ...(closing.length > 0 ? [closing] : []), ...end].map(written);
}

interface End {
  /** Absent where it is to be left out. */
  readonly status?: string;
  /** Why an answer is incomplete. */
  readonly reason?: string;
}

function endOf({ finishReason, flaw }: WireAnswer): End {
  if (finishReason === null) return {};
  const said = finishReason ?? (flaw === "truncated" ? "max_output_tokens" : "completed");
  if (said === "incomplete") return { status: said, reason: "max_output_tokens" };
  return ["completed", "failed", "cancelled", "queued", "in_progress"].includes(said)
    ? { status: said }
    : { status: "incomplete", reason: said };
}

function responseOf(answer: WireAnswer, request: WireRequest, stage: "begun" | "ended"): object {
  const { status, reason }: End = stage === "begun" ? { status: "in_progress" } : endOf(answer);
  return {
    id: `resp_${request.index}`,
    object: "response",
    created_at: createdAt,
    ...(status === undefined ? {} : { status }),
    ...(status === "completed" ? { completed_at: createdAt } : {}),
    error: status === "failed" ? { code: "server_error", message: errorText } : null,
    incomplete_details: reason === undefined ? null : { reason },
    ...settingsIn(request.body),
    model: answer.model ?? request.body.model,
    output: stage === "begun" ? [] : outputOf(answer, request).items,
    ...(stage === "begun" ? {} : usageField(answer, request)),
  };
}

/** A response repeats what was asked for, or says what holds by default. */
function settingsIn(body: SimulatedBody): object {
  const defaults = {
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    parallel_tool_calls: true,
    reasoning: null,
    store: true,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    truncation: "disabled",
  };
  const asked = Object.entries(defaults).map(([name, usual]) => [name, body[name] ?? usual]);
  return { access_programs: null, background: false, previous_response_id: null, ...Object.fromEntries(asked) };
}

function usageField(answer: WireAnswer, { body }: WireRequest): object {
  const usage = usageOf(answer, [body["instructions"], body.input, body.tools]);
  if (!usage) return {};
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } = usage;
  return {
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: cacheReadTokens, cache_write_tokens: cacheWriteTokens },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: reasoningTokens },
      total_tokens: inputTokens + outputTokens,
    },
  };
}
