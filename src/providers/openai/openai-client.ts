// The SDK's client. Invariant: retries, time, keys and the environment are not the SDK's business.
import type OpenAI from "openai";
import type { Received } from "../exchange.ts";
import type { OpenAIOptions } from "./openai-options.ts";

// What is left out here the SDK would look up in the environment.
export function createClient(Client: typeof OpenAI, options: OpenAIOptions): OpenAI {
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

/** The SDK's own methods for one API look into what came as if it were an answer; this hands it on as it is. */
export async function post(
  client: OpenAI,
  path: string,
  body: object,
  streamed: boolean,
  options: OpenAI.RequestOptions,
): Promise<Received> {
  const request = { ...options, body, stream: streamed };
  const { data, response, request_id: requestId } = await client.post<unknown>(path, request).withResponse();
  return { data, response, requestId };
}
