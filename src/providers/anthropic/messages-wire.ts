// What comes over the wire from a Messages endpoint, as far as it is read. Invariant: every field is unknown until looked at.

/** An answer as one piece of JSON, and as `message_start` announces it. */
export interface WireMessage extends WireEnding {
  readonly id?: unknown;
  readonly model?: unknown;
  readonly content?: unknown;
  readonly usage?: unknown;
}

/** One event of a stream; which fields are filled depends on its type. */
export interface WireEvent {
  readonly type?: unknown;
  readonly message?: unknown;
  readonly index?: unknown;
  readonly content_block?: unknown;
  readonly delta?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
}

/** A block of content; in a stream only its beginning. */
export interface WireBlock {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly thinking?: unknown;
  readonly signature?: unknown;
  readonly data?: unknown;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly input?: unknown;
}

/** What a block grows by. */
export interface WireDelta {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly thinking?: unknown;
  readonly signature?: unknown;
  readonly partial_json?: unknown;
}

/** Why the model stopped: a field of a whole answer, and what `message_delta` tells. */
export interface WireEnding {
  readonly stop_reason?: unknown;
  readonly stop_details?: unknown;
}

export interface WireStopDetails {
  readonly category?: unknown;
}

/** `input_tokens` are those that were neither read from the cache nor written to it. */
export interface WireUsage {
  readonly input_tokens?: unknown;
  readonly cache_read_input_tokens?: unknown;
  readonly cache_creation_input_tokens?: unknown;
  readonly output_tokens?: unknown;
  readonly output_tokens_details?: unknown;
}

export interface WireOutputDetails {
  readonly thinking_tokens?: unknown;
}

export interface WireError {
  readonly type?: unknown;
  readonly message?: unknown;
}
