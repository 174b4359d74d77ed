// The words in which a test tells the simulated provider what to answer and how to fail. Invariant: plain data, so a log entry can hold it.
import type { Usage } from "../../core/usage.ts";

/** What every kind of reply may say. */
export interface SimulatedHead {
  /** Sent with the head of the answer, e.g. rate-limit headers; the last word where the provider sends one of that name itself. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A tool call the provider answers with. */
export interface SimulatedCall {
  readonly name: string;
  /** An object is sent as its JSON; a string goes out as it is. Messages have no text of arguments in JSON: see docs/guides/testing.md. */
  readonly arguments: object | string;
  /** Default `call_<request>_<position>`; `null` leaves it out, as some gateways do. */
  readonly callId?: string | null;
}

/** An answer, sent as JSON or as a stream, whichever the request asks for, in the API it came in by. */
export interface SimulatedAnswer extends SimulatedHead {
  readonly text?: string;
  readonly calls?: readonly SimulatedCall[];
  /** A summary of what the model thought, before the text. Chat Completions have no place for it and leave it out. */
  readonly reasoning?: string;
  /** Why the model declines, in place of the text. In Messages the explanation of the stop reason `refusal`. */
  readonly refusal?: string;
  /** Default: an estimate of four characters of JSON per token. `null` reports none; details that are not given are not reported. */
  readonly usage?: Usage | null;
  /**
   * As it goes over the wire. Default `stop` or `tool_calls` in Chat Completions, `end_turn`, `tool_use` or `refusal` in Messages. In
   * Responses the status, default `completed`; a reason such as `max_output_tokens` or `content_filter` makes it `incomplete` for that
   * reason. `null` leaves it out.
   */
  readonly finishReason?: string | null;
  /** Default: the model that was asked for. */
  readonly model?: string;
  /** The text in the pieces in which it is streamed; takes the place of `text`. */
  readonly deltas?: readonly string[];
  /** Characters per streamed piece of text and of arguments; default 20. */
  readonly chunkSize?: number;
}

/** Answered with an HTTP error. `retryAfter` (seconds or HTTP date) and `retryAfterMs` are sent as the headers of these names. */
export interface SimulatedHttpFault extends SimulatedHead {
  readonly fault:
    | "rate-limit"
    | "quota"
    | "server-error"
    | "bad-gateway-html"
    | "unavailable"
    | "overloaded"
    | "too-large"
    | "bad-request"
    | "context-too-long"
    | "unauthorized";
  readonly retryAfter?: string;
  readonly retryAfterMs?: string;
}

/**
 * Always the same, whatever was asked. Under status 200 a page, nothing, or an error. `reset`: the socket is destroyed before anything is
 * answered. `hang`: nothing is answered until the client leaves. `headers-then-silence`: the same after the head of the answer.
 */
export interface SimulatedFixedFault extends SimulatedHead {
  readonly fault: "html-200" | "empty-200" | "error-200" | "reset" | "hang" | "headers-then-silence";
}

/** A good answer as plain JSON although a stream was asked for. */
export type SimulatedPlainAnswer = SimulatedAnswer & { readonly fault: "stream-ignored" };

/**
 * A tool call whose arguments no JSON parser takes; default a text that breaks off. `arguments` may be any other text, e.g. one with a
 * trailing comma. `truncated-arguments`: the answer says itself that it was cut off there, for it had reached its greatest length.
 */
export interface SimulatedBrokenCall extends SimulatedHead {
  readonly fault: "malformed-arguments" | "truncated-arguments";
  readonly name: string;
  readonly arguments?: string;
}

/**
 * An answer that is whole, but not as it should be. `missing-role`: nobody is named as its author. `empty-choices`: there is nothing in
 * it. `duplicate-call-ids`: each of its calls has the id of the first.
 */
export type SimulatedOddAnswer = SimulatedAnswer & { readonly fault: "missing-role" | "empty-choices" | "duplicate-call-ids" };

/**
 * A good answer that goes wrong on its way, after `afterChunks` chunks of the stream or half of the JSON. The opening of a stream is a chunk,
 * and so is each piece of text; default 2, which lets one piece through. With 0 no more than the head is sent, as JSON, too.
 * `cut`: ends in good order, too early. `half-event`: ends inside the next event. `garbled`: ends with an event, or JSON, that does not
 * parse; default after 0 chunks. `reset-mid-body`: the socket is destroyed. `stall`: nothing more comes until the client leaves.
 */
export type SimulatedTransferFault = SimulatedAnswer & {
  readonly fault: "cut" | "half-event" | "garbled" | "reset-mid-body" | "stall";
  readonly afterChunks?: number;
};

/** An error event after `afterChunks` chunks (default 2) of a good answer; as JSON an error in place of the answer. */
export type SimulatedErrorEvent = SimulatedAnswer & {
  readonly fault: "error-mid-body";
  readonly afterChunks?: number;
  /** Default `server-error`. */
  readonly error?: "server-error" | "overloaded" | "rate-limit";
};

/**
 * After `afterChunks` chunks (default 2) of a good answer nothing but signs of life, one every `intervalMs` (default 20) until the client
 * leaves: comment lines, `ping` events, empty deltas. As JSON spaces before a body that never comes.
 */
export type SimulatedKeepAlive = SimulatedAnswer & {
  readonly fault: "keep-alive";
  readonly afterChunks?: number;
  readonly intervalMs?: number;
};

/** A good answer with a real pause before every chunk after the first. */
export type SimulatedSlowAnswer = SimulatedAnswer & { readonly fault: "slow-tokens"; readonly delayMs: number };

export type SimulatedFault =
  | SimulatedHttpFault
  | SimulatedFixedFault
  | SimulatedBrokenCall
  | SimulatedOddAnswer
  | SimulatedTransferFault
  | SimulatedErrorEvent
  | SimulatedKeepAlive
  | SimulatedSlowAnswer
  | SimulatedPlainAnswer;

export type SimulatedReply = (SimulatedAnswer & { readonly fault?: never }) | SimulatedFault;
