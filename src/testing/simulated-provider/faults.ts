// What goes over the socket for each reply. Invariant: a fault is the same in every API, only its spelling is the wire's.
import type {
  SimulatedAnswer,
  SimulatedBrokenCall,
  SimulatedErrorEvent,
  SimulatedFault,
  SimulatedFixedFault,
  SimulatedHttpFault,
  SimulatedKeepAlive,
  SimulatedReply,
  SimulatedTransferFault,
} from "./reply.ts";
import { eventStream, html, json, sent, silence, type Transmission } from "./transmission.ts";
import { callsOf, type Wire, type WireAnswer, type WireRequest } from "./wire.ts";

/** How `reply` is answered to the request. */
export function transmissionOf(reply: SimulatedReply, wire: Wire, request: WireRequest): Transmission {
  const transmission = reply.fault === undefined ? good(reply, wire, request) : faulty(reply, wire, request);
  return { ...transmission, headers: { ...transmission.headers, ...reply.headers } };
}

function faulty(reply: SimulatedFault, wire: Wire, request: WireRequest): Transmission {
  if (isHttpFault(reply)) return httpError(reply, wire, request);
  if (isFixedFault(reply)) return fixedFaults[reply.fault](wire, request);
  if (isTransferFault(reply)) return broken(reply, wire, request);
  switch (reply.fault) {
    case "malformed-arguments":
    case "truncated-arguments":
      return good(brokenCall(reply), wire, request);
    case "missing-role":
    case "empty-choices":
      return good({ ...reply, flaw: reply.fault }, wire, request);
    case "duplicate-call-ids":
      return good(withOneCallId(reply, request.index), wire, request);
    case "slow-tokens":
      return { ...good(reply, wire, request), delayMs: reply.delayMs };
    case "stream-ignored":
      return good(reply, wire, { ...request, body: { ...request.body, stream: false } });
    case "error-mid-body":
      return errorMidBody(reply, wire, request);
    case "keep-alive":
      return keptAlive(reply, wire, request);
  }
}

function good(answer: WireAnswer, wire: Wire, request: WireRequest): Transmission {
  return request.body.stream
    ? sent(200, eventStream, wire.chunks(answer, request), { "cache-control": "no-cache" })
    : sent(200, json, [JSON.stringify(wire.whole(answer, request))]);
}

function brokenCall({ fault, name, arguments: args = '{"id": "47' }: SimulatedBrokenCall): WireAnswer {
  return { calls: [{ name, arguments: args }], ...(fault === "truncated-arguments" ? { flaw: "truncated" } : {}) };
}

function withOneCallId(answer: SimulatedAnswer, index: number): SimulatedAnswer {
  const callId = callsOf(answer, index)[0]?.id ?? null;
  return { ...answer, calls: (answer.calls ?? []).map((call) => ({ ...call, callId })) };
}

const fixedFaults: Readonly<Record<SimulatedFixedFault["fault"], (wire: Wire, request: WireRequest) => Transmission>> = {
  "html-200": () => sent(200, "text/html", [html("Sign in")]),
  "empty-200": () => sent(200, json, []),
  "error-200": (wire, request) => sent(200, json, [JSON.stringify(wire.error("server-error", request).body)]),
  reset: () => ({ ...silence, ending: "destroy" }),
  hang: () => ({ ...silence, ending: "hang" }),
  "headers-then-silence": (_wire, { body }) => ({ ...sent(200, body.stream ? eventStream : json, []), ending: "hang" }),
};

const isFixedFault = (reply: SimulatedFault): reply is SimulatedFixedFault => Object.hasOwn(fixedFaults, reply.fault);

const httpFaults: Readonly<Record<SimulatedHttpFault["fault"], "json" | "html">> = {
  "rate-limit": "json",
  quota: "json",
  "server-error": "json",
  "bad-gateway-html": "html",
  unavailable: "json",
  overloaded: "json",
  "too-large": "json",
  "bad-request": "json",
  "context-too-long": "json",
  unauthorized: "json",
};

const isHttpFault = (reply: SimulatedFault): reply is SimulatedHttpFault => Object.hasOwn(httpFaults, reply.fault);

function httpError({ fault, retryAfter, retryAfterMs }: SimulatedHttpFault, wire: Wire, request: WireRequest): Transmission {
  const headers = {
    ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
    ...(retryAfterMs === undefined ? {} : { "retry-after-ms": retryAfterMs }),
  };
  if (fault === "bad-gateway-html") return sent(502, "text/html", [html("Bad gateway")], headers);
  const { status, body } = wire.error(fault, request);
  return sent(status, json, [JSON.stringify(body)], headers);
}

const endings: Readonly<Record<SimulatedTransferFault["fault"], Transmission["ending"]>> = {
  cut: "end",
  "half-event": "end",
  garbled: "end",
  "reset-mid-body": "destroy",
  stall: "hang",
};

const isTransferFault = (reply: SimulatedFault): reply is SimulatedTransferFault => Object.hasOwn(endings, reply.fault);

function broken(reply: SimulatedTransferFault, wire: Wire, request: WireRequest): Transmission {
  const whole = good(reply, wire, request);
  const { fault, afterChunks = fault === "garbled" ? 0 : 2 } = reply;
  return { ...whole, pieces: piecesUntil(whole.pieces, fault, afterChunks, request), ending: endings[fault] };
}

function piecesUntil(
  pieces: readonly string[],
  fault: SimulatedTransferFault["fault"],
  afterChunks: number,
  { body }: WireRequest,
): readonly string[] {
  const first = pieces[0] ?? "";
  if (!body.stream) return afterChunks > 0 || fault === "garbled" ? [first.slice(0, first.length / 2)] : [];
  const passed = pieces.slice(0, afterChunks);
  const [next = ""] = (pieces[afterChunks] ?? "").split("\n\n");
  const half = next.slice(0, (next.length + next.indexOf("data: ")) / 2);
  if (fault === "half-event") return [...passed, half];
  return fault === "garbled" ? [...passed, `${half}\n\n`] : passed;
}

function errorMidBody(reply: SimulatedErrorEvent, wire: Wire, request: WireRequest): Transmission {
  const { error = "server-error", afterChunks = 2 } = reply;
  const whole = good(reply, wire, request);
  if (!request.body.stream) return { ...whole, pieces: [JSON.stringify(wire.error(error, request).body)] };
  const passed = whole.pieces.slice(0, afterChunks);
  return { ...whole, pieces: [...passed, wire.errorEvent(error, request, eventsIn(passed))] };
}

const eventsIn = (pieces: readonly string[]) => pieces.join("").split("\n\n").length - 1;

function keptAlive(reply: SimulatedKeepAlive, wire: Wire, request: WireRequest): Transmission {
  const { afterChunks = 2, intervalMs = 20 } = reply;
  const whole = good(reply, wire, request);
  const { stream } = request.body;
  const piece = (turn: number) => (stream ? wire.keepAlive(turn, reply, request) : " ");
  return { ...whole, pieces: stream ? whole.pieces.slice(0, afterChunks) : [], signsOfLife: { intervalMs, piece }, ending: "hang" };
}
