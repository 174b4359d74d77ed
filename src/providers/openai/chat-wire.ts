// What comes over the wire from a Chat Completions endpoint, as far as it is read. Invariant: every field is unknown until looked at.

/** A completion, or one chunk of a streamed one. */
export interface WireCompletion {
  readonly id?: unknown;
  readonly model?: unknown;
  readonly choices?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
}

/** Of a completion `message` is filled, of a chunk `delta`; both have the same shape. */
export interface WireChoice {
  readonly index?: unknown;
  readonly message?: unknown;
  readonly delta?: unknown;
  readonly finish_reason?: unknown;
}

export interface WireMessage {
  readonly content?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: unknown;
  readonly function_call?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
}

/** Of a content that is a list. */
export interface WirePart {
  readonly type?: unknown;
  readonly text?: unknown;
}

/** Only chunks carry `index`; of a chunk any other field may be missing or cut into pieces. */
export interface WireToolCall {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly function?: unknown;
}

export interface WireFunction {
  readonly name?: unknown;
  readonly arguments?: unknown;
}

export interface WireError {
  readonly code?: unknown;
  readonly type?: unknown;
}
