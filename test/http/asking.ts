// What the tests of the handler share: requests to it, and its streams as events.
import { type AgentOptions, createAgent } from "airworthy";
import { type AgentHandlerOptions, agentHandler, type ClientResult } from "airworthy/http";

/** An agent that fails at once instead of trying again, behind a handler that knows users by their names. */
export function serve(agent: Partial<AgentOptions> & Pick<AgentOptions, "model">, handler: Partial<AgentHandlerOptions> = {}) {
  const made = createAgent({ name: "desk", resilience: { retry: { attempts: 1 } }, ...agent });
  return agentHandler(made, { principal: ({ headers }) => ({ id: headers.get("authorization") ?? "ann" }), ...handler });
}

export const json = { "content-type": "application/json" };
export const events = { ...json, accept: "text/event-stream" };

export const asks = (body: unknown, headers: Record<string, string> = json, init: RequestInit = {}): Request =>
  new Request("http://service/agent", {
    method: "POST",
    headers: { ...json, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });

/** The body of an answer that is no stream. */
export async function toldBy(response: Response): Promise<ClientResult<unknown>> {
  const told: ClientResult<unknown> = Object(await response.json());
  return told;
}

export interface Sent {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One frame of a stream; undefined for a comment. */
export function sentOf(frame: string): Sent | undefined {
  const { id, event, data } = /^id: (?<id>\d+)\nevent: (?<event>[\w.]+)\ndata: (?<data>.*)$/.exec(frame)?.groups ?? {};
  return id === undefined || event === undefined ? undefined : { id, event, data: JSON.parse(data ?? "") };
}

/** All that a stream sends, comments left out. */
export async function sentBy(response: Response): Promise<readonly Sent[]> {
  const frames = (await response.text()).split("\n\n").filter((frame) => frame !== "" && frame !== ":");
  return frames.map((frame) => {
    const sent = sentOf(frame);
    if (!sent) throw new Error(`not an event: ${frame}`);
    return sent;
  });
}

/** Reads one chunk, which is one frame, as text. */
export function framesOf(response: Response) {
  const reader = response.body?.getReader();
  if (!reader) throw new Error("no body");
  const decoder = new TextDecoder();
  return {
    next: async () => decoder.decode((await reader.read()).value).trimEnd(),
    leave: () => reader.cancel(),
  };
}

/** The visible text in a list of events. */
export const shownIn = (sent: readonly Sent[]) =>
  sent
    .filter(({ event }) => event === "text.delta")
    .map(({ data }) => String(data["text"]))
    .join("");
