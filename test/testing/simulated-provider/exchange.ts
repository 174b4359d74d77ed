// Plain requests to the simulated provider by every API, and what the tests of its wires and faults share.
import { type SimulatedApi, type SimulatedProvider, type SimulatedReply, simulatedProvider } from "../../../src/testing/index.ts";

const messages = [{ role: "user", content: "Where is my order?" }];

/** The path of each API and the least that is asked for by it. */
export const questions = {
  chat: { path: "/v1/chat/completions", body: { model: "gpt-test", messages } },
  responses: { path: "/v1/responses", body: { model: "gpt-test", input: "Where is my order?" } },
  messages: { path: "/v1/messages", body: { model: "claude-test", max_tokens: 100, messages } },
} as const;

export const apis: readonly SimulatedApi[] = ["chat", "responses", "messages"];
export const ways = [
  { way: "as JSON", stream: false },
  { way: "as a stream", stream: true },
];
/** Every API in both ways. */
export const waysOfApis = apis.flatMap((api) => ways.map((way) => ({ api, ...way })));

export function ask(provider: SimulatedProvider, api: SimulatedApi, more: object = {}, init: RequestInit = {}): Promise<Response> {
  const { path, body } = questions[api];
  return fetch(provider.url + path, { method: "POST", body: JSON.stringify({ ...body, ...more }), ...init });
}

/** All that was sent in answer to one request. */
export async function sentTo(api: SimulatedApi, reply: SimulatedReply, more: object = {}): Promise<string> {
  await using provider = await simulatedProvider({ scenario: [reply] });
  return await (await ask(provider, api, more)).text();
}

export interface SentEvent {
  readonly name?: string;
  readonly data: string;
}

/** The events of a stream, without comments. */
export function eventsIn(stream: string): readonly SentEvent[] {
  const events = stream.split("\n\n").filter((event) => event.includes("data: "));
  return events.map((event) => {
    const name = /^event: (.*)$/m.exec(event)?.[1];
    return { ...(name ? { name } : {}), data: /^data: (.*)$/m.exec(event)?.[1] ?? "" };
  });
}

export async function eventsTo(api: SimulatedApi, reply: SimulatedReply, more: object = {}): Promise<readonly SentEvent[]> {
  return eventsIn(await sentTo(api, reply, { stream: true, ...more }));
}
