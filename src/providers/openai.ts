// The adapter for Chat Completions over the official SDK. Invariant: one call is at most one request; retries, time and keys are not the SDK's.
import OpenAI from "openai";
import { AgentError, toAgentError } from "../core/errors.ts";
import type { Model, ModelContext, ModelResponse } from "../core/model.ts";
import { stopReason } from "../core/outcome.ts";
import { unlessAborted } from "../core/waiting.ts";
import { type Answer, createAnswer } from "./openai-answer.ts";
import { brokenOff, notACompletion, openaiError, reportedError } from "./openai-error.ts";
import { checkOpenAIOptions, isKey, type OpenAIOptions } from "./openai-options.ts";
import { chatBody } from "./openai-request.ts";
import { objectIn, type WireCompletion } from "./openai-wire.ts";

export type { OpenAIOptions } from "./openai-options.ts";

/**
 * A model served by OpenAI or by any endpoint that speaks Chat Completions. Streams when the runtime wants text as it comes.
 * Throws `configuration_invalid` here, before anything is sent, when an option is missing, malformed or unknown. Nothing is read
 * from the environment but `OPENAI_CUSTOM_HEADERS`, which the SDK itself adds; it cannot replace the key.
 */
export function openai(modelId: string, options: OpenAIOptions): Model {
  checkOpenAIOptions(modelId, options);
  const client = createClient(options);
  return {
    provider: "openai",
    id: modelId,
    async call(request, context) {
      if (context.signal.aborted) throw stopReason(context.signal);
      const key = await keyFor(options, context.signal);
      const send: RequestOptions = { signal: context.signal, headers: { authorization: `Bearer ${key}`, ...options.headers } };
      const body = chatBody(modelId, request);
      try {
        return await (context.onText ? streamed(client, body, send, context) : whole(client, body, send, context));
      } catch (thrown) {
        throw context.signal.aborted ? stopReason(context.signal) : thrown;
      }
    },
  };
}

type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;
type RequestOptions = OpenAI.RequestOptions;

async function whole(client: OpenAI, body: Body, send: RequestOptions, { now }: ModelContext): Promise<ModelResponse> {
  const { data, request_id } = await fromSdk(client.chat.completions.create(body, send).withResponse(), now);
  const answer = createAnswer();
  addWhole(answer, data, now);
  return answer.response(request_id);
}

async function streamed(client: OpenAI, body: Body, send: RequestOptions, context: ModelContext): Promise<ModelResponse> {
  const asked = client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, send);
  const { data, response, request_id } = await fromSdk(asked.withResponse(), context.now);
  const answer = createAnswer();
  if (response.headers.get("content-type")?.includes("json")) {
    // A gateway that ignores `stream`; the SDK would find no events in it and report nothing.
    const text = addWhole(answer, await fromSdk(response.json(), context.now), context.now);
    if (text !== "") context.onText?.(text);
    return answer.response(request_id);
  }
  for await (const chunk of chunksOf(data, answer, context.now)) {
    const text = answer.add(chunk);
    if (text !== "") context.onText?.(text);
  }
  // The SDK ends the iteration without a word when the stream is cut, and also when the signal is aborted: call() tells the two apart.
  if (!answer.complete) throw answer.started ? brokenOff() : notACompletion("no event of it was one");
  return answer.response(request_id);
}

function addWhole(answer: Answer, data: unknown, now: () => number): string {
  const { error }: WireCompletion = objectIn(data);
  if (error) throw reportedError(error, now());
  const text = answer.add(data);
  if (!answer.complete) throw notACompletion(answer.started ? "it has no finish_reason" : "it has no choices");
  return text;
}

/** The chunks, with what the SDK throws as our errors; what the consumer of the chunks throws stays its own. */
async function* chunksOf(stream: AsyncIterable<unknown>, answer: Answer, now: () => number): AsyncGenerator<unknown> {
  try {
    yield* stream;
  } catch (thrown) {
    // A connection that dies once the model has finished costs us the usage, not the answer.
    if (!answer.complete) throw openaiError(thrown, now());
  }
}

async function fromSdk<T>(work: Promise<T>, now: () => number): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw openaiError(thrown, now());
  }
}

async function keyFor({ apiKey }: OpenAIOptions, signal: AbortSignal): Promise<string> {
  if (typeof apiKey === "string") return apiKey;
  const key: unknown = await unlessAborted(
    (async () => await apiKey())().catch((thrown) => {
      throw toAgentError(thrown, "authentication_failed", "The `apiKey` function given to openai() threw.");
    }),
    signal,
  );
  if (isKey(key)) return key;
  throw new AgentError("authentication_failed", "The `apiKey` function given to openai() answered no key.", {
    hint: "Let it return the key alone, in plain characters without spaces or line breaks.",
  });
}

// What is left out here the SDK would look up in the environment.
function createClient(options: OpenAIOptions): OpenAI {
  return new OpenAI({
    apiKey: "sent with each request",
    adminAPIKey: null,
    webhookSecret: null,
    baseURL: options.baseURL ?? "https://api.openai.com/v1",
    organization: options.organization ?? null,
    project: options.project ?? null,
    maxRetries: 0,
    // The longest a timer can be: the runtime's own deadlines end a request, through the signal.
    timeout: 2 ** 31 - 1,
    logLevel: "off",
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
}
