// The adapter over the official SDK of OpenAI. Invariant: one call is at most one request; retries, time and keys are not the SDK's.
import type OpenAI from "openai";
import type { Model, ModelRequest } from "../../core/model.ts";
import { stopReason } from "../../core/outcome.ts";
import { keyFor } from "../api-key.ts";
import { type Api, exchange } from "../exchange.ts";
import { loadSdk } from "../sdk.ts";
import { createChatAnswer } from "./chat-answer.ts";
import { chatBody } from "./chat-request.ts";
import { openaiError, reportedError } from "./openai-error.ts";
import { checkOpenAIOptions, type OpenAIOptions } from "./openai-options.ts";

export type { OpenAIOptions } from "./openai-options.ts";

/**
 * A model served by OpenAI or by any endpoint that speaks Chat Completions. Streams when the runtime wants text as it comes.
 * Throws `configuration_invalid` here, before anything is sent, when an option is missing, malformed or unknown, or when the package
 * `openai` is not installed. Nothing is read from the environment but `OPENAI_CUSTOM_HEADERS`, which the SDK itself adds; it cannot
 * replace the key.
 */
export function openai(modelId: string, options: OpenAIOptions): Model {
  checkOpenAIOptions(modelId, options);
  const sdk = loadSdk("openai", "airworthy/openai", () => import("openai"));
  let client: OpenAI | undefined;
  return {
    provider: "openai",
    id: modelId,
    async call(request, context) {
      const { signal, now } = context;
      if (signal.aborted) throw stopReason(signal);
      const loaded = await sdk();
      const key = await keyFor("openai", options.apiKey, signal);
      client ??= createClient(loaded.OpenAI, options);
      const send = { signal, headers: { authorization: `Bearer ${key}`, ...options.headers } };
      return exchange(chatApi({ client, send, sdk: loaded, now }, modelId, request), context);
    },
  };
}

interface Connection {
  readonly client: OpenAI;
  readonly send: OpenAI.RequestOptions;
  readonly sdk: Parameters<typeof openaiError>[0];
  readonly now: () => number;
}

function chatApi({ client, send, sdk, now }: Connection, modelId: string, request: ModelRequest): Api {
  const body = chatBody(modelId, request);
  return {
    provider: "openai",
    send: async (streamed) => {
      const asked = streamed
        ? client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, send).withResponse()
        : client.chat.completions.create(body, send).withResponse();
      const { data, response, request_id: requestId } = await asked;
      return { data, response, requestId };
    },
    createAnswer: createChatAnswer,
    errorOf: (thrown) => openaiError(sdk, thrown, now()),
    reportedError: (error) => reportedError(error, now()),
    rateLimits: () => undefined,
  };
}

// What is left out here the SDK would look up in the environment.
function createClient(Client: typeof OpenAI, options: OpenAIOptions): OpenAI {
  return new Client({
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
