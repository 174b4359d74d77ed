// What goes over the socket for each reply: faults as data. Invariant: what to send is decided here, sending it is up to simulated-transport.
import type {
  SimulatedAnswer,
  SimulatedBody,
  SimulatedFixedFault,
  SimulatedHttpFault,
  SimulatedReply,
  SimulatedTransferFault,
} from "./simulated-reply.ts";
import { chunksOf, completionOf } from "./simulated-wire.ts";

/** Without `status` no head is sent and so no body either. `destroy` kills the socket, `hang` waits for the client to leave. */
export interface Transmission {
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly string[];
  /** Before every piece after the first. */
  readonly delayMs: number;
  readonly ending: "end" | "destroy" | "hang";
}

/** How `reply` is answered to the request of that body and number. */
export function transmissionOf(reply: SimulatedReply, body: SimulatedBody, index: number): Transmission {
  if (reply.fault === undefined) return good(reply, body, index);
  if (isHttpFault(reply)) return httpError(reply);
  if (isFixedFault(reply)) return fixedFaults[reply.fault];
  switch (reply.fault) {
    case "malformed-arguments":
      return good({ calls: [{ name: reply.name, arguments: reply.arguments ?? '{"id": "47' }] }, body, index);
    case "slow-tokens":
      return { ...good(reply, body, index), delayMs: reply.delayMs };
    case "stream-ignored":
      return good(reply, { ...body, stream: false }, index);
    case "garbled":
      return body.stream ? sent(200, eventStream, ['data: {"id": "chatcmpl-0", "choi\n\n']) : sent(200, json, ['{"id": "chatcm']);
    case "cut":
    case "reset-mid-body":
    case "stall":
    case "error-mid-body":
      return broken(reply, body, index);
  }
}

/** An HTTP error of the simulation itself: a scenario that has run out, a request it does not understand. */
export function complaint(status: number, message: string): Transmission {
  return sent(status, json, [JSON.stringify({ error: { message, type: "simulation_error", param: null, code: null } })]);
}

const json = "application/json";
const eventStream = "text/event-stream";
const html = (title: string) => `<!doctype html><html><head><title>${title}</title></head><body>${title}</body></html>`;

const sent = (status: number, type: string, pieces: readonly string[], headers: Readonly<Record<string, string>> = {}): Transmission => ({
  status,
  headers: { "content-type": type, ...headers },
  pieces,
  delayMs: 0,
  ending: "end",
});

// Providers quote the request in such texts; the marker lets a test see that none of it gets into an error message.
const errorJson = (type: string, code: string | null) =>
  JSON.stringify({ error: { message: "provider text: you sent 'secret prompt'", type, param: null, code } });

function good(answer: SimulatedAnswer, body: SimulatedBody, index: number): Transmission {
  if (!body.stream) return sent(200, json, [JSON.stringify(completionOf(answer, body, index))]);
  const events = chunksOf(answer, body, index).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  return sent(200, eventStream, [...events, "data: [DONE]\n\n"], { "cache-control": "no-cache" });
}

const endings: Readonly<Record<SimulatedTransferFault["fault"], Transmission["ending"]>> = {
  cut: "end",
  "reset-mid-body": "destroy",
  stall: "hang",
  "error-mid-body": "end",
};

function broken(reply: SimulatedTransferFault, body: SimulatedBody, index: number): Transmission {
  const whole = good(reply, body, index);
  const [first = ""] = whole.pieces;
  const pieces = body.stream ? whole.pieces.slice(0, reply.afterChunks ?? 2) : [first.slice(0, first.length / 2)];
  const start = { ...whole, pieces, ending: endings[reply.fault] };
  if (reply.fault !== "error-mid-body") return start;
  const error = errorJson("server_error", null);
  return { ...start, pieces: body.stream ? [...pieces, `data: ${error}\n\n`] : [error] };
}

const silence = { headers: {}, pieces: [], delayMs: 0 };

const fixedFaults: Readonly<Record<SimulatedFixedFault["fault"], Transmission>> = {
  "html-200": sent(200, "text/html", [html("Sign in")]),
  "empty-200": sent(200, json, []),
  "error-200": sent(200, json, [errorJson("server_error", null)]),
  reset: { ...silence, ending: "destroy" },
  hang: { ...silence, ending: "hang" },
};

const isFixedFault = (reply: SimulatedReply): reply is SimulatedFixedFault =>
  reply.fault !== undefined && Object.hasOwn(fixedFaults, reply.fault);

const httpErrors: Readonly<Record<SimulatedHttpFault["fault"], { readonly status: number; readonly type: string; readonly body: string }>> =
  {
    "rate-limit": { status: 429, type: json, body: errorJson("requests", "rate_limit_exceeded") },
    quota: { status: 429, type: json, body: errorJson("insufficient_quota", "insufficient_quota") },
    "server-error": { status: 500, type: json, body: errorJson("server_error", null) },
    "bad-gateway-html": { status: 502, type: "text/html", body: html("Bad gateway") },
    "bad-request": { status: 400, type: json, body: errorJson("invalid_request_error", "unsupported_value") },
    "context-too-long": { status: 400, type: json, body: errorJson("invalid_request_error", "context_length_exceeded") },
    unauthorized: { status: 401, type: json, body: errorJson("invalid_request_error", "invalid_api_key") },
  };

const isHttpFault = (reply: SimulatedReply): reply is SimulatedHttpFault =>
  reply.fault !== undefined && Object.hasOwn(httpErrors, reply.fault);

function httpError({ fault, retryAfter, retryAfterMs }: SimulatedHttpFault): Transmission {
  const { status, type, body } = httpErrors[fault];
  return sent(status, type, [body], {
    ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
    ...(retryAfterMs === undefined ? {} : { "retry-after-ms": retryAfterMs }),
  });
}
