// One call of anthropic() against the simulated provider or a canned stream, and what the tests of the adapter share.
import type { ModelContext, ModelRequest, ModelResponse } from "../../src/core/model.ts";
import { type AnthropicOptions, anthropic } from "../../src/providers/anthropic/anthropic.ts";
import { type SimulatedBody, type SimulatedReply, simulatedProvider } from "../../src/testing/index.ts";
import { now, plainRequest } from "./exchange.ts";

interface Exchange extends Partial<Pick<ModelContext, "signal" | "onText" | "onProgress" | "onUsage">> {
  readonly options?: Partial<AnthropicOptions>;
  readonly request?: Partial<ModelRequest>;
}

export function call(url: string, { options, request, signal, ...told }: Exchange = {}): Promise<ModelResponse> {
  const model = anthropic("claude-test", { apiKey: "key-1", baseURL: url, ...options });
  const context = { signal: signal ?? new AbortController().signal, attempt: 1, now: () => now, ...told };
  return model.call({ ...plainRequest, ...request }, context);
}

/** As JSON and as a stream. */
export const ways = [
  { streaming: false, way: "as JSON" },
  { streaming: true, way: "as a stream" },
];

/** What makes a call stream. */
export const streamed = (streaming: boolean): Exchange => (streaming ? { onText: () => {} } : {});

export async function answerTo(reply: SimulatedReply, streaming: boolean): Promise<ModelResponse> {
  await using provider = await simulatedProvider({ scenario: [reply] });
  return await call(provider.url, streamed(streaming));
}

/** The body of the request that the adapter makes of `request`. */
export async function bodyOf(request: Partial<ModelRequest>, options: Partial<AnthropicOptions> = {}): Promise<SimulatedBody> {
  await using provider = await simulatedProvider({ scenario: [{ text: "x" }] });
  await call(provider.url, { request, options });
  const [first] = provider.requests;
  if (!first) throw new Error("nothing was sent");
  return first.body;
}

interface Sent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** An endpoint that streams these events, each given as it is. */
export const eventsFetch =
  (...events: readonly Sent[]): typeof fetch =>
  () => {
    const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
    return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  };

/** An endpoint that answers with this JSON. */
export const jsonFetch =
  (data: unknown, headers: Readonly<Record<string, string>> = {}): typeof fetch =>
  () =>
    Promise.resolve(Response.json(data, { headers }));

export const start = (message: object = {}): Sent => ({ type: "message_start", message: { id: "msg", content: [], ...message } });
export const begin = (index: number, content_block: object): Sent => ({ type: "content_block_start", index, content_block });
export const grow = (index: number, delta: object): Sent => ({ type: "content_block_delta", index, delta });
export const end = (stop_reason: string | null, fields: object = {}): Sent => ({
  type: "message_delta",
  delta: { stop_reason },
  ...fields,
});

/** Both ways of getting the same answer: whole, and in these events. */
export const bothWays = (whole: object, events: readonly Sent[]) => [
  { way: "as JSON", told: {}, fetch: jsonFetch(whole) },
  { way: "as a stream", told: { onText: () => {} }, fetch: eventsFetch(...events) },
];
