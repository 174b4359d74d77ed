// One call of the adapter against the simulated provider or a canned answer, and what the tests of the adapter share.
import { AgentError } from "../../src/core/errors.ts";
import type { ModelRequest, ModelResponse } from "../../src/core/model.ts";
import { type OpenAIOptions, openai } from "../../src/providers/openai/openai.ts";
import { type SimulatedBody, type SimulatedProvider, type SimulatedReply, simulatedProvider } from "../../src/testing/index.ts";

export const now = Date.UTC(2026, 0, 1);
export const prompt = "What about the secret prompt?";
export const plainRequest: ModelRequest = { messages: [{ role: "user", content: prompt }], tools: [], settings: {} };

interface Exchange {
  readonly options?: Partial<OpenAIOptions>;
  readonly request?: ModelRequest;
  readonly signal?: AbortSignal;
  readonly onText?: (text: string) => void;
}

export function call(
  provider: SimulatedProvider,
  { options, request = plainRequest, signal, onText }: Exchange = {},
): Promise<ModelResponse> {
  const model = openai("gpt-test", { apiKey: "key-1", baseURL: provider.baseURL, ...options });
  const context = { signal: signal ?? new AbortController().signal, attempt: 1, now: () => now };
  return model.call(request, onText ? { ...context, onText } : context);
}

export type OpenAIApi = NonNullable<OpenAIOptions["api"]>;

/** One call of one of the APIs answered with `reply`. */
export async function answerTo(reply: SimulatedReply, { api, streaming }: Way): Promise<ModelResponse> {
  await using provider = await simulatedProvider({ scenario: [reply] });
  return await call(provider, { options: { api }, ...listening(streaming) });
}

/** One call of one of the APIs answered by `fetch`. */
export function answerOf(fetch: typeof globalThis.fetch, { api, streaming }: Way, onText?: (text: string) => void): Promise<ModelResponse> {
  const model = openai("gpt-test", { apiKey: "key-1", api, fetch });
  return model.call(plainRequest, { signal: new AbortController().signal, attempt: 1, now: () => now, ...listening(streaming, onText) });
}

/** The text a `fetch` was given to send. */
export const sentIn = (init: RequestInit | undefined): string => (typeof init?.body === "string" ? init.body : "");

/** The body of the one request that goes out. */
export async function bodyOf(
  request: Partial<ModelRequest>,
  { options = {}, streaming = false }: { readonly options?: Partial<OpenAIOptions>; readonly streaming?: boolean } = {},
): Promise<SimulatedBody | undefined> {
  await using provider = await simulatedProvider({ scenario: [{ text: "x" }] });
  await call(provider, { options, request: { ...plainRequest, ...request }, ...listening(streaming) });
  return provider.requests[0]?.body;
}

export const listening = (streaming: boolean, onText: (text: string) => void = () => {}) => (streaming ? { onText } : {});

export async function failureOf(work: Promise<unknown>): Promise<AgentError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!AgentError.is(thrown)) throw new Error("expected an AgentError", { cause: thrown });
  return thrown;
}

export const apis: readonly OpenAIApi[] = ["chat", "responses"];

export interface Way {
  readonly api: OpenAIApi;
  readonly streaming: boolean;
}

/** Both APIs, as JSON and as a stream. */
export const ways = apis.flatMap((api) => [
  { api, streaming: false, way: `(${api}, as JSON)` },
  { api, streaming: true, way: `(${api}, as a stream)` },
]);
export const chatWays = ways.filter(({ api }) => api === "chat");
export const responsesWays = ways.filter(({ api }) => api === "responses");

/** An endpoint that answers with these events, each of them given as it is. */
export function eventsFetch(...events: readonly object[]): typeof fetch {
  const body = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;
  return () => Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
}

export const chunk = (delta: object, finish_reason: string | null = null) => ({ choices: [{ index: 0, delta, finish_reason }] });
