// The words in which a test tells the simulated provider what to answer and how to fail. Invariant: plain data, so a log entry can hold it.
import type { Usage } from "../core/usage.ts";

/** A tool call the provider answers with. */
export interface SimulatedCall {
  readonly name: string;
  /** An object is sent as its JSON; a string goes out as it is. */
  readonly arguments: object | string;
  /** Default `call_<request>_<position>`; `null` leaves it out, as some gateways do. */
  readonly callId?: string | null;
}

/** A completion, sent as JSON or as a stream, whichever the request asks for. */
export interface SimulatedAnswer {
  readonly text?: string;
  readonly calls?: readonly SimulatedCall[];
  /** Default: an estimate of four characters of JSON per token. `null` reports none. */
  readonly usage?: Usage | null;
  /** As it goes over the wire; default `tool_calls` or `stop`. `null` leaves it out. */
  readonly finishReason?: string | null;
  /** Default: the model that was asked for. */
  readonly model?: string;
  /** The text in the pieces in which it is streamed; takes the place of `text`. */
  readonly deltas?: readonly string[];
  /** Characters per streamed piece of text and of arguments; default 20. */
  readonly chunkSize?: number;
}

/** Answered with an HTTP error. `retryAfter` (seconds or HTTP date) and `retryAfterMs` are sent as the headers of these names. */
export interface SimulatedHttpFault {
  readonly fault: "rate-limit" | "quota" | "server-error" | "bad-gateway-html" | "bad-request" | "context-too-long" | "unauthorized";
  readonly retryAfter?: string;
  readonly retryAfterMs?: string;
}

/**
 * Always the same, whatever was asked. Under status 200 a page, nothing, or an error. `reset`: the socket is destroyed before anything is
 * answered. `hang`: nothing is answered until the client leaves.
 */
export interface SimulatedFixedFault {
  readonly fault: "html-200" | "empty-200" | "error-200" | "reset" | "hang";
}

/** Status 200 with JSON, or an event, that does not parse. */
export interface SimulatedGarble {
  readonly fault: "garbled";
}

/** A good answer as plain JSON although a stream was asked for. */
export type SimulatedPlainAnswer = SimulatedAnswer & { readonly fault: "stream-ignored" };

/**
 * A tool call whose arguments no JSON parser takes; default a text that breaks off. `arguments` may be any other text, e.g. one with a
 * trailing comma.
 */
export interface SimulatedMalformedCall {
  readonly fault: "malformed-arguments";
  readonly name: string;
  readonly arguments?: string;
}

/**
 * A good answer that goes wrong on its way, after `afterChunks` events of the stream (default 2) or half of the JSON.
 * `cut`: ends in good order, too early. `reset-mid-body`: the socket is destroyed. `stall`: nothing more comes until the client leaves.
 * `error-mid-body`: an error event; in JSON an error in place of the completion.
 */
export type SimulatedTransferFault = SimulatedAnswer & {
  readonly fault: "cut" | "reset-mid-body" | "stall" | "error-mid-body";
  readonly afterChunks?: number;
};

/** A good answer with a real pause before every event after the first. */
export type SimulatedSlowAnswer = SimulatedAnswer & { readonly fault: "slow-tokens"; readonly delayMs: number };

export type SimulatedFault =
  | SimulatedHttpFault
  | SimulatedFixedFault
  | SimulatedGarble
  | SimulatedMalformedCall
  | SimulatedTransferFault
  | SimulatedSlowAnswer
  | SimulatedPlainAnswer;

export type SimulatedReply = (SimulatedAnswer & { readonly fault?: never }) | SimulatedFault;

/** The body of a request, as far as tests look at it. */
export interface SimulatedBody {
  readonly model?: unknown;
  readonly messages: readonly {
    readonly role: string;
    readonly content?: unknown;
    readonly tool_call_id?: string;
    readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[];
  }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly [field: string]: unknown;
}
