// One call of the adapter against the simulated provider or a canned answer, and what the tests of the adapter share.
import { AgentError } from "../../src/core/errors.ts";
import type { ModelRequest, ModelResponse } from "../../src/core/model.ts";
import { type OpenAIOptions, openai } from "../../src/providers/openai/openai.ts";
import { type SimulatedProvider, type SimulatedReply, simulatedProvider } from "../../src/testing/index.ts";

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

/** One call answered with `reply`; the second value of the pair says whether it was streamed. */
export async function answerTo(reply: SimulatedReply, streaming: boolean): Promise<ModelResponse> {
  await using provider = await simulatedProvider({ scenario: [reply] });
  return await call(provider, streaming ? { onText: () => {} } : {});
}

export async function failureOf(work: Promise<unknown>): Promise<AgentError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!AgentError.is(thrown)) throw new Error("expected an AgentError", { cause: thrown });
  return thrown;
}

export const ways = [
  { way: "as JSON", streaming: false },
  { way: "as a stream", streaming: true },
];

/** An endpoint that answers with these events, each of them given as it is. */
export function eventsFetch(...events: readonly object[]): typeof fetch {
  const body = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;
  return () => Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
}

export const chunk = (delta: object, finish_reason: string | null = null) => ({ choices: [{ index: 0, delta, finish_reason }] });
