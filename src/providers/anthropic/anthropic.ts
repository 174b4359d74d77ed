// The adapter over the official SDK of Anthropic. Invariant: one call is at most one request; retries, time, keys and spans are not the SDK's.
import type Anthropic from "@anthropic-ai/sdk";
import type { JsonObject } from "../../core/json.ts";
import type { Model } from "../../core/model.ts";
import { loadPackage } from "../../core/optional-package.ts";
import { stopReason } from "../../core/outcome.ts";
import { keyFor } from "../api-key.ts";
import { type Api, exchange } from "../exchange.ts";
import { anthropicError, reportedError, type Sdk } from "./anthropic-error.ts";
import { type AnthropicOptions, checkAnthropicOptions } from "./anthropic-options.ts";
import { rateLimitsIn } from "./anthropic-rate-limits.ts";
import { createMessagesAnswer } from "./messages-answer.ts";
import { type Body, createMessagesWriter } from "./messages-request.ts";

export type { AdapterOptions } from "../adapter-options.ts";
export type { ApiKey } from "../api-key.ts";
export type { AnthropicOptions, AnthropicThinking } from "./anthropic-options.ts";

/**
 * A model served by Anthropic or by any endpoint that speaks Messages. Streams when the runtime wants text as it comes.
 * Throws `configuration_invalid` here, before anything is sent, when an option is missing, malformed or unknown, or when the package
 * `@anthropic-ai/sdk` is not installed. Nothing is read from the environment but `ANTHROPIC_CUSTOM_HEADERS`, which the SDK itself adds;
 * it cannot replace the key.
 */
export function anthropic(modelId: string, options: AnthropicOptions): Model {
  checkAnthropicOptions(modelId, options);
  const sdk = loadPackage("@anthropic-ai/sdk", "airworthy/anthropic", () => import("@anthropic-ai/sdk"));
  const writer = createMessagesWriter(modelId, options);
  let client: Anthropic | undefined;
  return {
    provider: "anthropic",
    id: modelId,
    ...(options.settings ? { settings: options.settings } : {}),
    ...costFacts(options),
    check: (offer) => writer.check(offer),
    async call(request, context) {
      const { signal, now } = context;
      if (signal.aborted) throw stopReason(signal);
      const body = writer.body(request);
      const loaded = await sdk();
      const key = await keyFor("anthropic", options.apiKey, signal);
      client ??= createClient(loaded.Anthropic, options);
      // The second name of the key is taken away, or one from the environment might go along with ours.
      const headers = { "x-api-key": null, authorization: `Bearer ${key}`, ...options.headers };
      const about = options.thinking?.type === "enabled" && body.thinking?.type === "disabled" ? { thinking: "disabled" } : {};
      return exchange(messagesApi({ client, send: { signal, headers }, sdk: loaded, now }, body, about), context);
    },
  };
}

/** A cache that is kept for an hour costs 2 times the input to write, and not 1.25 times. Thinking has to fit into the answer. */
const costFacts = ({ promptCache, thinking }: AnthropicOptions): Pick<Model, "cacheWriteMultiple" | "minOutputTokens"> => ({
  ...(promptCache === "1h" ? { cacheWriteMultiple: 1.6 } : {}),
  ...(thinking?.type === "enabled" ? { minOutputTokens: thinking.budget_tokens + 1 } : {}),
});

interface Connection {
  readonly client: Anthropic;
  readonly send: Anthropic.RequestOptions;
  readonly sdk: Sdk;
  readonly now: () => number;
}

function messagesApi({ client, send, sdk, now }: Connection, body: Body, about: JsonObject): Api {
  const failure = (error: unknown) => reportedError(error, now());
  return {
    provider: "anthropic",
    send: async (streamed) => {
      // Not `messages.create`, which writes to the console about models that are to be retired.
      const asked = client.post("/v1/messages", streamed ? { ...send, body: { ...body, stream: true }, stream: true } : { ...send, body });
      const { data, response, request_id: requestId } = await asked.withResponse();
      return { data, response, requestId };
    },
    createAnswer: () => createMessagesAnswer(failure, about),
    errorOf: (thrown) => anthropicError(sdk, thrown, now()),
    reportedError: failure,
    rateLimits: (headers) => rateLimitsIn(headers),
  };
}

// What is left out here the SDK would look up in the environment, or in the profiles of a user.
function createClient(Client: typeof Anthropic, options: AnthropicOptions): Anthropic {
  return new Client({
    apiKey: "sent with each request",
    webhookKey: null,
    baseURL: options.baseURL ?? "https://api.anthropic.com",
    maxRetries: 0,
    // The longest a timer can be: the runtime's own deadlines end a request, through the signal.
    timeout: 2 ** 31 - 1,
    logLevel: "off",
    openTelemetry: false,
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
}
