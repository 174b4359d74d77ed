// A provider of three APIs on the loopback interface, for tests over real HTTP. Invariant: nothing of it outlives close().
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { AgentError } from "../../core/errors.ts";
import { chatWire } from "./chat-wire.ts";
import { transmissionOf } from "./faults.ts";
import { messagesWire } from "./messages-wire.ts";
import type { SimulatedReply } from "./reply.ts";
import { conversationIn, type SimulatedApi, type SimulatedBody, type SimulatedTurn } from "./request.ts";
import { responsesWire } from "./responses-wire.ts";
import { complaint, type Transmission } from "./transmission.ts";
import { bodyOf, transmit } from "./transport.ts";
import type { Wire } from "./wire.ts";

/** One request and what became of it. */
export interface SimulatedRequest {
  /** 0 for the first. */
  readonly index: number;
  readonly api: SimulatedApi;
  /** A stream was asked for. */
  readonly streamed: boolean;
  readonly body: SimulatedBody;
  /** What was said so far, the same for every API. */
  readonly conversation: readonly SimulatedTurn[];
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** What the scenario or the rules said; absent when they said nothing and the request was answered with HTTP 500. */
  readonly reply?: SimulatedReply;
  /** Absent when no answer was begun. */
  readonly status?: number;
  /** The client left before the answer was over. */
  readonly disconnected: boolean;
  /** Resolves when the answer is over, whichever way. */
  readonly ended: Promise<void>;
}

export interface SimulatedRule {
  readonly when: (body: SimulatedBody, request: SimulatedRequest) => boolean;
  readonly reply: SimulatedReply;
}

/**
 * `scenario`: replies in the order in which requests arrive; a request beyond its end gets HTTP 500. `rules`: the first whose `when` holds,
 * or a function of the request, for requests that arrive in no fixed order.
 */
export type SimulatedProviderOptions =
  | { readonly scenario: readonly SimulatedReply[]; readonly rules?: never }
  | {
      readonly scenario?: never;
      readonly rules: readonly SimulatedRule[] | ((request: SimulatedRequest) => SimulatedReply | Promise<SimulatedReply>);
    };

export interface SimulatedProvider extends AsyncDisposable {
  /** For the `baseURL` option of an adapter to OpenAI: with the path `/v1`. */
  readonly baseURL: string;
  /** For the `baseURL` option of an adapter to Anthropic: without a path. */
  readonly url: string;
  /** Every request so far, in the order of arrival. */
  readonly requests: readonly SimulatedRequest[];
  /** How many requests arrived. */
  readonly count: number;
  /** Cuts what is still open; resolves when the server is gone and every answer is over. */
  close(): Promise<void>;
}

const wires: readonly Wire[] = [chatWire, responsesWire, messagesWire];

/**
 * Starts a server on 127.0.0.1 that speaks OpenAI Chat Completions, OpenAI Responses and Anthropic Messages, as JSON and as a stream, and
 * fails on command.
 *
 *     await using provider = await simulatedProvider({ scenario: [{ fault: "rate-limit", retryAfter: "1" }, { text: "Hello" }] });
 *     const model = openai("gpt-5-mini", { apiKey: "test", baseURL: provider.baseURL });
 */
export async function simulatedProvider(options: SimulatedProviderOptions): Promise<SimulatedProvider> {
  if (!options.scenario && !options.rules) {
    throw new AgentError("configuration_invalid", "simulatedProvider() needs `scenario` or `rules`.");
  }
  const requests: LogEntry[] = [];
  let closed: Promise<unknown> | undefined;

  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const [path] = (incoming.url ?? "").split("?");
    const wire = incoming.method === "POST" ? wires.find((one) => one.path === path) : undefined;
    if (!wire) return transmit(complaint(404, `There is only POST ${wires.map((one) => one.path).join(", ")} here.`), outgoing);
    const body = await bodyOf(incoming);
    if (!body || !wire.accepts(body)) {
      return transmit(complaint(400, `The body is not a JSON object with ${wire.api === "responses" ? "input" : "messages"}.`), outgoing);
    }
    const entry = createEntry({ index: requests.length, api: wire.api, body }, incoming, outgoing, () => closed !== undefined);
    requests.push(entry);
    const transmission = await decide(options, wire, entry);
    entry.ending = transmission.ending;
    if (transmission.status !== undefined) entry.status = transmission.status;
    outgoing.setHeader(wire.requestIdHeader, `req_${entry.index}`);
    await transmit(transmission, outgoing);
  };

  const server = createServer((incoming, outgoing) => {
    // All that can fail in there is a connection the client has given up.
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;

  const close = async () => {
    if (!closed) {
      closed = Promise.all([once(server, "close"), ...requests.map(({ ended }) => ended)]);
      server.close();
      server.closeAllConnections();
    }
    await closed;
  };
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    url: `http://127.0.0.1:${port}`,
    requests,
    get count() {
      return requests.length;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface LogEntry extends SimulatedRequest {
  reply?: SimulatedReply;
  status?: number;
  disconnected: boolean;
  /** How we meant the answer to end; without it a socket we destroyed would look like one the client closed. */
  ending?: Transmission["ending"];
}

function createEntry(
  asked: Pick<SimulatedRequest, "index" | "api" | "body">,
  { headers }: IncomingMessage,
  outgoing: ServerResponse,
  isClosing: () => boolean,
): LogEntry {
  const entry: LogEntry = {
    ...asked,
    streamed: asked.body.stream === true,
    conversation: conversationIn(asked.body),
    headers,
    disconnected: false,
    ended: new Promise((resolve) => {
      outgoing.once("close", () => {
        entry.disconnected = !outgoing.writableFinished && entry.ending !== "destroy" && !isClosing();
        resolve();
      });
    }),
  };
  return entry;
}

async function decide({ scenario, rules }: SimulatedProviderOptions, wire: Wire, entry: LogEntry): Promise<Transmission> {
  let reply: SimulatedReply | undefined;
  try {
    if (scenario) reply = scenario[entry.index];
    else reply = typeof rules === "function" ? await rules(entry) : rules.find(({ when }) => when(entry.body, entry))?.reply;
  } catch (thrown) {
    return complaint(500, `The rules threw: ${String(thrown)}`);
  }
  if (reply) entry.reply = reply;
  else return complaint(500, scenario ? `The scenario has run out after ${scenario.length} replies.` : "No rule matches the request.");
  return transmissionOf(reply, wire, entry);
}
