// The adapter over the official SDK of OpenAI. Invariant: one call is at most one request; retries, time and keys are not the SDK's.
import type OpenAI from "openai";
import type { Model } from "../../core/model.ts";
import { loadPackage } from "../../core/optional-package.ts";
import { stopReason } from "../../core/outcome.ts";
import { keyFor } from "../api-key.ts";
import { exchange } from "../exchange.ts";
import { createOffered } from "./offered-schema.ts";
import { apiFor } from "./openai-api.ts";
import { checkOffer } from "./openai-check.ts";
import { createClient } from "./openai-client.ts";
import { checkOpenAIOptions, type OpenAIOptions } from "./openai-options.ts";
import { createRefusedFields } from "./refused-fields.ts";

export type { AdapterOptions } from "../adapter-options.ts";
export type { ApiKey } from "../api-key.ts";
export type { OpenAIOptions } from "./openai-options.ts";

/**
 * A model served by OpenAI or by any endpoint that speaks one of its two APIs: Chat Completions, or with `api: "responses"` Responses.
 * Streams when the runtime wants text as it comes. Throws `configuration_invalid` here, before anything is sent, when an option is missing,
 * malformed or unknown, or when the package `openai` is not installed. Nothing is read from the environment but `OPENAI_CUSTOM_HEADERS`,
 * which the SDK itself adds; it cannot replace the key.
 */
export function openai(modelId: string, options: OpenAIOptions): Model {
  checkOpenAIOptions(modelId, options);
  const sdk = loadPackage("openai", "airworthy/openai", () => import("openai"));
  const shared = { modelId, options, offered: createOffered(options.strict ?? true), refused: createRefusedFields() };
  let client: OpenAI | undefined;
  return {
    provider: "openai",
    id: modelId,
    ...(options.settings ? { settings: { ...options.settings } } : {}),
    check: (offer) => checkOffer(options.api ?? "chat", offer),
    async call(request, context) {
      const { signal, now } = context;
      if (signal.aborted) throw stopReason(signal);
      const loaded = await sdk();
      const key = await keyFor("openai", options.apiKey, signal);
      client ??= createClient(loaded.OpenAI, options);
      const send = { signal, headers: { authorization: `Bearer ${key}`, ...options.headers } };
      const streamed = context.onText !== undefined;
      const api = apiFor(shared, { client, options: send, sdk: loaded, now, streamed }, request);
      const response = await exchange(api, context);
      return api.without.length > 0 ? { ...response, providerMetadata: { openai: { without: api.without } } } : response;
    },
  };
}
